/* Encodings: PEM blocks and DER values, read from memory and files, and written. */
#ifndef SHIM_PKI_PEM_H
#define SHIM_PKI_PEM_H

#include <openssl/bio.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "../base/bytes.h"

enum { FILE_LIMIT = 16777216, TRUST_LIMIT = 67108864, REQUEST_LIMIT = 1048576 };

/* Input with the name that errors give it: "the data", or a file's path. */
struct source {
    struct bytes bytes;
    const char *label;
    struct buffer held; /* the file's content, wiped at the end */
    char path[200];     /* escaped */
};

void source_of(struct source *source, struct bytes bytes);
/* Reads a whole file: E_SYSTEM, E_LIMIT. */
int32_t source_file(struct source *source, struct bytes path, size_t limit) MUST_USE;
void source_end(struct source *source);

/* True if the data is one DER SEQUENCE, as far as its first bytes tell; such data is never looked at as PEM. */
bool der_shaped(struct bytes bytes);

struct pem_reader {
    struct source *source;
    BIO *bio;
    int number; /* of the current block, from 1 */
};

struct pem_block {
    char *name;
    char *header;
    unsigned char *data; /* wiped at the end: it may be a key */
    long len;
    int number;
    int line; /* at which it ends */
};

int32_t pem_start(struct pem_reader *reader, struct source *source) MUST_USE;
/* 1 and a block, 0 at the end, or E_FORMAT with the line. */
int32_t pem_next(struct pem_reader *reader, struct pem_block *block) MUST_USE;
void pem_block_end(struct pem_block *block);
void pem_end(struct pem_reader *reader);

bool pem_is(const struct pem_block *block, const char *name);
bool pem_is_certificate(const struct pem_block *block);

/* Reads DER whole: a certificate (with trust settings if `trusted`), a CRL; E_FORMAT says what is wrong with
 * `what` in `label`, such as "certificate 2". */
int32_t der_certificate(struct bytes der, bool trusted, const char *label, int number, X509 **cert) MUST_USE;
int32_t der_crl(struct bytes der, const char *label, int number, X509_CRL **crl) MUST_USE;

/* Writes DER as a PEM block. */
void pem_write(struct buffer *out, const char *name, struct bytes der);
/* The length that pem_write gives. */
size_t pem_length(const char *name, size_t der_len);

#endif
