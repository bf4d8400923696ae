(defsystem "tlsshim/raw"
  :description "Modern TLS through a flat C ABI: the calls as they are."
  :license "MIT"
  :depends-on ("cffi" "babel")
  :components ((:file "foreign")
               (:file "raw" :depends-on ("foreign"))))

(defsystem "tlsshim"
  :description "Modern TLS through a flat C ABI: certificates, connections without I/O, sockets with deadlines."
  :license "MIT"
  :depends-on ("tlsshim/raw")
  :serial t
  :components ((:file "package")
               (:file "object")
               (:file "pki")
               (:file "event")
               (:file "tls")
               (:file "context")
               (:file "net")
               (:file "gray" :if-feature (:or :sbcl :ecl))))
