;;; Timeouts of the Lisp itself reach into waits, and leave the objects usable.
(require :asdf)
(let ((*standard-output* (make-broadcast-stream)) (*error-output* (make-broadcast-stream)))
  (asdf:load-system "tlsshim"))

(defun cut-short (call)
  "Seconds after which the Lisp's timeout of 0.2 s took effect in a wait of 20 s."
  (let ((began (get-internal-real-time)))
    (handler-case (progn (sb-ext:with-timeout 0.2 (funcall call)) nil)
      (sb-ext:timeout () (/ (- (get-internal-real-time) began) internal-time-units-per-second)))))

(tlsshim:with-handles ((listener (tlsshim:make-listener "127.0.0.1"))
                       (one (tlsshim:connect "127.0.0.1" (tlsshim:listener-port listener)))
                       (other (tlsshim:listener-accept listener)))
  (loop for (name call) in `(("accept" ,(lambda () (tlsshim:listener-accept listener :timeout 20)))
                             ("read" ,(lambda () (tlsshim:stream-read one :timeout 20)))
                             ("write" ,(lambda () (loop (tlsshim:stream-write one (make-string 1000000) :timeout 20)))))
        for seconds = (cut-short call)
        do (format t "~A ~:[was not cut short~;was cut short~]~%" name (and seconds (< seconds 5))))
  (tlsshim:stream-write other "still there")
  (format t "~A~%" (map 'string #'code-char (tlsshim:stream-read one))))
(format t "~D open~%" (tlsshim:live))
