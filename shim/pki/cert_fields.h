/* What one certificate says: as text, as numbers, as lists. */
#ifndef SHIM_PKI_CERT_FIELDS_H
#define SHIM_PKI_CERT_FIELDS_H

#include <openssl/x509.h>

#include "../base/bytes.h"

/* OK, NONE or E_ARGUMENT for a field that gives no such thing. */
int32_t cert_field_text(X509 *cert, int32_t field, struct buffer *out);
int32_t cert_field_number(X509 *cert, int32_t field, int64_t *n);

/* Makes the backend's print fit to show: whatever is no text is escaped, line ends stay. */
void printed_text(BIO *printed, struct buffer *out);

#endif
