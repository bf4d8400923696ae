;;; Calls of the library under with-timeout, which unwinds whatever the thread is doing: timeout_storm.lisp, COUNT in
;;; the environment. Ends 0 if the library works as before.

(require :asdf)
(handler-bind ((warning #'muffle-warning))
  (let ((*standard-output* (make-broadcast-stream)))
    (asdf:load-system "tlsshim/raw")))

(defparameter *count* (parse-integer (sb-ext:posix-getenv "COUNT")))
(declaim (type fixnum *timeouts* *rounds*))
(sb-ext:defglobal *timeouts* 0)
(sb-ext:defglobal *rounds* 0)

(defun must (result &rest more)
  (declare (ignore more))
  (when (minusp result)
    (error "~D: ~A" result (nth-value 1 (tlsshim.raw:error-text result))))
  result)

(defun work ()
  (let ((key 0) (cert 0))
    (unwind-protect
         (progn
           (setf key (must (tlsshim.raw:key-generate "P-256")))
           (setf cert (must (tlsshim.raw:cert-self-signed key "localhost" 30)))
           (must (tlsshim.raw:key-sign key "SHA256" "data"))
           (unless (minusp (tlsshim.raw:key-load "nonsense" ""))
             (error "nonsense is no key")))
      (when (plusp cert) (tlsshim.raw:close cert))
      (when (plusp key) (tlsshim.raw:close key)))
    (sb-ext:atomic-incf *rounds*)))

(defun storm (count)
  (dotimes (i count)
    (handler-case (sb-ext:with-timeout (+ 0.0002 (random 0.003)) (loop (work)))
      (sb-ext:timeout () (sb-ext:atomic-incf *timeouts*)))))

(let ((threads (loop repeat 2 collect (sb-thread:make-thread #'storm :arguments (list (floor *count* 3))))))
  (storm (floor *count* 3))
  (mapc #'sb-thread:join-thread threads))

;; No lock is left behind, here or for a new thread.
(dotimes (i 50) (work))
(sb-thread:join-thread (sb-thread:make-thread #'work))
(unless (and (>= *timeouts* (* 3 (floor *count* 3))) (> *rounds* 50))
  (error "~D timeouts, ~D rounds" *timeouts* *rounds*))
(sb-ext:exit :code 0 :abort nil)
