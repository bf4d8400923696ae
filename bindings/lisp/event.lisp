;;; Events: what the host decides in the middle of a connection.
;;;
;;; A step that needs a decision returns :WANT-EVENT. CONN-EVENT is the question: its kind, details that are looked up
;;; when asked for, and the answers. Handlers, a plist of functions by kind, answer between two steps; Lisp calls them,
;;; never C, so they may signal, wait, and leave by a non-local exit: the event then still waits.

(in-package #:tlsshim)

(defun make-lock ()
  #+sbcl (sb-thread:make-mutex :name "tlsshim")
  #+ecl (mp:make-lock :name "tlsshim" :recursive t))

(defmacro with-lock ((lock) &body body)
  (declare (ignorable lock))
  #+sbcl `(sb-thread:with-recursive-lock (,lock) ,@body)
  #+ecl `(mp:with-lock (,lock) ,@body)
  #-(or sbcl ecl) `(progn ,@body))

(defclass conn (handle)
  ((handlers :initform nil :reader conn-handlers)
   (answering :initform (make-lock) :reader answering))
  (:documentation "The engine. HANDLERS answer what its steps ask; one thread answers while another waits."))

(defgeneric (setf conn-handlers) (handlers conn)
  (:documentation "A plist of functions by kind: (list :hello (lambda (event) ...) :verify ...)")
  (:method (handlers (conn conn))
    (loop for kind in handlers by #'cddr do (constant :event kind))
    (setf (slot-value conn 'handlers) handlers)))

(defclass event ()
  ((conn :initarg :conn :reader event-conn)
   (kind :initarg :kind :reader event-kind)
   (answered :initform nil :accessor event-answered)
   (details :initform '() :accessor details))
  (:documentation "What a connection asks. It takes one answer: EVENT-DONE, -ACCEPT, -REFUSE or -SIGN."))

(defmethod print-object ((event event) stream)
  (print-unreadable-object (event stream :type t)
    (format stream "~S~:[~; answered~]" (event-kind event) (event-answered event))))

(defun conn-event (conn)
  "What the connection asks; NIL when it asks nothing."
  (let ((number (checked (raw:conn-event (handle-number conn)))))
    (when number
      (make-instance 'event :conn conn
                            :kind (find number '(:hello :verify :certificate :session :keylog :sign)
                                        :key (lambda (kind) (constant :event kind)))))))

;;; Details are looked up once, while the event waits.

(defun detail (event name look)
  (let ((known (getf (details event) name event)))
    (cond ((not (eq known event)) known)
          ((event-answered event) nil)
          (t (setf (getf (details event) name) (funcall look (handle-number (event-conn event))))))))

(defmacro define-detail (name call &key (field name) (turn '#'cl:identity))
  `(defun ,(intern (format nil "EVENT-~A" name)) (event)
     (detail event ',name (lambda (conn)
                            (let ((found (output (,call conn (constant :detail ',field)))))
                              (and found (funcall ,turn found)))))))

(defun numbers-16 (octets)
  "Big-endian 16-bit numbers, as IANA gives them out."
  (loop for at from 0 below (1- (length octets)) by 2
        collect (+ (* 256 (aref octets at)) (aref octets (1+ at)))))

(defun split-text (text mark)
  (loop for start = 0 then (1+ end)
        for end = (position mark text :start start)
        for part = (subseq text start end)
        unless (string= part "") collect part
        while end))

(defun split-lines (text)
  (split-text text #\Newline))

(defun alpn-names (wire)
  (split-text (output (raw:alpn-decode wire)) #\,))

(define-detail server-name raw:conn-event-text)
(define-detail alpn raw:conn-event-bytes :turn #'alpn-names)
(define-detail versions raw:conn-event-bytes :turn #'numbers-16)
(define-detail ciphers raw:conn-event-bytes :turn #'numbers-16)
(define-detail groups raw:conn-event-bytes :turn #'numbers-16)
(define-detail signatures raw:conn-event-bytes :turn #'numbers-16)
(define-detail verify-code raw:conn-event-number)
(define-detail verify-text raw:conn-event-text :field verify-code)
(define-detail depth raw:conn-event-number)
(define-detail ca-names raw:conn-event-text :turn #'split-lines)
(define-detail keylog-line raw:conn-event-text)
(define-detail scheme raw:conn-event-text :field sign-scheme)
(define-detail digest raw:conn-event-text :field sign-digest)
(define-detail input raw:conn-event-bytes :field sign-input)
(define-detail message raw:conn-event-bytes :field sign-message)

(defun event-session (event)
  "Of a session event: the session that came."
  (detail event 'session (lambda (conn) (wrap 'session (raw:conn-take-session conn)))))

;;; Answers.

(defmacro define-answer (name (&rest more) documentation call)
  `(defun ,name (event ,@more)
     ,documentation
     (let ((conn (handle-number (event-conn event))))
       (declare (ignorable conn))
       (prog1 (done (if (event-answered event) raw:+e-state+ ,call))
         (setf (event-answered event) t)))))

(define-answer event-done ()
  "Goes on with what was chosen: :HELLO, :CERTIFICATE, :SESSION, :KEYLOG."
  (raw:conn-event-done conn))

(define-answer event-accept ()
  "A good judgement on the peer stands; after a bad one the next step fails all the same."
  (raw:conn-accept-peer conn))

(defun usual-alert (kind)
  "What a refusal tells the peer unless it is said: handshake_failure, certificate_unknown, internal_error."
  (case kind (:hello 40) (:verify 46) (t 80)))

(define-answer event-refuse (&optional (alert (usual-alert (event-kind event))))
  "The next step fails with E-VERDICT, and the peer is sent the alert."
  (raw:conn-refuse conn alert))

(define-answer event-sign (signature)
  "Gives the signature of a key that is elsewhere."
  (raw:conn-sign-with conn signature))

(defun event-use (event choice)
  "Records a choice, an identity or (for :HELLO) a context; EVENT-DONE then goes on with it."
  (let ((conn (handle-number (event-conn event)))
        (choice-number (handle-number choice)))
    (done (cond ((event-answered event) raw:+e-state+)
                ((typep choice 'tls-identity) (raw:conn-use-identity conn choice-number))
                (t (raw:conn-use-context conn choice-number))))))

;;; Handlers.

(defun conclude (event returned)
  "What a handler has left open follows from what it returned: an identity or a context to use, true for a peer that is
welcome, a signature. No word for a peer, and no signature, is a refusal."
  (unless (event-answered event)
    (ecase (event-kind event)
      (:verify (if returned (event-accept event) (event-refuse event)))
      (:sign (if returned (event-sign event returned) (event-refuse event)))
      ((:hello :certificate)
       (when returned (event-use event returned))
       (event-done event))
      ((:session :keylog) (event-done event)))))

(defun answer-event (conn)
  "True if a handler has answered, of this thread or of another."
  (when (conn-handlers conn)
    (with-lock ((answering conn))
      (let* ((event (conn-event conn))
             (handler (and event (getf (conn-handlers conn) (event-kind event)))))
        (when handler (conclude event (funcall handler event)))
        (or handler (null event))))))

(defun drive (conn step)
  (loop
    (multiple-value-bind (result output) (funcall step)
      (unless (and (eql result raw:+want-event+) conn (answer-event conn))
        (return (values result output))))))

(defmacro driving ((conn) call)
  "Makes a raw call, again and again while handlers answer what it asks."
  `(flet ((once () ,call))
     (declare (dynamic-extent #'once))
     (drive ,conn #'once)))
