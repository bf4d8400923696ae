;;; Streams and listeners. Times are seconds, by default those of the object (30).

(in-package #:tlsshim)

(defclass waiter (handle)
  ((timeout :initform 30 :accessor timeout)))

(defclass tls-stream (waiter)
  ((conn :initform nil :accessor engine)))

(defclass listener (waiter) ())

(defmethod close-handle :before ((stream tls-stream))
  (when (engine stream) (close-handle (engine stream))))

;;; A foreign call is not interruptible. Waits are therefore a row of short ones, with room for interrupts between, so
;;; that timeouts and interrupts of the Lisp work as elsewhere.

(defconstant +slice+ 40)

(defun call-in-slices (waiter seconds call)
  "Calls CALL with milliseconds until its result is not TIMEOUT, or the time has run out."
  (let* ((seconds (or seconds (timeout waiter)))
         (end (+ (get-internal-real-time) (ceiling (* (rational seconds) internal-time-units-per-second)))))
    (loop
      (let* ((left (- end (get-internal-real-time)))
             (ms (max 0 (ceiling (* left 1000) internal-time-units-per-second)))
             (lastp (<= ms +slice+)))
        (multiple-value-bind (result output) (funcall call (if (eql seconds 0) 0 (max 1 (min ms +slice+))))
          (when (or lastp (/= result raw:+timeout+))
            (return (values result output))))))))

(defmacro in-slices ((ms waiter seconds) call)
  `(call-in-slices ,waiter ,seconds (lambda (,ms) ,call)))

(defmacro driven-in-slices ((ms stream seconds) call)
  "Handlers answer what the call asks; after an answer it has the whole time again."
  `(driving ((engine ,stream)) (in-slices (,ms ,stream ,seconds) ,call)))

(defun context-number (context)
  (if context (handle-number context) 0))

(defun connect (host port &key context (timeout 30) session server-name verify-name handlers)
  "Connects and shakes hands, all within the time; without a context the stream is plain. With timeout 0 the stream
comes at once and goes on connecting in its calls, which do not wait either. HANDLERS are as in STREAM-HANDSHAKE."
  (let ((stream (wrap 'tls-stream (raw:stream-connect host port (context-number context) 0)))
        (connected nil))
    (unwind-protect
         (let ((conn (stream-conn stream)))
           (setf (timeout stream) timeout)
           (when server-name (conn-set-server-name conn server-name))
           (when verify-name (conn-set-verify-name conn verify-name))
           (when session (conn-set-session conn session))
           (when handlers (setf (conn-handlers conn) handlers))
           (unless (eql timeout 0) (stream-handshake stream))
           (setf connected t)
           stream)
      (unless connected (close-handle stream)))))

(defun adopt (fd &key context (peer-name "") take)
  "Makes a stream of a connected socket; with TAKE the stream closes it."
  (wrap 'tls-stream
        (raw:stream-adopt fd (context-number context) peer-name (if take raw:+fd-take+ raw:+fd-keep+))))

(defun stream-start-tls (stream context &optional (peer-name "") (already-read ""))
  (done (raw:stream-start-tls (handle-number stream) (handle-number context) peer-name already-read)))

(defun stream-conn (stream)
  "Its engine, for questions; NIL of a plain stream; closed with the stream."
  (or (engine stream)
      (setf (engine stream) (wrap 'conn (raw:stream-conn (handle-number stream))))))

(defun stream-handshake (stream &optional timeout handlers)
  "With HANDLERS, a plist of functions by kind of event, these answer what this call and later ones ask. Their time is
their own: each step after an answer has the whole timeout again."
  (let ((conn (stream-conn stream)))
    (when (and handlers conn) (setf (conn-handlers conn) handlers)))
  (done (driven-in-slices (ms stream timeout) (raw:stream-handshake (handle-number stream) ms))))

(defun stream-read (stream &key (most +piece+) timeout)
  "What has come, as soon as there is anything; NIL at the peer's clean end."
  (received (driven-in-slices (ms stream timeout) (raw:stream-read (handle-number stream) most ms))))

(defun read-into (number vector start end ms)
  (declare (type octet-vector vector) (type (signed-byte 32) start end ms))
  (uninterrupted
    (cffi:with-pointer-to-vector-data (pointer vector)
      (cffi:foreign-funcall "tlsshim_stream_read" :int64 number :pointer (cffi:inc-pointer pointer start)
                                                  :int32 (- end start) :int64 ms :int32))))

(defun stream-read-into (stream vector &key (start 0) (end (length vector)) timeout)
  "As STREAM-READ, into a part of VECTOR, an OCTET-VECTOR that the caller keeps: how many octets that are."
  (check-type vector octet-vector)
  (unless (<= 0 start end (length vector))
    (error "~D..~D is no part of a vector of ~D octets" start end (length vector)))
  (let ((count (checked (in-slices (ms stream timeout) (read-into (handle-number stream) vector start end ms)))))
    (and (plusp count) count)))

(defun stream-write (stream data &key timeout)
  "Sends all of DATA; if the time does not suffice, the condition says how much was WRITTEN. With a timeout of 0 it
returns how much was taken, or a keyword."
  (let* ((data (octets data))
         (written 0)
         (result (driven-in-slices (ms stream timeout)
                   (let ((taken (raw:stream-write (handle-number stream)
                                                  (if (zerop written) data (subseq data written)) ms)))
                     (when (plusp taken) (incf written taken))
                     (if (and (plusp taken) (< written (length data))) raw:+timeout+ taken)))))
    (cond ((= written (length data)) written)
          ((and (eql (or timeout (timeout stream)) 0) (plusp written)) written)
          ((= result raw:+timeout+) (fail result :written written))
          (t (fail result)))))

(defconstant +all+ (1- (expt 2 53)) "Bytes of a file.")

(defun stream-sendfile (stream fd &key (offset 0) (count +all+) timeout)
  "Sends bytes of an open file, a descriptor's number: COUNT of them, or to its end. Returns how many were taken: fewer
where the file or the time ends before, 0 at the end of the file; with a timeout of 0 perhaps a keyword."
  (let* ((sent 0)
         (result (driven-in-slices (ms stream timeout)
                   (let ((taken (raw:stream-sendfile (handle-number stream) fd (+ offset sent) (- count sent) ms)))
                     (when (plusp taken) (incf sent taken))
                     (if (and (plusp taken) (< sent count)) raw:+timeout+ taken)))))
    (if (plusp sent) sent (checked result))))

(defun stream-flush (stream &optional timeout)
  (done (driven-in-slices (ms stream timeout) (raw:stream-flush (handle-number stream) ms))))

(defun stream-shutdown (stream &optional timeout)
  "Says goodbye; reading goes on."
  (done (driven-in-slices (ms stream timeout) (raw:stream-shutdown (handle-number stream) ms))))

(defun stream-fd (stream)
  (checked (raw:stream-fd (handle-number stream))))

(defun stream-wants (stream)
  (checked (raw:stream-wants (handle-number stream))))

(define-fields stream raw:stream-text (peer-address local-address))
(define-fields stream raw:stream-number (peer-port local-port))
(define-fields stream raw:stream-number (tls) #'plusp)

(defun make-listener (&optional (host "") (port 0) (backlog 0))
  "Port 0 is any that is free, host \"\" all addresses."
  (wrap 'listener (raw:listener-new host port backlog)))

(defun listener-port (listener)
  (checked (raw:listener-port (handle-number listener))))

(defun listener-accept (listener &key context timeout)
  "The next stream. It has not shaken hands: reads, writes or handshake do that."
  (wrap 'tls-stream
        (in-slices (ms listener timeout)
          (raw:listener-accept (handle-number listener) (context-number context) ms))))
