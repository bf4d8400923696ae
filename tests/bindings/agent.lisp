;;; AGENT_FD=n FOLDER=path COUNT=n agent.lisp: mutual TLS in memory, with both private keys behind a socket, while the
;;; collector works as hard as it can: it begins at every 256 KiB, and a thread of its own calls for it over and over.
(require :asdf)
(let ((*standard-output* (make-broadcast-stream))) (asdf:load-system "tlsshim"))
(defpackage #:agent (:use #:cl #:tlsshim))
(in-package #:agent)

(defparameter *times* (parse-integer (uiop:getenv "COUNT")))
(defparameter *folder* (uiop:getenv "FOLDER"))
(defparameter *agent* (adopt (parse-integer (uiop:getenv "AGENT_FD"))))
(defvar *signed* 0)
(defvar *collections* 0)
(defvar *ended* nil)

(defun big-endian (number)
  (loop for shift from 24 downto 0 by 8 collect (ldb (byte 8 shift) number)))

(defun request (&rest fields)
  (apply #'concatenate 'octet-vector (loop for field in (mapcar #'octets fields)
                                           collect (big-endian (length field)) collect field)))

(defun receive (count)
  (let ((found (make-array count :element-type '(unsigned-byte 8))))
    (loop with have = 0
          while (< have count)
          do (let ((part (stream-read *agent* :most (- count have))))
               (replace found part :start1 have)
               (incf have (length part))))
    found))

(defun signer (name)
  (list :sign (lambda (event)
                (incf *signed*)
                (stream-write *agent* (request name (event-scheme event) (event-message event)))
                (receive (reduce (lambda (sum octet) (+ (* 256 sum) octet)) (receive 4))))))

(defun path (name)
  (format nil "~A/~A.pem" *folder* name))

(defparameter *trust* (make-trust :file (path "root")))

(defun endpoint (role name)
  (make-context role :trust *trust* :identity (external-identity (load-cert-file (path name))) :events :sign
                     :require-client-cert (eq role :server) :session-cache (and (eq role :server) 64)))

(defparameter *client* (endpoint :client "client"))
(defparameter *server* (endpoint :server "server"))
(defparameter *at-client* (signer "client"))
(defparameter *at-server* (signer "server"))

(defun pump (from to)
  (loop for data = (conn-drain from) while data do (conn-feed to data)))

(defun visit ()
  (with-handles ((a (make-conn *client* "localhost")) (b (make-conn *server*)))
    (loop for done = (conn-handshake a *at-client*)
          do (pump a b)
             (setf done (and (eq t (conn-handshake b *at-server*)) (eq t done)))
             (pump b a)
          until done)
    (assert (eql 1 (conn-write b "x")))
    (pump b a)
    (assert (equalp (conn-read a) (octets "x")))
    (assert (and (conn-verified a) (conn-verified b) (not (conn-resumed a))))))

(defun collect ()
  (loop until *ended*
        do (sb-ext:gc :full (zerop (mod (incf *collections*) 20)))
           (sleep 0.001)))

(defun resident ()
  (sb-ext:gc :full t)
  (with-open-file (status "/proc/self/status")
    (loop for line = (read-line status)
          when (eql 0 (search "VmRSS:" line)) return (parse-integer line :start 6 :junk-allowed t))))

(setf (sb-ext:bytes-consed-between-gcs) (* 256 1024))
(let ((collector (sb-thread:make-thread #'collect)))
  (loop repeat 20 do (visit))
  (let ((live (live)) (before (resident)))
    (setf *signed* 0)
    (loop repeat *times* do (visit))
    (setf *ended* t)
    (sb-thread:join-thread collector)
    (format t "signed=~D collections=~D leaked=~D grown_kb=~D~%" *signed* *collections* (- (live) live)
            (- (resident) before))))
