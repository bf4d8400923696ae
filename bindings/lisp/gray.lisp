;;; Streams of octets that Lisp's own functions read and write: READ-BYTE, READ-SEQUENCE, WRITE-SEQUENCE, CLOSE. What
;;; wants characters (flexi-streams, HTTP libraries) stands on them.

(in-package #:tlsshim)

(defconstant +buffer+ 16384)

(defclass octet-stream (#+sbcl sb-gray:fundamental-binary-input-stream #+ecl gray:fundamental-binary-input-stream
                        #+sbcl sb-gray:fundamental-binary-output-stream #+ecl gray:fundamental-binary-output-stream)
  ((under :initarg :under :reader octet-stream-under)
   (in :initform (octets "") :accessor in)
   (start :initform 0 :accessor start)
   (out :initform (make-array +buffer+ :element-type '(unsigned-byte 8)) :reader out)
   (fill :initform 0 :accessor out-fill))
  (:documentation "Octets over a TLS-STREAM; closing it says goodbye and closes that too."))

(defun make-octet-stream (stream)
  (make-instance 'octet-stream :under stream))

(defun more (stream)
  "Whether there are octets to give; waits for some. What was written goes out first: the peer may wait for it."
  (or (< (start stream) (length (in stream)))
      (progn
        (send stream)
        (let ((octets (stream-read (octet-stream-under stream))))
          (setf (in stream) (or octets (octets ""))
                (start stream) 0)
          (and octets t)))))

(defun send (stream)
  (let ((count (shiftf (out-fill stream) 0)))
    (when (plusp count)
      (stream-write (octet-stream-under stream) (subseq (out stream) 0 count)))))

(defmacro define-gray (name arguments &body body)
  "A method of the Gray protocol, wherever the implementation keeps it."
  `(defmethod ,(find-symbol (symbol-name name) #+sbcl '#:sb-gray #+ecl '#:gray) ((stream octet-stream) ,@arguments)
     ,@body))

(define-gray stream-element-type () '(unsigned-byte 8))

(define-gray stream-read-byte ()
  (if (more stream)
      (prog1 (aref (in stream) (start stream)) (incf (start stream)))
      :eof))

(define-gray stream-listen ()
  (or (< (start stream) (length (in stream)))
      (let ((conn (stream-conn (octet-stream-under stream))))
        (and conn (plusp (conn-pending conn))))))

(defun read-buffered (stream sequence from to)
  "How many octets of the buffer went into the sequence; NIL at the end."
  (when (more stream)
    (let ((count (min (- to from) (- (length (in stream)) (start stream)))))
      (replace sequence (in stream) :start1 from :end1 (+ from count) :start2 (start stream))
      (incf (start stream) count)
      count)))

(defun read-straight (stream sequence from to)
  "The same past the buffer, which is empty."
  (send stream)
  (stream-read-into (octet-stream-under stream) sequence :start from :end to))

(define-gray stream-read-sequence (sequence &optional (from 0) to)
  (loop with to = (or to (length sequence))
        while (< from to)
        do (let ((count (if (and (typep sequence 'octet-vector)
                                 (>= (- to from) +buffer+)
                                 (= (start stream) (length (in stream))))
                            (read-straight stream sequence from to)
                            (read-buffered stream sequence from to))))
             (if count (incf from count) (return))))
  from)

(define-gray stream-write-byte (octet)
  (when (= (out-fill stream) +buffer+) (send stream))
  (setf (aref (out stream) (out-fill stream)) octet)
  (incf (out-fill stream))
  octet)

(define-gray stream-write-sequence (sequence &optional (from 0) to)
  (let ((to (or to (length sequence))))
    (cond ((> (- to from) (- +buffer+ (out-fill stream)))
           (send stream)
           (stream-write (octet-stream-under stream) (coerce (subseq sequence from to) 'octet-vector)))
          (t
           (replace (out stream) sequence :start1 (out-fill stream) :start2 from :end2 to)
           (incf (out-fill stream) (- to from)))))
  sequence)

(define-gray stream-force-output () (send stream))
(define-gray stream-finish-output ()
  (send stream)
  (stream-flush (octet-stream-under stream)))

(defmethod #+sbcl close #+ecl gray:close ((stream octet-stream) &key abort)
  (let ((under (octet-stream-under stream)))
    (unless (closed-p under)
      (unwind-protect
           (unless abort
             (send stream)
             (stream-shutdown under))
        (close-handle under))))
  (call-next-method))
