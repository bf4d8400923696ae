;;; TLS for Common Lisp: certificates, connections without I/O, sockets with deadlines.
;;;
;;; What fails signals TLSSHIM-ERROR, with a code (:E-NAME) and the full sentence. What cannot go on yet returns a
;;; keyword (:WANT-FEED, :WANT-READ...); a value that does not exist, and a peer's clean end, is NIL. Handles are
;;; closed by WITH-HANDLES, CLOSE-HANDLE or the collector. Octets go in as vectors or strings (UTF-8), and come
;;; out as vectors.

(defpackage #:tlsshim
  (:use #:cl)
  (:local-nicknames (#:raw #:tlsshim.raw))
  (:import-from #:tlsshim.foreign #:octets #:octet-vector #:uninterrupted)
  (:export
   #:tlsshim-error #:tlsshim-timeout #:tlsshim-transport-error #:tlsshim-peer-error
   #:error-code #:error-text #:error-number #:error-part #:error-written
   #:handle #:close-handle #:closed-p #:memory #:with-handles #:octets #:octet-vector
   #:version #:has #:live
   #:key #:make-key #:load-key #:load-key-file #:key-export #:key-algorithm #:key-bits #:key-sign #:key-verify
   #:key-equal #:external-key
   #:cert #:load-cert #:load-cert-file #:cert-count #:cert-at #:cert-join #:cert-export #:cert-digest #:cert-matches
   #:cert-public-key #:cert-names #:cert-subject #:cert-issuer #:cert-common-name #:cert-serial #:cert-fingerprint
   #:cert-spki-sha256 #:cert-key-algorithm #:cert-full #:cert-not-before #:cert-not-after #:cert-path-length
   #:cert-key-bits #:cert-is-ca #:cert-self-signed #:cert-must-staple
   #:tls-identity #:make-identity #:load-identity #:load-identity-file #:load-identity-files #:load-identity-parts
   #:external-identity #:identity-cert
   #:identity-key #:identity-export #:self-signed #:ca #:issue #:ca-crl #:ca-ocsp #:crl-text #:ocsp-text
   #:request-text
   #:template #:make-template #:template-from-request #:template-key #:template-request #:template-self-sign
   #:template-issue
   #:trust #:make-trust #:trust-add #:trust-add-file #:trust-add-cert #:trust-add-system #:trust-count #:trust-at
   #:trust-verify
   #:context #:make-context #:context-frozen #:context-handshakes #:context-resumptions #:context-ciphers
   #:context-ciphersuites #:context-groups #:context-cache-hits #:context-cache-misses #:context-cache-entries
   #:context-verify-depth #:context-handshake-timeout #:context-security-level #:context-signatures #:context-copy
   #:context-set-ticket-keys #:context-set-staple #:context-replace #:ticket-keys #:derive-ticket-keys #:cipher-text
   #:conn #:make-conn #:conn-set-server-name #:conn-set-verify-name #:conn-set-alpn #:conn-set-session #:conn-session
   #:conn-feed #:conn-feed-end #:conn-drain #:conn-handshake #:conn-read #:conn-peek #:conn-write #:conn-shutdown
   #:conn-open #:conn-seal #:conn-cork #:conn-key-update #:conn-state #:conn-pending #:conn-pending-out
   #:conn-peer-cert #:conn-verified-chain #:conn-local-cert #:conn-peer-name #:conn-channel-binding
   #:conn-export-keying #:conn-version #:conn-cipher #:conn-cipher-bits #:conn-group #:conn-signature
   #:conn-peer-signature #:conn-alpn #:conn-server-name #:conn-verify-name #:conn-verify-report #:conn-verify-code
   #:conn-shared-ciphers #:conn-psk-identity #:conn-hello-retry #:conn-extended-master-secret #:conn-client-random
   #:conn-staple #:conn-insecure #:conn-peer #:conn-use-identity #:conn-request-certificate #:conn-handlers #:conn-event
   #:conn-verified #:conn-resumed #:conn-certificate-requested #:conn-handshake-ms #:conn-bytes-in #:conn-bytes-out
   #:event #:event-kind #:event-conn #:event-answered #:event-server-name #:event-alpn #:event-versions #:event-ciphers
   #:event-groups #:event-signatures #:event-verify-code #:event-verify-text #:event-depth #:event-ca-names
   #:event-keylog-line #:event-scheme #:event-digest #:event-input #:event-message #:event-session #:event-done
   #:event-accept #:event-refuse #:event-sign #:event-use
   #:session #:load-session #:session-export #:session-id #:session-peer-name #:session-alpn #:session-created
   #:session-lifetime #:session-usable #:session-has-ticket
   #:tls-stream #:connect #:adopt #:stream-start-tls #:stream-conn #:stream-handshake #:stream-read #:stream-read-into
   #:stream-write #:stream-sendfile #:stream-flush #:stream-shutdown #:stream-fd #:stream-wants #:stream-peer-address
   #:stream-peer-port #:stream-local-address #:stream-local-port #:stream-tls #:timeout
   #:octet-stream #:make-octet-stream #:octet-stream-under
   #:listener #:make-listener #:listener-port #:listener-accept))
