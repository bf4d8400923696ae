;;; Keys, certificates, identities, templates, trust.

(in-package #:tlsshim)

(defun make-key (&optional (algorithm "P-256"))
  (wrap 'key (raw:key-generate algorithm)))

(defun load-key (data &optional (passphrase ""))
  (wrap 'key (raw:key-load data passphrase)))

(defun load-key-file (path &optional (passphrase ""))
  (wrap 'key (raw:key-load-file path passphrase)))

(defun key-export (key &optional (format :pem) (passphrase ""))
  "FORMAT: :PEM, :DER, :PUBLIC-PEM, :PUBLIC-DER."
  (output (raw:key-export (handle-number key) (constant :format format) passphrase)))

(defun key-algorithm (key)
  (output (raw:key-algorithm (handle-number key))))

(defun key-bits (key)
  (checked (raw:key-bits (handle-number key))))

(defun key-equal (key other)
  (flag (raw:key-equal (handle-number key) (handle-number other))))

(defun key-sign (key message &optional (digest ""))
  (output (raw:key-sign (handle-number key) digest message)))

(defun key-verify (key message signature &optional (digest ""))
  (flag (raw:key-verify (handle-number key) digest message signature)))

(defun load-cert (data)
  (wrap 'cert (raw:cert-load data)))

(defun load-cert-file (path)
  (wrap 'cert (raw:cert-load-file path)))

(defun cert-count (cert)
  (checked (raw:cert-count (handle-number cert))))

(defun cert-at (cert index)
  "One certificate of the chain alone, 0 = the leaf."
  (wrap 'cert (raw:cert-at (handle-number cert) index)))

(defun cert-join (cert rest)
  (wrap 'cert (raw:cert-join (handle-number cert) (handle-number rest))))

(defun cert-export (cert &optional (format :pem))
  (output (raw:cert-export (handle-number cert) (constant :format format))))

(defun cert-digest (cert &optional (name ""))
  (output (raw:cert-digest (handle-number cert) name)))

(defun cert-matches (cert name)
  (flag (raw:cert-matches-name (handle-number cert) name)))

(defun cert-public-key (cert)
  (wrap 'key (raw:cert-public-key (handle-number cert))))

(defun cert-names (cert)
  "The names that it is for: (\"DNS:localhost\" \"IP:127.0.0.1\")."
  (flet ((part (index part)
           (output (raw:cert-list-at (handle-number cert) raw:+cert-list-names+ index part))))
    (loop for index below (checked (raw:cert-list-count (handle-number cert) raw:+cert-list-names+))
          collect (format nil "~A:~A" (part index raw:+part-kind+) (part index raw:+part-value+)))))

(define-fields cert raw:cert-text
  (subject issuer common-name serial fingerprint spki-sha256 key-algorithm full))
(define-fields cert raw:cert-number (path-length key-bits))
(define-fields cert raw:cert-number (not-before not-after) #'date)
(define-fields cert raw:cert-number (is-ca self-signed must-staple) #'plusp)

(defun make-identity (cert key)
  (wrap 'tls-identity (raw:identity-new (handle-number cert) (handle-number key))))

(defun load-identity (data &optional (passphrase ""))
  (wrap 'tls-identity (raw:identity-load data passphrase)))

(defun load-identity-file (path &optional (passphrase ""))
  (wrap 'tls-identity (raw:identity-load-file path passphrase)))

(defun load-identity-files (cert-file key-file &optional (passphrase ""))
  (with-handles ((cert (load-cert-file cert-file))
                 (key (load-key-file key-file passphrase)))
    (make-identity cert key)))

(defun load-identity-parts (cert-data key-data &optional (passphrase ""))
  (with-handles ((cert (load-cert cert-data))
                 (key (load-key key-data passphrase)))
    (make-identity cert key)))

(defun external-key (public-key)
  "The public half of a key that is elsewhere."
  (wrap 'key (raw:key-external (handle-number public-key))))

(defun external-identity (cert)
  "Of a certificate whose private key is elsewhere: its signatures are asked for by :SIGN events."
  (with-handles ((public-key (cert-public-key cert))
                 (key (external-key public-key)))
    (make-identity cert key)))

(defun identity-cert (identity)
  (wrap 'cert (raw:identity-cert (handle-number identity))))

(defun identity-key (identity)
  (wrap 'key (raw:identity-key (handle-number identity))))

(defun identity-export (identity passphrase &optional (friendly-name ""))
  "As PKCS#12."
  (output (raw:identity-export-pkcs12 (handle-number identity) passphrase friendly-name)))

(defun fill-template (template &key subject names days not-before not-after ca (path-length -1) (usage nil usage-given)
                                 usage-oids serial digest must-staple (crl-url "") (ocsp-url "") permitted excluded)
  (let ((number (handle-number template)))
    (when subject (done (raw:template-set-subject number subject)))
    (dolist (name (listed names)) (done (raw:template-add-name number name)))
    (when (or days not-after)
      (let ((from (or not-before (- (get-universal-time) 3600))))
        (done (raw:template-set-validity number (seconds-of from)
                                         (seconds-of (or not-after (+ from (* days 86400))))))))
    (when ca (done (raw:template-set-ca number path-length)))
    (when usage-given (done (raw:template-set-usage number (mask :usage usage))))
    (dolist (oid (listed usage-oids)) (done (raw:template-add-usage number oid)))
    (when serial (done (raw:template-set-serial number serial)))
    (when digest (done (raw:template-set-digest number digest)))
    (when must-staple (done (raw:template-set-must-staple number 1)))
    (unless (equal "" (concatenate 'string crl-url ocsp-url))
      (done (raw:template-set-urls number crl-url ocsp-url)))
    (dolist (name (listed permitted)) (done (raw:template-add-constraint number 1 name)))
    (dolist (name (listed excluded)) (done (raw:template-add-constraint number 0 name)))
    template))

(defun make-template (&rest options &key subject names days not-before not-after ca path-length usage usage-oids serial
                                      digest must-staple crl-url ocsp-url permitted excluded)
  "What a certificate is to say; what is not given follows from the rest."
  (declare (ignore subject names days not-before not-after ca path-length usage usage-oids serial digest must-staple
                   crl-url ocsp-url permitted excluded))
  (apply #'fill-template (wrap 'template (raw:template-new)) options))

(defun template-from-request (csr)
  (wrap 'template (raw:template-from-request csr)))

(defun template-key (template)
  (wrap 'key (raw:template-key (handle-number template))))

(defun template-request (template key &optional (format :pem))
  (output (raw:template-request (handle-number template) (handle-number key) (constant :format format))))

(defun template-self-sign (template key)
  (wrap 'cert (raw:template-self-sign (handle-number template) (handle-number key))))

(defun template-issue (template key ca)
  "Without a key: that of the request which the template came from."
  (wrap 'cert (raw:template-issue (handle-number template) (if key (handle-number key) 0) (handle-number ca))))

(defun signed (options sign)
  "The identity that SIGN makes of a template and a new key."
  (with-handles ((template (apply #'make-template options))
                 (key (make-key))
                 (cert (funcall sign template key)))
    (make-identity cert key)))

(defun self-signed (&rest names)
  "A server's identity for these names, at once."
  (signed (list :names names) #'template-self-sign))

(defun ca (subject &rest options)
  "A root: (ca \"CN=My CA\"); ISSUE makes what it vouches for."
  (signed (list* :subject subject :ca t options) #'template-self-sign))

(defun issue (ca &rest options)
  "An identity with a new key: (issue ca :names '(\"www.test\") :days 90)."
  (signed options (lambda (template key) (template-issue template key ca))))

(defun ca-crl (ca entries &key (days 7) (at (get-universal-time)) (format :pem))
  "What a CA has revoked: \"SERIAL [reason] [seconds since 1970]\" each, and \"number 7\" once."
  (let ((from (seconds-of at)))
    (output (raw:crl-issue (handle-number ca) (format nil "~{~A~^~%~}" entries) from (+ from (* days 86400))
                           (constant :format format)))))

(defun ca-ocsp (ca cert &key (status :good) (days 7) (at (get-universal-time)) (revoked-at at))
  "A CA's answer for a certificate: :GOOD, :REVOKED or :UNKNOWN."
  (let ((from (seconds-of at)))
    (output (raw:ocsp-issue (handle-number cert) (handle-number ca) (constant :ocsp status) (seconds-of revoked-at)
                            from (+ from (* days 86400))))))

(defun crl-text (crl)
  (output (raw:crl-text crl)))

(defun ocsp-text (response)
  (output (raw:ocsp-text response)))

(defun request-text (csr)
  (output (raw:request-text csr)))

(defun make-trust (&key file data cert system)
  "Anchors and revocation lists; FILE, DATA and CERT one or a list of them."
  (let ((trust (wrap 'trust (raw:trust-new))))
    (dolist (path (listed file)) (trust-add-file trust path))
    (dolist (each (if (typep data '(or string octet-vector)) (list data) data)) (trust-add trust each))
    (dolist (each (listed cert)) (trust-add-cert trust each))
    (when system (trust-add-system trust))
    trust))

(defun trust-add (trust data)
  (checked (raw:trust-add (handle-number trust) data)))

(defun trust-add-file (trust path)
  (checked (raw:trust-add-file (handle-number trust) path)))

(defun trust-add-cert (trust cert)
  (checked (raw:trust-add-cert (handle-number trust) (handle-number cert))))

(defun trust-add-system (trust)
  (checked (raw:trust-add-system (handle-number trust))))

(defun trust-count (trust)
  (checked (raw:trust-count (handle-number trust) raw:+trust-anchors+)))

(defun trust-at (trust index)
  (wrap 'cert (raw:trust-at (handle-number trust) index)))

(defun trust-verify (trust cert &key (name "") purpose at flags)
  "Judges a chain as a handshake does; signals what is wrong with it."
  (done (raw:trust-verify (handle-number trust) (handle-number cert) (mask :usage purpose) name
                          (if at (seconds-of at) (- (expt 2 63))) (mask :verify flags))))
