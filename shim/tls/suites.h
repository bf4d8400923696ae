/* What is offered unless a context says otherwise: forward secrecy and AEAD, in the order that suits the machine. */
#ifndef SHIM_TLS_SUITES_H
#define SHIM_TLS_SUITES_H

const char *suites_tls12(void);
/* For TLS 1.2 with pre-shared keys. */
const char *suites_psk(void);
const char *suites_tls13(void);
const char *suites_groups(void);
const char *suites_signatures(void);

#endif
