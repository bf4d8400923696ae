;;; The work of bench/plain from Lisp: the environment names the COMMAND and options, amounts come on standard input.
;;;   bulk       raw layer: conn-seal and conn-open on octet vectors, a fresh vector for each output
;;;   buffers    the same functions by CFFI, on vectors that are kept
;;;   sockets    stream-write and stream-read-into over a socketpair
;;;   clssl      cl+ssl over the same
(require :asdf)

(defun option (key otherwise)
  (let ((named (uiop:getenvp (format nil "BENCH_~:@(~A~)" key))))
    (or named otherwise)))

(defvar *command* (option "command" "bulk"))

(handler-bind ((warning #'muffle-warning))
  (let ((*standard-output* (make-broadcast-stream)) (*error-output* (make-broadcast-stream)))
    (asdf:load-system (cond ((string= *command* "clssl") "cl+ssl")
                            ((string= *command* "sockets") "tlsshim")
                            (t "tlsshim/raw")))
    (require :sb-bsd-sockets)))

(defpackage #:bench-host (:use #:cl))
(in-package #:bench-host)
(declaim (optimize speed))

(deftype octets () '(simple-array (unsigned-byte 8) (*)))
(defconstant +room+ 17000)
(defvar *size* (parse-integer (cl-user::option "size" "16384")))
(defvar *suite* (cl-user::option "suite" "TLS_AES_256_GCM_SHA384"))
(defvar *message* (make-array *size* :element-type '(unsigned-byte 8) :initial-element 120))

(defun certs (name)
  (format nil "~A/~A" (uiop:getenv "BENCH_CERTS") name))

(defmacro raw (name &rest arguments)
  `(funcall (the function (symbol-function (load-time-value (find-symbol ,(symbol-name name) "TLSSHIM.RAW"))))
            ,@arguments))

(defun constant (name)
  (symbol-value (or (find-symbol name "TLSSHIM.RAW") (error "no ~A" name))))

(defun must (result)
  (if (minusp result) (error "~A" (nth-value 1 (raw error-text result))) result))

(defun contexts ()
  (let ((trust (must (raw trust-new)))
        (client (must (raw context-new (constant "+ROLE-CLIENT+"))))
        (server (must (raw context-new (constant "+ROLE-SERVER+")))))
    (must (raw trust-add-file trust (certs "ca.pem")))
    (must (raw context-set-trust client trust))
    (must (raw context-add-identity server
               (must (raw identity-new (must (raw cert-load-file (certs "server.pem")))
                          (must (raw key-load-file (certs "server.key") ""))))
               ""))
    (dolist (context (list client server))
      (must (raw context-set-ciphersuites context *suite*))
      (must (raw context-set-memory context (constant "+POLICY-BUSY-FAST+"))))
    (values client server)))

(defvar *client*)
(defvar *server*)

(defun pass (from to)
  (raw conn-handshake from)
  (multiple-value-bind (count bytes) (raw conn-drain from 65536)
    (when (plusp (must count)) (must (raw conn-feed to bytes)))))

(defun connect-memory ()
  (multiple-value-bind (client server) (contexts)
    (setf *client* (must (raw conn-new client "localhost")) *server* (must (raw conn-new server "")))
    (loop repeat 4 do (pass *client* *server*) (pass *server* *client*))
    (let ((bytes (nth-value 1 (raw conn-seal *server* "x" 65536))))
      (must (raw conn-open *client* bytes 1)))))

(defun bulk (amount)
  (declare (type fixnum amount) (type octets *message*))
  (loop with size = *size* and client = *client* and server = *server*
        repeat amount
        do (let ((bytes (nth-value 1 (raw conn-seal client *message* +room+))))
             (unless (= (the fixnum (raw conn-open server bytes size)) (the fixnum size)) (error "bytes were lost")))))

(defun buffers (amount)
  (declare (type fixnum amount))
  (let ((size *size*) (client *client*) (server *server*) (message *message*)
        (wire (make-array +room+ :element-type '(unsigned-byte 8)))
        (back (make-array *size* :element-type '(unsigned-byte 8)))
        (taken (make-array 1 :element-type '(signed-byte 32))))
    (declare (type fixnum size) (type (signed-byte 64) client server) (type octets message wire back))
    (sb-sys:with-pinned-objects (message wire back taken)
      (let ((from (sb-sys:vector-sap message)) (between (sb-sys:vector-sap wire)) (to (sb-sys:vector-sap back))
            (used (sb-sys:vector-sap taken)))
        (loop repeat amount
              do (let ((sealed (cffi:foreign-funcall "tlsshim_conn_seal" :int64 client :pointer from :int32 size
                                                     :pointer between :int32 +room+ :pointer used :int32)))
                   (unless (= size (cffi:foreign-funcall "tlsshim_conn_open" :int64 server :pointer between
                                                         :int32 sealed :pointer to :int32 size :pointer used :int32))
                     (error "bytes were lost"))))))))

;;; Over a socketpair, both ends in this thread.

(defun socket-pair ()
  (let ((fds (make-array 2 :element-type '(signed-byte 32))))
    (sb-sys:with-pinned-objects (fds)
      (unless (zerop (sb-alien:alien-funcall
                      (sb-alien:extern-alien "socketpair" (function sb-alien:int sb-alien:int sb-alien:int sb-alien:int
                                                                    sb-sys:system-area-pointer))
                      1 1 0 (sb-sys:vector-sap fds)))
        (error "no socketpair")))
    (values (aref fds 0) (aref fds 1))))

(defun per-turn ()
  (max 1 (min 32 (floor 32768 *size*))))

(defmacro layer (name &rest arguments)
  `(funcall (the function (symbol-function (load-time-value (find-symbol ,(symbol-name name) "TLSSHIM"))))
            ,@arguments))

(defun connect-sockets ()
  (multiple-value-bind (one other) (socket-pair)
    (multiple-value-bind (client server) (contexts)
      (flet ((adopt (fd context name)
               (layer wrap (find-symbol "TLS-STREAM" "TLSSHIM")
                      (must (raw stream-adopt fd context name (constant "+FD-KEEP+"))))))
        (setf *client* (adopt one client "localhost") *server* (adopt other server "")))
      (loop until (let ((done (layer stream-handshake *client* 0)))
                    (and (eq (layer stream-handshake *server* 0) t) (eq done t))))
      (layer stream-write *server* "x")
      (layer stream-read *client*))))

(defun sockets (amount)
  (let ((back (make-array 16384 :element-type '(unsigned-byte 8))))
    (loop while (plusp amount)
          do (let ((turn (min amount (per-turn))))
               (loop repeat turn
                     do (unless (= (layer stream-write *client* *message*) *size*) (error "a message was cut")))
               (loop with left = (* turn *size*)
                     while (plusp left)
                     do (decf left (layer stream-read-into *server* back)))
               (decf amount turn)))))

(defun clssl (name &rest arguments)
  (apply (find-symbol name "CL+SSL") arguments))

(defun connect-clssl ()
  (multiple-value-bind (one other) (socket-pair)
    (let* ((context (clssl "MAKE-CONTEXT" :verify-mode (symbol-value (find-symbol "+SSL-VERIFY-NONE+" "CL+SSL"))))
           (thread (sb-thread:make-thread
                    (lambda ()
                      (progv (list (find-symbol "*SSL-GLOBAL-CONTEXT*" "CL+SSL")) (list context)
                        (clssl "MAKE-SSL-SERVER-STREAM" other :certificate (certs "server.pem")
                                                              :key (certs "server.key")))))))
      (progv (list (find-symbol "*SSL-GLOBAL-CONTEXT*" "CL+SSL")) (list context)
        (setf *client* (clssl "MAKE-SSL-CLIENT-STREAM" one :hostname "localhost" :verify nil)))
      (setf *server* (sb-thread:join-thread thread))
      (write-byte 120 *server*)
      (force-output *server*)
      (read-byte *client*))))

(defun clssl-sockets (amount)
  (let ((back (make-array *size* :element-type '(unsigned-byte 8))))
    (loop while (plusp amount)
          do (let ((turn (min amount (per-turn))))
               (loop repeat turn
                     do (write-sequence *message* *client*)
                        (force-output *client*))
               (loop repeat turn
                     do (unless (= (read-sequence back *server*) *size*) (error "bytes were lost")))
               (decf amount turn)))))

(defun main (command)
  (let ((work (cond ((string= command "bulk") (connect-memory) #'bulk)
                    ((string= command "buffers") (connect-memory) #'buffers)
                    ((string= command "sockets") (connect-sockets) #'sockets)
                    ((string= command "clssl") (connect-clssl) #'clssl-sockets)
                    (t (error "no command ~A" command)))))
    (loop for line = (read-line *standard-input* nil)
          while line
          do (let ((wall (get-internal-real-time)) (cpu (get-internal-run-time)))
               (funcall work (parse-integer line))
               (format t "~,9F ~,9F~%"
                       (/ (- (get-internal-run-time) cpu) (float internal-time-units-per-second 1d0))
                       (/ (- (get-internal-real-time) wall) (float internal-time-units-per-second 1d0)))
               (force-output)))))

(main cl-user::*command*)
(uiop:quit 0)
