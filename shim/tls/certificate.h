/* Which certificate this end shows. */
#ifndef SHIM_TLS_CERTIFICATE_H
#define SHIM_TLS_CERTIFICATE_H

#include "setup.h"

struct conn;

/* Sets what a client must know of a request, and the CERTIFICATE event, on the setup's SSL_CTX. */
void certificate_install(const struct setup *setup);
/* Puts the identity that the host chose in place of the context's: E_WEAK, E_FORMAT. */
int32_t certificate_use_chosen(struct conn *conn);

#endif
