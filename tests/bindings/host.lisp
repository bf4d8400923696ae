;;; Runs the scenario on the raw layer of Lisp: the path is in the environment variable SCENARIO.
(require :asdf)
(handler-bind ((warning #'muffle-warning))
  (let ((*standard-output* (make-broadcast-stream)))
    (asdf:load-system "tlsshim/raw")))

(defpackage #:scenario (:use #:cl))
(in-package #:scenario)

(defvar *names* (make-hash-table :test #'equal))

(defun raw-symbol (name)
  (or (find-symbol (substitute #\- #\_ (string-upcase name)) "TLSSHIM.RAW") (error "no ~A" name)))

(defun hex-octets (text)
  (coerce (loop for i from 0 below (length text) by 2 collect (parse-integer text :start i :end (+ i 2) :radix 16))
          '(simple-array (unsigned-byte 8) (*))))

(defun starts (prefix text)
  (and (>= (length text) (length prefix)) (string= prefix text :end2 (length prefix))))

(defun value (token)
  (cond ((starts "\"" token) (subseq token 1 (1- (length token))))
        ((starts "$" token) (gethash (subseq token 1) *names*))
        ((starts "hex:" token) (hex-octets (subseq token 4)))
        ((upper-case-p (char token 0)) (symbol-value (raw-symbol (format nil "+~A+" token))))
        ((find #\. token) (let ((*read-eval* nil)) (read-from-string token)))
        (t (parse-integer token))))

(defun tokens (line)
  (loop with here = 0
        while (< here (length line))
        for quoted = (char= (char line here) #\")
        for end = (if quoted
                      (1+ (position #\" line :start (1+ here)))
                      (or (position #\Space line :start here) (length line)))
        collect (subseq line here end)
        do (setf here (or (position #\Space line :start end :test-not #'char=) (length line)))))

(defun sort-of (value)
  (etypecase value
    (null "nothing")
    (integer (cond ((>= value (expt 2 32)) "handle") ((plusp value) "positive") ((zerop value) "zero") (t "negative")))
    (sequence (if (plusp (length value)) "bytes" "no bytes"))))

(defun measure (value)
  (if (and (vectorp value) (not (null value))) (format nil "~D bytes" (length value)) (sort-of value)))

(defun show (value)
  (etypecase value
    (null "nothing")
    (integer (if (>= value (expt 2 32)) "handle" (format nil "~D" value)))
    (list (format nil "~{~D~^ ~}" value))
    (vector
     (let ((octets (tlsshim.foreign:octets value)))
       (if (every (lambda (octet) (<= 32 octet 126)) octets)
           (format nil "\"~A\"" (map 'string #'code-char octets))
           (format nil "~(~{~2,'0x~}~)" (coerce octets 'list)))))))

(defun show-result (value)
  (if (minusp value)
      (format nil "~A ~A" (show (nth-value 1 (tlsshim.raw:error-name value)))
              (show (nth-value 1 (tlsshim.raw:error-text value))))
      (show value)))

(defun raw (name &rest arguments)
  (apply (raw-symbol name) arguments))

(defun pass (source sink)
  "Moves what SOURCE has to say into SINK; true if it was anything."
  (raw "conn_handshake" source)
  (loop with moved = nil
        for (count data) = (multiple-value-list (raw "conn_drain" source 700))
        while (plusp count)
        do (setf moved t)
           (loop while (plusp (length data))
                 do (let ((taken (raw "conn_feed" sink data)))
                      (when (minusp taken) (return-from pass nil))
                      (raw "conn_handshake" sink)
                      (setf data (subseq data taken))))
        finally (return moved)))

(defun pump (one other)
  (loop while (let ((there (pass one other)) (back (pass other one))) (or there back)))
  0)

(defun run (line)
  (let* ((mark (and (find (char line 0) "~=!") (char line 0)))
         (all (tokens (if mark (subseq line 2) line)))
         (found (ldiff all (member ">" all :test #'equal)))
         (kept (rest (member ">" all :test #'equal)))
         (arguments (mapcar #'value (rest found)))
         (results (handler-case
                      (multiple-value-list
                       (if (equal (first found) "pump") (apply #'pump arguments) (apply #'raw (first found) arguments)))
                    (error (condition) (if (eql mark #\!) :refused (error condition)))))
         (shown (cond ((eq results :refused) '("refused"))
                      ((eql mark #\!) '("not refused"))
                      ((eql mark #\=) (mapcar #'measure results))
                      (mark (mapcar #'sort-of results))
                      (t (cons (show-result (first results)) (mapcar #'show (rest results)))))))
    (unless (eq results :refused)
      (loop for name in kept for result in results do (setf (gethash name *names*) result)))
    (format t "~A~%  ~{~A~^, ~}~%" (subseq line 0 (search " >" line)) shown)))

(with-open-file (scenario (uiop:getenv "SCENARIO") :external-format :utf-8)
  (loop for line = (read-line scenario nil)
        while line
        unless (or (zerop (length line)) (char= (char line 0) #\#))
          do (run line)))
(finish-output)
(uiop:quit 0)
