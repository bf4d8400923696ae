;;; Contexts: what an endpoint is and demands.

(in-package #:tlsshim)

(defconstant +sessions+ 1024)

(defun version-number (name)
  (if name (constant :tls (if (eql 0 (search "TLSv" name)) (subseq name 4) name)) 0))

(defmacro when-given (&rest options-and-calls)
  "A call for each option that is not NIL: (option call)"
  `(progn ,@(loop for (option call) in options-and-calls collect `(when ,option (done ,call)))))

(defun switch (on)
  (if on 1 0))

(defun offer (number &key insecure-legacy profile security-level min-version max-version ciphers ciphersuites groups
                       signature-algorithms own-signature-algorithms
                       (server-preference nil server-preference-given) alpn-protocols (alpn-mode :fail)
                     &allow-other-keys)
  "What is allowed, and what of it is offered."
  (when-given
   (insecure-legacy (raw:context-insecure-legacy number 1))
   (profile (raw:context-set-profile number (string-downcase profile)))
   (security-level (raw:context-set-security-level number security-level))
   ((or min-version max-version)
    (raw:context-set-versions number (version-number min-version) (version-number max-version)))
   (ciphers (raw:context-set-ciphers number ciphers))
   (ciphersuites (raw:context-set-ciphersuites number ciphersuites))
   (groups (raw:context-set-groups number groups))
   ((or signature-algorithms own-signature-algorithms)
    (raw:context-set-signature-algorithms number (or signature-algorithms "") (or own-signature-algorithms "")))
   (server-preference-given (raw:context-set-server-preference number (switch server-preference)))
   (alpn-protocols (raw:context-set-alpn number (alpn-wire alpn-protocols) (constant :alpn alpn-mode)))))

(defun load-own-identity (&key identity-file identity-data cert-file key-file cert-data key-data (passphrase "")
                          &allow-other-keys)
  "Made for one context alone, or NIL. A key that is not named is beside its certificate."
  (cond (identity-file (load-identity-file identity-file passphrase))
        (identity-data (load-identity identity-data passphrase))
        (cert-file (load-identity-files cert-file (or key-file cert-file) passphrase))
        (cert-data (load-identity-parts cert-data (or key-data cert-data) passphrase))))

