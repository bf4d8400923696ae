;;; How the scenarios tell what happens: the same lines in every language.
(require :asdf)
(let ((*standard-output* (make-broadcast-stream)) (*error-output* (make-broadcast-stream)))
  (handler-bind ((warning #'muffle-warning)) (asdf:load-system "tlsshim")))
(defpackage #:layer (:use #:cl #:tlsshim))
(in-package #:layer)

(defun name-of (keyword)
  (substitute #\_ #\- (symbol-name keyword)))

(defun show (value)
  (typecase value
    (null "none")
    ((eql t) "yes")
    ((eql :no) "no")
    (keyword (name-of value))
    (string value)
    (octet-vector (map 'string #'code-char value))
    (list (format nil "~{~A~^ ~}" value))
    (tlsshim-error (format nil "~A: ~A" (name-of (error-code value)) value))
    (t (princ-to-string value))))

(defun say (title &rest values)
  (format t "~A~{ | ~A~}~%" title (mapcar #'show values))
  (finish-output))

(defun truth (value)
  (if value t :no))

(defmacro error-of (&body body)
  "The condition, or the keyword of what has to come first, or NIL."
  `(handler-case (let ((answer (progn ,@body))) (and (keywordp answer) answer))
     (tlsshim-error (condition) condition)))

;;; A wait is a keyword here; elsewhere it comes with the sentence that the raw layer has for it.
(defun sentence (answer)
  (if (keywordp answer)
      (let ((value (symbol-value (find-symbol (format nil "+~A+" (symbol-name answer)) '#:tlsshim.raw))))
        (format nil "~A: ~A" (name-of answer) (nth-value 1 (tlsshim.raw:error-text value))))
      answer))

(defmacro refused (title &body body)
  `(say ,title (or (sentence (error-of ,@body)) "was not refused")))

(defmacro raised (title &body body)
  `(say ,title (handler-case (progn ,@body "was not raised")
                 (tlsshim-error () "refused")
                 (error () "raised"))))

(defmacro named (title word &body body)
  "What is signalled says what was wrong."
  `(say ,title (handler-case (progn ,@body "was not raised")
                 (error (condition)
                   (if (search ,word (princ-to-string condition) :test #'char-equal)
                       ,word
                       (format nil "not named: ~A" condition))))))

(defun end ()
  "Ends the process, when the collector has closed what is left."
  ;; A stack that is scanned conservatively may keep what a dead frame has left; another call writes over it.
  (labels ((deep (n) (if (plusp n) (+ 1 (deep (1- n))) 0))) (deep 1000))
  #+sbcl (loop repeat 50 until (zerop (live)) do (sb-ext:gc :full t) (sleep 0.05))
  #+ecl (loop repeat 50 until (zerop (live)) do (ext:gc t) (sleep 0.05))
  (say "at last" (live))
  #+sbcl (sb-ext:exit :code 0)
  #+ecl (ext:quit 0))
