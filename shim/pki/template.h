/* Templates: what a certificate is to say. */
#ifndef SHIM_PKI_TEMPLATE_H
#define SHIM_PKI_TEMPLATE_H

#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdbool.h>

#include "../base/bytes.h"
#include "../base/refs.h"
#include "cert.h"
#include "identity.h"
#include "key.h"

enum { SERIAL_MOST = 20, PATH_UNLIMITED = -1 };

struct template
{
    struct refs refs;
    pthread_mutex_t lock; /* over all below */
    X509_NAME *subject;   /* NULL = follows from the names */
    GENERAL_NAMES *names;
    bool has_validity;
    int64_t not_before;
    int64_t not_after;
    bool ca;
    int32_t path_length;
    bool has_usage;
    int32_t usage;
    STACK_OF(ASN1_OBJECT) * more_usages;
    uint8_t serial[SERIAL_MOST];
    size_t serial_len;  /* 0 = random */
    const char *digest; /* NULL = the signing key's usual one */
    bool must_staple;
    GENERAL_NAMES *crl_urls;
    GENERAL_NAMES *ocsp_urls;
    NAME_CONSTRAINTS *constraints; /* NULL = none */
    EVP_PKEY *requester;           /* of the request that it came from, or NULL */
};

int32_t template_pin(int64_t handle, struct template **tmpl) MUST_USE;
void template_drop(struct template *tmpl);
/* Makes an empty template with one reference; NULL without memory. */
struct template *template_make(void);
/* Gives a handle that takes over the caller's reference, on failure too. */
int64_t template_handle_new(struct template *tmpl);

/* With the lock held: */
/* What the certificate may be used for, set or inferred; 0 = not restricted. */
int32_t template_usage(const struct template *tmpl);
/* The subject, set or inferred, as a copy; E_ARGUMENT if there is nothing to infer it from. */
int32_t template_subject(const struct template *tmpl, X509_NAME **subject) MUST_USE;
/* Signs with the certificate's own key. */
int32_t template_sign_self(const struct template *tmpl, struct key *key, struct cert **cert) MUST_USE;
/* Signs a certificate for a public key as a CA. */
int32_t template_sign_as(const struct template *tmpl, EVP_PKEY *subject_key, const struct identity *ca,
                         struct cert **cert) MUST_USE;

#endif
