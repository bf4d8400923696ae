/* Distinguished names as text, as RFC 4514 writes them. */
#ifndef SHIM_PKI_DN_H
#define SHIM_PKI_DN_H

#include <openssl/x509.h>

#include "../base/bytes.h"

/* Writes a name: "CN=www.test,O=Example". Whatever is no plain text is escaped as \XX. */
void dn_text(const X509_NAME *name, struct buffer *out);
/* The same into a fixed room, cut to what fits. */
void dn_copy(const X509_NAME *name, char *out, size_t cap);
/* Writes a string of any ASN.1 type as UTF-8, without escapes but for what is no text (as \XX). */
void dn_value(const ASN1_STRING *value, struct buffer *out);
/* Reads a name: E_ARGUMENT says which part is wrong. */
int32_t dn_parse(struct bytes text, X509_NAME **name) MUST_USE;
/* What an attribute's type is called: "CN", or the dotted number. */
void dn_type(const ASN1_OBJECT *type, struct buffer *out);

#endif
