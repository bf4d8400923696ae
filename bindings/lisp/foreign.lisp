;;; What the generated raw calls are made of: the library, arguments, rooms for outputs.

(defpackage #:tlsshim.foreign
  (:use #:cl)
  (:export #:define-call #:made-for #:library-path #:octets #:octet-vector #:uninterrupted))

(in-package #:tlsshim.foreign)

;;; The library: what TLSSHIM_LIBRARY names, else beside this system, else where the loader looks.

(defparameter *name* "libtlsshim.so.1")

(defun library-path ()
  (let ((named (uiop:getenvp "TLSSHIM_LIBRARY"))
        (beside (asdf:system-relative-pathname "tlsshim" *name*)))
    (cond (named)
          ((probe-file beside) (uiop:native-namestring beside))
          (t *name*))))

(defvar *library* nil)

(defun load-library ()
  (setf *library* (cffi:load-foreign-library (library-path))))

(eval-when (:load-toplevel :execute)
  (load-library))

(defun made-for (number)
  "Refuses a library of another ABI than the one that the calls were made for."
  (let ((found (cffi:foreign-funcall "tlsshim_abi_version" :int32)))
    (unless (= found number)
      (error "tlsshim.raw was made for ABI ~D, the library found (~A) has ABI ~D" number (library-path) found))))

;;; Arguments.

(deftype octet-vector () '(simple-array (unsigned-byte 8) (*)))

(defun octets (data)
  "DATA, octets or a string, as the octets that cross into C."
  (etypecase data
    (octet-vector data)
    (string (babel:string-to-octets data :encoding :utf-8))
    (vector (coerce data 'octet-vector))))

(defun path-octets (path)
  (octets (if (pathnamep path) (uiop:native-namestring path) path)))

(declaim (inline new-room))
(defun new-room (cap)
  (make-array (max cap 1) :element-type '(unsigned-byte 8)))

;;; Outputs; nil where the result says that there is none.

(declaim (inline octets-out))
(defun octets-out (room result length)
  (declare (type octet-vector room) (type (signed-byte 32) result length))
  (cond ((minusp result) nil)
        ((= length (length room)) room)
        (t (subseq room 0 length))))

(defun secret-out (room result length)
  (declare (type octet-vector room) (type (signed-byte 32) result length))
  (let ((found (unless (minusp result) (subseq room 0 length))))
    (fill room 0)
    found))

(defun text-out (room result length)
  (declare (type octet-vector room) (type (signed-byte 32) result length))
  (unless (minusp result)
    (babel:octets-to-string room :end length :encoding :utf-8 :errorp nil)))

(defun pairs-out (pointer result)
  (unless (minusp result)
    (loop for i below (* 2 result) collect (cffi:mem-aref pointer :int64 i))))

(declaim (inline number-out))
(defun number-out (number result)
  ;; A flow result, but NONE (-8), is no error: outputs of a number come with it.
  (if (and (> result -16) (/= result -8)) number nil))

;;; A call is never left in the middle: an interrupt that unwinds would leave a lock behind in C. Waits are therefore
;;; not interruptible here; who wants them so waits in short slices.

(defmacro uninterrupted (&body body)
  #+sbcl `(sb-sys:without-interrupts ,@body)
  #+ecl `(mp:without-interrupts ,@body)
  #-(or sbcl ecl) `(progn ,@body))

(defconstant +small+ 512)

(eval-when (:compile-toplevel :load-toplevel :execute)
  (defun own (format &rest arguments)
    (make-symbol (apply #'format nil format arguments)))

  (defun cap-name (name)
    (intern (format nil "~A-CAP" name) (symbol-package name)))

  (defun out-form (content room result length)
    (ecase content
      (:bytes `(octets-out ,room ,result ,length))
      (:secret `(secret-out ,room ,result ,length))
      (:text `(text-out ,room ,result ,length))))

  (defun expand-argument (argument result)
    "What one argument adds: lambda list, checks, a function that wraps the call, what is passed, what is returned."
    (destructuring-bind (name role type) argument
      (let ((pointer (own "~A-POINTER" name)))
        (ecase role
          (:value
           (list :lambda-list (list name)
                 :checks (list `(check-type ,name (signed-byte ,(ecase type (:int32 32) (:int64 64)))))
                 :passed (list type name)))
          (:in
           (list :lambda-list (list name)
                 :bindings (list `(,name (,(if (eq type :path) 'path-octets 'octets) ,name)))
                 :declarations (list `(type octet-vector ,name))
                 :wrap (lambda (call) `(cffi:with-pointer-to-vector-data (,pointer ,name) ,call))
                 :passed (list :pointer pointer :int32 `(length ,name))))
          (:whole
           (list :bindings (list `(,name (new-room +small+)))
                 :declarations (list `(type octet-vector ,name))
                 :wrap (lambda (call) `(cffi:with-pointer-to-vector-data (,pointer ,name) ,call))
                 :passed (list :pointer pointer :int32 `(length ,name))
                 :again (list `(> ,result (length ,name)) `(setf ,name (new-room ,result)))
                 :returned (list (out-form type name result result))))
          ((:stream :fill)
           (let ((cap (cap-name name)))
             (list :lambda-list (list cap)
                   :checks (list `(check-type ,cap (signed-byte 32)))
                   :bindings (list `(,name (new-room ,cap)))
                   :declarations (list `(type octet-vector ,name))
                   :wrap (lambda (call) `(cffi:with-pointer-to-vector-data (,pointer ,name) ,call))
                   :passed (list :pointer pointer :int32 cap)
                   :returned (list (out-form type name result (if (eq role :fill) `(max ,cap 0) result))))))
          (:pairs
           (let ((cap (cap-name name)))
             (list :lambda-list (list cap)
                   :checks (list `(check-type ,cap (signed-byte 32)))
                   :around (lambda (body)
                             `(cffi:with-foreign-object (,pointer :int64 (* 2 (max ,cap 1))) ,body))
                   :passed (list :pointer pointer :int32 cap)
                   :returned (list `(pairs-out ,pointer ,result)))))
          (:output
           (list :around (lambda (body) `(cffi:with-foreign-object (,pointer ,type) ,body))
                 :before (list `(setf (cffi:mem-ref ,pointer ,type) 0))
                 :passed (list :pointer pointer)
                 :returned (list `(number-out (cffi:mem-ref ,pointer ,type) ,result)))))))))

(defmacro define-call (name (symbol returns) arguments documentation)
  "Defines the raw function NAME: inputs in C order, capacities in the place of stream and fill outputs; it returns the
result and each output."
  (let* ((result (own "RESULT"))
         (parts (mapcar (lambda (argument) (expand-argument argument result)) arguments)))
    (flet ((all (key) (mapcan (lambda (part) (copy-list (getf part key))) parts))
           (wrap (key form)
             (reduce (lambda (part inner) (if (getf part key) (funcall (getf part key) inner) inner))
                     parts :from-end t :initial-value form)))
      (let* ((call `(uninterrupted ,(wrap :wrap `(cffi:foreign-funcall ,symbol ,@(all :passed) ,returns))))
             (again (all :again))
             (asked (if again
                        `(loop
                           (setf ,result ,call)
                           (unless ,(first again) (return))
                           ,(second again))
                        `(setf ,result ,call))))
        `(defun ,name ,(all :lambda-list)
           ,documentation
           ,@(all :checks)
           (let ,(all :bindings)
             (declare ,@(all :declarations))
             ,(wrap :around
                    `(let ((,result 0))
                       (declare (type (signed-byte ,(ecase returns (:int32 32) (:int64 64))) ,result))
                       ,@(all :before)
                       ,asked
                       (values ,result ,@(all :returned))))))))))
