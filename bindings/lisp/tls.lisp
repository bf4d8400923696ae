;;; Contexts, connections without I/O, sessions.

(in-package #:tlsshim)

(defconstant +piece+ 65536)
(defconstant +sessions+ 1024)

(defun version-number (name)
  (if name (constant :tls (if (eql 0 (search "TLSv" name)) (subseq name 4) name)) 0))

(defun alpn-wire (protocols)
  (if protocols (output (raw:alpn-encode (format nil "~{~A~^,~}" protocols))) (octets "")))

(defun milliseconds (seconds)
  (ceiling (* (rational seconds) 1000)))

(defun fill-context (number &key identity identity-file cert-file key-file (passphrase "") identities trust ca-file
                              require-client-cert request-client-cert alpn-protocols (alpn-mode :fail) min-version
                              max-version ciphers ciphersuites groups verify-depth verify-flags tickets
                              session-lifetime session-cache-p (session-cache (if session-cache-p +sessions+ nil))
                              ticket-keys ticket-rotation chain-cache pins (pin-mode :and) handshake-timeout
                              memory insecure-skip-chain insecure-skip-name
                              insecure-skip-time insecure-skip-purpose)
  (flet ((add (identity &optional (pattern ""))
           (done (raw:context-add-identity number (handle-number identity) pattern)))
         (add-trust (trust) (done (raw:context-set-trust number (handle-number trust)))))
    (loop for (pattern . each) in identities do (add each pattern))
    (when identity (add identity))
    (when identity-file
      (with-handles ((loaded (load-identity-file identity-file passphrase))) (add loaded)))
    (when cert-file
      (with-handles ((loaded (load-identity-files cert-file key-file passphrase))) (add loaded)))
    (when trust (add-trust trust))
    (when ca-file (with-handles ((loaded (make-trust :file ca-file))) (add-trust loaded))))
  (when (or require-client-cert request-client-cert)
    (let ((mode (if require-client-cert :require :request)))
      (done (raw:context-set-client-certificate number (constant :client-certificate mode)))))
  (when alpn-protocols
    (done (raw:context-set-alpn number (alpn-wire alpn-protocols) (constant :alpn alpn-mode))))
  (when (or min-version max-version)
    (done (raw:context-set-versions number (version-number min-version) (version-number max-version))))
  (when ciphers (done (raw:context-set-ciphers number ciphers)))
  (when ciphersuites (done (raw:context-set-ciphersuites number ciphersuites)))
  (when groups (done (raw:context-set-groups number groups)))
  (when verify-depth (done (raw:context-set-verify-depth number verify-depth)))
  (when verify-flags (done (raw:context-set-verify-flags number (mask :verify verify-flags))))
  (when tickets (done (raw:context-set-tickets number tickets)))
  (when session-cache (done (raw:context-set-session-cache number session-cache)))
  (when ticket-keys (done (raw:context-set-ticket-keys number ticket-keys)))
  (when ticket-rotation (done (raw:context-set-ticket-rotation number ticket-rotation)))
  (when chain-cache (done (raw:context-set-chain-cache number chain-cache)))
  (dolist (pin pins) (done (raw:context-add-pin number pin (constant :pin pin-mode))))
  (when session-lifetime (done (raw:context-set-session-lifetime number session-lifetime)))
  (when handshake-timeout (done (raw:context-set-handshake-timeout number (milliseconds handshake-timeout))))
  (when memory (done (raw:context-set-memory number (constant :policy memory))))
  (when insecure-skip-chain (done (raw:context-insecure-skip-chain number 1)))
  (when insecure-skip-name (done (raw:context-insecure-skip-name number 1)))
  (when insecure-skip-time (done (raw:context-insecure-skip-time number 1)))
  (when insecure-skip-purpose (done (raw:context-insecure-skip-purpose number 1))))

(defun make-context (role &rest options)
  "What an endpoint is and demands; ROLE is :CLIENT or :SERVER. IDENTITIES is a list of (pattern . identity).
(make-context :server :cert-file ... :key-file ... :ca-file ... :require-client-cert t :alpn-protocols '(\"h2\"))"
  (let ((context (wrap 'context (raw:context-new (constant :role role)))))
    (apply #'fill-context (handle-number context) options)
    context))

(defun context-set-ticket-keys (context keys)
  "Of a live server context: the first key seals, all open."
  (done (raw:context-set-ticket-keys (handle-number context) keys)))

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
  (handshakes resumptions cache-hits cache-misses cache-entries))
(define-fields context raw:context-number (frozen) #'plusp)
(define-fields context raw:context-text (ciphers ciphersuites groups))

;;; Connections: bytes from the peer are fed, bytes for the peer are drained.

(defun make-conn (context &optional (peer-name ""))
  (wrap 'conn (raw:conn-new (handle-number context) peer-name)))

(defun conn-set-server-name (conn name)
  (done (raw:conn-set-server-name (handle-number conn) name)))

(defun conn-set-verify-name (conn name)
  (done (raw:conn-set-verify-name (handle-number conn) name)))

(defun conn-set-alpn (conn protocols &optional (mode :fail))
  (done (raw:conn-set-alpn (handle-number conn) (alpn-wire protocols) (constant :alpn mode))))

(defun conn-set-session (conn session)
  (done (raw:conn-set-session (handle-number conn) (handle-number session))))

(defun conn-session (conn)
  "The newest session to come back with; NIL until the server has sent one."
  (wrap 'session (raw:conn-take-session (handle-number conn))))

(defun conn-feed (conn data)
  (checked (raw:conn-feed (handle-number conn) data)))

(defun conn-feed-end (conn)
  (done (raw:conn-feed-end (handle-number conn))))

(defun conn-drain (conn &optional (most +piece+))
  "Octets to send; NIL when nothing is left."
  (received (raw:conn-drain (handle-number conn) most)))

(defun conn-handshake (conn)
  (done (raw:conn-handshake (handle-number conn))))

(defun conn-read (conn &optional (most +piece+))
  "Decrypted octets; NIL after the peer's goodbye."
  (received (raw:conn-read (handle-number conn) most)))

(defun conn-peek (conn &optional (most +piece+))
  (received (raw:conn-peek (handle-number conn) most)))

(defun conn-write (conn data)
  (checked (raw:conn-write (handle-number conn) data)))

(defun conn-shutdown (conn)
  (done (raw:conn-shutdown (handle-number conn))))

(defun conn-open (conn data &optional (most +piece+))
  "Decrypts: the octets (NIL after the goodbye, or a keyword), and how much of DATA was used."
  (multiple-value-bind (result plain taken) (raw:conn-open (handle-number conn) data most)
    (values (cond ((minusp result) (fail result)) ((plusp result) plain)) taken)))

(defun conn-seal (conn data &optional (most +piece+))
  "Encrypts: the octets to send (or a keyword), and how much of DATA was used."
  (multiple-value-bind (result bytes taken) (raw:conn-seal (handle-number conn) data most)
    (values (if (minusp result) (fail result) bytes) taken)))

(defun conn-cork (conn on)
  (done (raw:conn-cork (handle-number conn) (if on 1 0))))

(defun conn-key-update (conn &optional both)
  (done (raw:conn-key-update (handle-number conn) (if both 1 0))))

(defun conn-pending (conn)
  (checked (raw:conn-pending (handle-number conn))))

(defun conn-pending-out (conn)
  (checked (raw:conn-pending-out (handle-number conn))))

(defun conn-state (conn)
  "A list of those that hold: :HANDSHAKE-DONE, :READABLE, :OUTPUT-PENDING..."
  (let ((state (checked (raw:conn-state (handle-number conn)))))
    (loop for name in '(:handshake-done :readable :output-pending :event-pending :peer-closed :we-closed :failed
                        :input-ended)
          when (logtest state (constant :state name)) collect name)))

(define-fields conn raw:conn-text
  (version cipher group signature peer-signature alpn server-name verify-name verify-report))
(define-fields conn raw:conn-number (cipher-bits verify-code handshake-ms bytes-in bytes-out))
(define-fields conn raw:conn-number (verified resumed certificate-requested) #'plusp)

(defun conn-peer-cert (conn)
  (wrap 'cert (raw:conn-peer-cert (handle-number conn))))

(defun conn-verified-chain (conn)
  (wrap 'cert (raw:conn-verified-chain (handle-number conn))))

(defun conn-local-cert (conn)
  (wrap 'cert (raw:conn-local-cert (handle-number conn))))

(defun conn-peer-name (conn)
  "The common name of the peer's certificate."
  (with-handles ((cert (conn-peer-cert conn)))
    (and cert (cert-common-name cert))))

(defun conn-channel-binding (conn &optional (kind "tls-exporter"))
  (output (raw:conn-channel-binding (handle-number conn) kind)))

(defun conn-export-keying (conn label length &optional context)
  (output (raw:conn-export-keying (handle-number conn) label (if context 1 0) (or context "") length)))

(defun load-session (data)
  (wrap 'session (raw:session-load data)))

(defun session-export (session)
  "A secret: who has it can pose as the client towards that server."
  (output (raw:session-export (handle-number session))))

(define-fields session raw:session-text (id peer-name alpn))
(define-fields session raw:session-number (created) #'date)
(define-fields session raw:session-number (lifetime))
(define-fields session raw:session-number (usable has-ticket) #'plusp)
