;;; COUNT=n resume.lisp: mutual TLS in memory, each connection but the first resumed by the client's cache.
(require :asdf)
(let ((*standard-output* (make-broadcast-stream))) (asdf:load-system "tlsshim"))
(defpackage #:resume (:use #:cl #:tlsshim))
(in-package #:resume)

(defparameter *times* (parse-integer (uiop:getenv "COUNT")))
(defparameter *ca* (ca "CN=loop"))
(defparameter *trust* (make-trust :cert (identity-cert *ca*)))
(defparameter *server*
  (make-context :server :identity (issue *ca* :names '("localhost")) :trust *trust* :require-client-cert t
                         :session-cache 64))
(defparameter *client*
  (make-context :client :identity (issue *ca* :subject "CN=client" :usage :client) :trust *trust* :session-cache 64))

(defun pump (from to)
  (loop for data = (conn-drain from) while (typep data 'vector) do (conn-feed to data)))

(defun visit ()
  (with-handles ((a (make-conn *client* "localhost")) (b (make-conn *server*)))
    (dotimes (n 4)
      (conn-handshake a) (pump a b)
      (conn-handshake b) (pump b a))
    (assert (eql 1 (conn-write b "x")))
    (pump b a)
    (assert (and (equalp (conn-read a) (octets "x")) (conn-verified b)))
    (and (conn-resumed a) (conn-resumed b))))

(defun resident ()
  #+sbcl (sb-ext:gc :full t)
  (with-open-file (status "/proc/self/status")
    (loop for line = (read-line status)
          when (eql 0 (search "VmRSS:" line)) return (parse-integer line :start 6 :junk-allowed t))))

(assert (not (visit)))
(loop repeat (floor *times* 10) do (assert (visit)))
(let ((live (live)) (before (resident)))
  (loop repeat *times* do (assert (visit)))
  (format t "resumed=~D leaked=~D grown_kb=~D cached=~D~%" (context-resumptions *server*) (- (live) live)
          (- (resident) before) (context-cache-entries *client*)))
