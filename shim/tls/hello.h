/* The client's hello, as a server sees it: which identity, which rules, which protocol. */
#ifndef SHIM_TLS_HELLO_H
#define SHIM_TLS_HELLO_H

#include "setup.h"

/* Sets the server's choices on the setup's SSL_CTX. */
void hello_install(struct setup *setup);

#endif