(defun show (number &rest options &key identity identities staple psks &allow-other-keys)
  "Who this end is."
  (flet ((add (identity pattern)
           (done (raw:context-add-identity number (handle-number identity) pattern))))
    (loop for (pattern . many) in identities
          do (dolist (each (listed many)) (add each pattern)))
    (with-handles ((loaded (apply #'load-own-identity options)))
      (let ((own (if loaded (cons loaded (listed identity)) (listed identity))))
        (dolist (each own) (add each ""))
        (when staple
          (unless own (error ":STAPLE needs the identity that it speaks for"))
          (done (raw:context-set-staple number (handle-number (first own)) staple))))))
  (loop for (name . key) in psks
        do (done (raw:context-add-psk number name key))))

(defun demand (number &key trust ca-file ca-data require-client-cert request-client-cert post-handshake verify-depth
                        verify-flags chain-cache pins (pin-mode :and) staple-mode insecure-skip-chain insecure-skip-name
                        insecure-skip-time insecure-skip-purpose
                      &allow-other-keys)
  "What is demanded of the peer."
  (when (and trust (or ca-file ca-data))
    (error "give :TRUST, or :CA-FILE and :CA-DATA, not both"))
  (when trust (done (raw:context-set-trust number (handle-number trust))))
  (when (or ca-file ca-data)
    (with-handles ((loaded (make-trust :file ca-file :data ca-data)))
      (done (raw:context-set-trust number (handle-number loaded)))))
  (when-given
   ((or require-client-cert request-client-cert)
    (raw:context-set-client-certificate number (constant :client-certificate
                                                         (if require-client-cert :require :request))))
   (post-handshake (raw:context-set-post-handshake number 1))
   (verify-depth (raw:context-set-verify-depth number verify-depth))
   (verify-flags (raw:context-set-verify-flags number (mask :verify verify-flags)))
   (chain-cache (raw:context-set-chain-cache number chain-cache))
   (staple-mode (raw:context-set-staple-mode number (constant :staple staple-mode)))
   (insecure-skip-chain (raw:context-insecure-skip-chain number 1))
   (insecure-skip-name (raw:context-insecure-skip-name number 1))
   (insecure-skip-time (raw:context-insecure-skip-time number 1))
   (insecure-skip-purpose (raw:context-insecure-skip-purpose number 1)))
  (dolist (pin pins) (done (raw:context-add-pin number pin (constant :pin pin-mode)))))

(defun manage (number &key session-cache-p (session-cache (if session-cache-p +sessions+ nil)) session-lifetime tickets
                        ticket-keys ticket-rotation handshake-timeout limits memory keylog-file events
                      &allow-other-keys)
  "What is kept, for how long, and what the host decides itself."
  (when-given
   (session-cache (raw:context-set-session-cache number session-cache))
   (session-lifetime (raw:context-set-session-lifetime number session-lifetime))
   (tickets (raw:context-set-tickets number tickets))
   (ticket-keys (raw:context-set-ticket-keys number ticket-keys))
   (ticket-rotation (raw:context-set-ticket-rotation number ticket-rotation))
   (handshake-timeout (raw:context-set-handshake-timeout number (milliseconds handshake-timeout)))
   (memory (raw:context-set-memory number (constant :policy memory)))
   (keylog-file (raw:context-set-keylog-file number keylog-file))
   (events (raw:context-set-events number (mask :event events))))
  (loop for (limit bytes) on limits by #'cddr
        do (done (raw:context-set-limit number (constant :limit limit) bytes))))

(defun make-context (role &rest options
                     &key identity identity-file identity-data cert-file key-file cert-data key-data passphrase
                       identities staple psks trust ca-file ca-data require-client-cert request-client-cert
                       post-handshake verify-depth verify-flags pins pin-mode staple-mode chain-cache alpn-protocols
                       alpn-mode profile security-level min-version max-version ciphers ciphersuites groups
                       signature-algorithms own-signature-algorithms server-preference session-cache session-cache-p
                       session-lifetime tickets ticket-keys ticket-rotation handshake-timeout limits memory keylog-file
                       events insecure-skip-chain insecure-skip-name insecure-skip-time insecure-skip-purpose
                       insecure-legacy)
  "What an endpoint is and demands; ROLE is :CLIENT or :SERVER. IDENTITIES is a list of (pattern . identity), PSKS one
of (identity . key), LIMITS a plist.
(make-context :server :cert-file ... :key-file ... :ca-file ... :require-client-cert t :alpn-protocols '(\"h2\"))"
  (declare (ignore identity identity-file identity-data cert-file key-file cert-data key-data passphrase identities
                   staple psks trust ca-file ca-data require-client-cert request-client-cert post-handshake
                   verify-depth verify-flags pins pin-mode staple-mode chain-cache alpn-protocols alpn-mode profile
                   security-level min-version max-version ciphers ciphersuites groups signature-algorithms
                   own-signature-algorithms server-preference session-cache session-cache-p session-lifetime tickets
                   ticket-keys ticket-rotation handshake-timeout limits memory keylog-file events insecure-skip-chain
                   insecure-skip-name insecure-skip-time insecure-skip-purpose insecure-legacy))
  (let ((context (wrap 'context (raw:context-new (constant :role role)))))
    (dolist (part (list #'offer #'show #'demand #'manage) context)
      (apply part (handle-number context) options))))

(defun context-copy (context)
  "An unfrozen twin, which shares the session cache and the ticket keys."
  (wrap 'context (raw:copy (handle-number context))))

(defun context-set-ticket-keys (context keys)
  "Of a live server context: the first key seals, all open."
  (done (raw:context-set-ticket-keys (handle-number context) keys)))

(defun context-set-staple (context identity ocsp)
  "Of a live server context: the OCSP answer for one of its identities; empty for none."
  (done (raw:context-set-staple (handle-number context) (handle-number identity) ocsp)))

(defun context-replace (context successor)
  "Later connections take the successor's configuration; sessions and ticket keys stay."
  (done (raw:context-replace (handle-number context) (handle-number successor))))

(defun ticket-keys (&optional (count 1))
  "Random ticket keys, 80 octets each."
  (output (raw:ticket-keys-new count)))

(defun derive-ticket-keys (secret &key (period 3600) (now (get-universal-time)))
  "The keys of a fleet that shares a secret of at least 32 random octets: of this period, the one before, the next."
  (output (raw:ticket-keys-derive secret (seconds-of now) period)))

(define-fields context raw:context-number
  (handshakes resumptions cache-hits cache-misses cache-entries verify-depth handshake-timeout security-level))
(define-fields context raw:context-number (frozen) #'plusp)
(define-fields context raw:context-text (ciphers ciphersuites groups signatures))

(defun cipher-text (name)
  "What a cipher is, in a line, by its IANA name, OpenSSL's or its number; NIL where nobody knows it."
  (output (raw:cipher-text name)))
