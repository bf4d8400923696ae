/* Anchors and CRLs read from memory, files, directories and the system. */
#ifndef SHIM_PKI_TRUST_LOAD_H
#define SHIM_PKI_TRUST_LOAD_H

#include <openssl/x509.h>

#include "pem.h"

struct harvest {
    STACK_OF(X509) * anchors;
    STACK_OF(X509_CRL) * crls;
};

int32_t harvest_start(struct harvest *harvest) MUST_USE;
void harvest_end(struct harvest *harvest);

/* All anchors and CRLs of a source: E_FORMAT, E_EMPTY. `lenient`: what cannot be read is passed over. */
int32_t harvest_source(struct harvest *harvest, struct source *source, bool lenient) MUST_USE;
/* The same of a file, or of each file of a directory that holds any. */
int32_t harvest_path(struct harvest *harvest, struct bytes path, bool lenient) MUST_USE;

#endif
