;;; Echo over mutual TLS, both ends, for SBCL.
;;;
;;;   sbcl --script echo.lisp server CA IDENTITY [PORT]   prints its port and echoes until it is stopped
;;;   sbcl --script echo.lisp client CA IDENTITY PORT     has 1 MiB echoed, then once more over a resumed connection
;;;
;;; CA is a file of anchors; IDENTITY.pem and IDENTITY.key say who this end is, "-" is nobody.

(require :asdf)
(let ((*standard-output* (make-broadcast-stream))) (asdf:load-system "tlsshim"))
(defpackage #:echo (:use #:cl #:tlsshim))
(in-package #:echo)

(defconstant +piece+ 65536)

(defun say (control &rest arguments)
  (format t "~?~%" control arguments)
  (finish-output))

(defun serve (stream)
  (stream-handshake stream)
  (let ((conn (stream-conn stream)))
    (say "peer=~A resumed=~:[0~;1~]" (conn-peer-name conn) (conn-resumed conn)))
  (loop for data = (stream-read stream) while data do (stream-write stream data))
  (stream-shutdown stream))

(defun server (context port)
  (with-handles ((listener (make-listener "localhost" port)))
    (say "port=~D" (listener-port listener))
    (loop (with-handles ((stream (listener-accept listener :context context :timeout 1000000)))
            (handler-case (serve stream)
              (tlsshim-error (refusal) (say "refused=~A: ~A" (error-code refusal) refusal)))))))

(defun visit (stream)
  (dotimes (n 16)
    (let ((sent (make-array +piece+ :element-type '(unsigned-byte 8) :initial-element n)))
      (stream-write stream sent)
      (loop with count = 0 while (< count +piece+)
            do (let ((back (stream-read stream)))
                 (assert (null (mismatch back sent :end2 (length back))))
                 (incf count (length back))))))
  (stream-shutdown stream)
  (assert (null (stream-read stream)))
  (stream-conn stream))

(defun client (context port)
  (with-handles ((first (connect "localhost" port :context context))
                 (session (conn-session (visit first)))
                 (second (connect "localhost" port :context context :session session)))
    (let ((conn (visit second)))
      (say "version=~A cipher=~A alpn=~A peer=~A resumed=~:[0~;1~] handshake_ms=~D,~D" (conn-version conn)
           (conn-cipher conn) (conn-alpn conn) (conn-peer-name conn) (conn-resumed conn)
           (conn-handshake-ms (stream-conn first)) (conn-handshake-ms conn)))))

(destructuring-bind (role ca identity &optional (port "0"))
    (member-if (lambda (word) (search word "server client")) (rest sb-ext:*posix-argv*))
  (handler-case
      (with-handles ((context (make-context role :ca-file ca :require-client-cert (string= role "server")
                                            :cert-file (unless (string= identity "-") (format nil "~A.pem" identity))
                                            :key-file (format nil "~A.key" identity)
                                            :min-version "TLSv1.3" :alpn-protocols '("h2" "http/1.1"))))
        (funcall (if (string= role "server") #'server #'client) context (parse-integer port)))
    (tlsshim-error (refusal) (say "refused=~A: ~A" (error-code refusal) refusal) (sb-ext:exit :code 1))))
