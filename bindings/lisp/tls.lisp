;;; Connections without I/O, sessions.

(in-package #:tlsshim)

(defconstant +piece+ 65536)
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

(defun conn-handshake (conn &optional handlers)
  "With HANDLERS, a plist of functions by kind of event, these answer what this step and later ones ask."
  (when handlers (setf (conn-handlers conn) handlers))
  (done (driving (conn) (raw:conn-handshake (handle-number conn)))))

(defun conn-read (conn &optional (most +piece+))
  "Decrypted octets; NIL after the peer's goodbye."
  (received (driving (conn) (raw:conn-read (handle-number conn) most))))

(defun conn-peek (conn &optional (most +piece+))
  (received (driving (conn) (raw:conn-peek (handle-number conn) most))))

(defun conn-write (conn data)
  (checked (driving (conn) (raw:conn-write (handle-number conn) data))))

(defun conn-shutdown (conn)
  (done (driving (conn) (raw:conn-shutdown (handle-number conn)))))

(defun moved (conn call data most)
  "What CALL, open or seal, gives, and how much of DATA it used over all its turns."
  (loop with data = (octets data)
        with used = 0
        do (multiple-value-bind (result output taken)
               (funcall call (handle-number conn) (if (zerop used) data (subseq data used)) most)
             (incf used (or taken 0))
             (unless (and (= result raw:+want-event+) (answer-event conn))
               (return (values result output used))))))

(defun conn-open (conn data &optional (most +piece+))
  "Decrypts: the octets (NIL after the goodbye, or a keyword), and how much of DATA was used."
  (multiple-value-bind (result plain used) (moved conn #'raw:conn-open data most)
    (values (cond ((minusp result) (fail result)) ((plusp result) plain)) used)))

(defun conn-seal (conn data &optional (most +piece+))
  "Encrypts: the octets to send (or a keyword), and how much of DATA was used."
  (multiple-value-bind (result bytes used) (moved conn #'raw:conn-seal data most)
    (values (if (minusp result) (fail result) bytes) used)))

(defun conn-use-identity (conn identity)
  "Before a client's handshake: shows this identity in place of the context's."
  (done (raw:conn-use-identity (handle-number conn) (handle-number identity))))

(defun conn-request-certificate (conn)
  "Asks a client for its certificate after the handshake."
  (done (raw:conn-request-certificate (handle-number conn))))

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
  (version cipher group signature peer-signature alpn server-name verify-name verify-report shared-ciphers
   psk-identity))
(define-fields conn raw:conn-number (cipher-bits verify-code handshake-ms bytes-in bytes-out))
(define-fields conn raw:conn-number (verified resumed certificate-requested hello-retry extended-master-secret)
  #'plusp)
(define-fields conn raw:conn-bytes (client-random staple))
(define-fields conn raw:conn-number (insecure)
  (lambda (bits)
    (loop for name in '(:chain :name :time :purpose :legacy)
          when (logtest bits (constant :insecure name)) collect name)))

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

(defun conn-peer (conn)
  "Who the peer is, as a plist; NIL if it has shown no certificate. The chain is the one that was verified."
  (let ((cert (conn-peer-cert conn)))
    (when cert
      (list :common-name (cert-common-name cert) :subject (cert-subject cert) :names (cert-names cert)
            :fingerprint (cert-fingerprint cert) :verified (conn-verified conn) :cert cert
            :chain (conn-verified-chain conn)))))

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
