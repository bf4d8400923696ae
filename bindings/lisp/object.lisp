;;; What all rooms share: conditions, constants by name, objects that own a handle.

(in-package #:tlsshim)

(defun bare (result)
  (- (logand (- result) 255)))

(defun keyword-of (name)
  (intern (substitute #\- #\_ name) :keyword))

(define-condition tlsshim-error (error)
  ((result :initarg :result :reader error-result)
   (code :initarg :code :reader error-code)
   (text :initarg :text :reader error-text))
  (:report (lambda (condition stream) (write-string (error-text condition) stream))))

(define-condition tlsshim-timeout (tlsshim-error)
  ((written :initarg :written :initform 0 :reader error-written))
  (:documentation "The time ran out; nothing is lost. WRITTEN is how much a write took."))

(define-condition tlsshim-transport-error (tlsshim-error) ())
(define-condition tlsshim-peer-error (tlsshim-error) ())

(defun condition-type (bare)
  (cond ((member bare (list raw:+timeout+ raw:+e-deadline+)) 'tlsshim-timeout)
        ((<= raw:+e-closed+ bare raw:+e-resolve+) 'tlsshim-transport-error)
        ((<= raw:+e-negotiation+ bare raw:+e-protocol+) 'tlsshim-peer-error)
        (t 'tlsshim-error)))

(defun fail (result &rest more)
  "NIL for a value that does not exist, a keyword for a call that has to wait; else signals."
  (let ((bare (bare result)))
    (cond ((= bare raw:+none+) nil)
          ((and (> bare raw:+none+) (/= bare raw:+timeout+)) (keyword-of (nth-value 1 (raw:error-name result))))
          (t (apply #'error (condition-type bare)
                    :result result
                    :code (keyword-of (nth-value 1 (raw:error-name result)))
                    :text (nth-value 1 (raw:error-text result))
                    more)))))

(defun checked (result)
  (if (minusp result) (fail result) result))

(defun done (result)
  (if (minusp result) (fail result) t))

(defun flag (result)
  (if (minusp result) (fail result) (plusp result)))

(defmacro output (call)
  "The second value of a raw call."
  `(multiple-value-bind (result output) ,call
     (if (minusp result) (fail result) output)))

(defmacro received (call)
  "The octets of a raw call; NIL at the clean end."
  `(multiple-value-bind (result output) ,call
     (cond ((minusp result) (fail result))
           ((plusp result) output))))

;;; Constants: (constant :role :server) is +ROLE-SERVER+.

(defun constant (group name)
  (let ((symbol (find-symbol (substitute #\- #\. (format nil "+~:@(~A-~A~)+" group name)) '#:tlsshim.raw)))
    (if symbol (symbol-value symbol) (error "unknown ~(~A~) ~S" group name))))

(defun listed (values)
  (if (listp values) values (list values)))

(defun mask (group names)
  (reduce #'+ (listed names) :key (lambda (name) (constant group name))))

(defun alpn-wire (protocols)
  (if protocols (output (raw:alpn-encode (format nil "~{~A~^,~}" protocols))) (octets "")))

(defun milliseconds (seconds)
  (ceiling (* (rational seconds) 1000)))

(defun error-number (condition field)
  "A number of the error's record: :DEPTH, :ALERT, :ERRNO, :VERIFY-CODE..."
  (output (raw:error-number (error-result condition) (constant :error field))))

(defun error-part (condition field)
  "A text of the error's record: :SUBJECT, :ISSUER, :NAMES, :WANTED-NAME, :REASON..."
  (output (raw:error-part (error-result condition) (constant :error field))))

;;; Dates are universal times.

(defconstant +epoch+ 2208988800)

(defun date (seconds)
  (+ seconds +epoch+))

(defun seconds-of (date)
  (- date +epoch+))

;;; Objects.

(defclass handle ()
  ((number :initform 0 :accessor handle-number))
  (:documentation "An object of the library, by its handle; 0 once closed."))

(defun guard (object number)
  #+sbcl (sb-ext:finalize object (lambda () (raw:close number)) :dont-save t)
  #+ecl (ext:set-finalizer object (lambda (object) (declare (ignore object)) (raw:close number)))
  #-(or sbcl ecl) (progn object number))

(defun unguard (object)
  #+sbcl (sb-ext:cancel-finalization object)
  #+ecl (ext:set-finalizer object nil)
  #-(or sbcl ecl) object)

(defun wrap (class number)
  "An object of CLASS that owns the handle."
  (if (minusp number)
      (fail number)
      (let ((object (make-instance class)))
        (setf (handle-number object) number)
        (guard object number)
        object)))

(defgeneric close-handle (object)
  (:documentation "Closes it, at once and without a word to a peer; a second time does nothing.")
  (:method ((object handle))
    (let ((number (shiftf (handle-number object) 0)))
      (unless (zerop number)
        (unguard object)
        (raw:close number))
      t)))

(defun closed-p (object)
  (zerop (handle-number object)))

(defun memory (object)
  (checked (raw:memory (handle-number object))))

(defmacro with-handles (bindings &body body)
  "Like LET*; closes what was bound, last first, when control leaves."
  (if (null bindings)
      `(progn ,@body)
      (destructuring-bind ((variable form) &rest others) bindings
        `(let ((,variable nil))
           (unwind-protect (progn (setf ,variable ,form) (with-handles ,others ,@body))
             (when ,variable (close-handle ,variable)))))))

(defmacro define-kinds (&rest names)
  `(progn ,@(loop for name in names collect `(defclass ,name (handle) ()))))

(define-kinds key cert tls-identity template trust context session)

(defmacro define-fields (kind call names &optional (turn '#'cl:identity))
  "Defines KIND-NAME for each name: what CALL says about the field, or NIL."
  `(progn
     ,@(loop for name in names
             collect `(defun ,(intern (format nil "~A-~A" kind name)) (,kind)
                        (let ((found (output (,call (handle-number ,kind) (constant ',kind ',name)))))
                          (and found (funcall ,turn found)))))))

;;; The library.

(defun version (&optional (what :shim))
  "What: :SHIM, :BUILT-WITH, :LOADED, :SYSTEM-TRUST."
  (output (raw:version (constant :version what))))

(defun has (feature)
  (flag (raw:has feature)))

(defun live (&optional kind)
  "Counts the open handles in this process, for leak tests."
  (checked (raw:live (if kind (constant :kind kind) 0))))
