/* The reasons for a revocation (RFC 5280 section 5.3.1). */
#ifndef SHIM_PKI_CRL_REASON_H
#define SHIM_PKI_CRL_REASON_H

#include "../base/bytes.h"

enum { CRL_REASON_UNKNOWN = -1 };

/* "keyCompromise"; "reason unknown" for numbers that there are not. */
const char *crl_reason_name(long reason);
/* The number of a name; CRL_REASON_UNKNOWN if there is none. */
int crl_reason_number(struct bytes name);

#endif
