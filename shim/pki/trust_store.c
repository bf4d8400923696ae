/* What a trust stands for: its store, its digest, its names. */
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "trust.h"

X509_STORE *trust_share_store(X509_STORE *store)
{
    return store != NULL && X509_STORE_up_ref(store) == 1 ? store : NULL;
}

STACK_OF(X509_CRL) * trust_share_crls(STACK_OF(X509_CRL) * crls)
{
    STACK_OF(X509_CRL) *shared = sk_X509_CRL_dup(crls);

    for (int i = 0; shared != NULL && i < sk_X509_CRL_num(shared); i++)
        X509_CRL_up_ref(sk_X509_CRL_value(shared, i));
    return shared;
}

/* True if the system's own set can stand in. */
static bool is_system(const struct trust *trust)
{
    return trust->only_system && sk_X509_CRL_num(trust->crls) == 0;
}

/* Certificates that others signed count for themselves only where a file says so (TRUSTED CERTIFICATE). */
static bool is_anchor(X509 *cert)
{
    return (X509_get_extension_flags(cert) & EXFLAG_SS) != 0 || X509_trusted(cert) == 1;
}

/* The backend never leaves its store again once it found an issuer there: what is no anchor stays out of it, so that
 * chains may pass through the peer's certificates and ours by turns. */
static X509_STORE *make_store(const struct trust *trust, bool partial)
{
    X509_STORE *store = X509_STORE_new();
    bool good = store != NULL;

    for (int i = 0; good && i < sk_X509_num(trust->anchors); i++) {
        X509 *cert = sk_X509_value(trust->anchors, i);

        if (partial || is_anchor(cert))
            good = X509_STORE_add_cert(store, cert) == 1;
    }
    if (good)
        return store;
    X509_STORE_free(store);
    return NULL;
}

X509_STORE *trust_store(struct trust *trust, bool partial)
{
    X509_STORE **place = partial ? &trust->partial : &trust->store;
    X509_STORE *store;
    struct trust *from = NULL;

    pthread_mutex_lock(&trust->lock);
    if (*place == NULL && trust->only_system && trust_system(&from) == TLSSHIM_OK) {
        *place = trust_store(from, partial);
        trust_drop(from);
    } else if (*place == NULL) {
        *place = make_store(trust, partial);
    }
    store = trust_share_store(*place);
    pthread_mutex_unlock(&trust->lock);
    return store;
}

int trust_anchors(struct trust *trust)
{
    int count;

    pthread_mutex_lock(&trust->lock);
    count = sk_X509_num(trust->anchors);
    pthread_mutex_unlock(&trust->lock);
    return count;
}

STACK_OF(X509_CRL) * trust_crls(struct trust *trust)
{
    STACK_OF(X509_CRL) * shared;

    pthread_mutex_lock(&trust->lock);
    shared = trust_share_crls(trust->crls);
    pthread_mutex_unlock(&trust->lock);
    return shared;
}

STACK_OF(X509) * trust_intermediates(struct trust *trust)
{
    STACK_OF(X509) *found = sk_X509_new_null();

    pthread_mutex_lock(&trust->lock);
    for (int i = 0; found != NULL && i < sk_X509_num(trust->anchors); i++) {
        X509 *cert = sk_X509_value(trust->anchors, i);

        if (!is_anchor(cert) && X509_add_cert(found, cert, X509_ADD_FLAG_UP_REF) != 1) {
            sk_X509_pop_free(found, X509_free);
            found = NULL;
        }
    }
    pthread_mutex_unlock(&trust->lock);
    return found;
}

STACK_OF(X509_NAME) * trust_ca_names(struct trust *trust)
{
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

    pthread_mutex_lock(&trust->lock);
    for (int i = 0; names != NULL && i < sk_X509_num(trust->anchors); i++) {
        const X509_NAME *subject = X509_get_subject_name(sk_X509_value(trust->anchors, i));
        X509_NAME *copy;
        bool there = false;

        for (int j = 0; j < sk_X509_NAME_num(names) && !there; j++)
            there = X509_NAME_cmp(sk_X509_NAME_value(names, j), subject) == 0;
        copy = there ? NULL : X509_NAME_dup(subject);
        if (!there && (copy == NULL || sk_X509_NAME_push(names, copy) == 0)) {
            X509_NAME_free(copy);
            sk_X509_NAME_pop_free(names, X509_NAME_free);
            names = NULL;
        }
    }
    pthread_mutex_unlock(&trust->lock);
    return names;
}

enum { DIGEST = 32 };

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, DIGEST);
}

static bool digest_sorted(uint8_t *digests, size_t count, uint8_t out[DIGEST])
{
    qsort(digests, count, DIGEST, by_bytes);
    return EVP_Q_digest(backend_context(), "SHA256", NULL, digests, count * DIGEST, out, NULL) == 1;
}

static int32_t make_digest(struct trust *trust)
{
    size_t anchors = (size_t)sk_X509_num(trust->anchors);
    size_t crls = (size_t)sk_X509_CRL_num(trust->crls);
    EVP_MD *md = EVP_MD_fetch(backend_context(), "SHA256", NULL);
    uint8_t *digests = malloc((anchors + crls + 1) * DIGEST);
    uint8_t halves[2 * DIGEST];
    bool good = md != NULL && digests != NULL;

    for (size_t i = 0; good && i < anchors; i++)
        good = X509_digest(sk_X509_value(trust->anchors, (int)i), md, digests + i * DIGEST, NULL) == 1;
    good = good && digest_sorted(digests, anchors, halves);
    for (size_t i = 0; good && i < crls; i++)
        good = X509_CRL_digest(sk_X509_CRL_value(trust->crls, (int)i), md, digests + i * DIGEST, NULL) == 1;
    good = good && digest_sorted(digests, crls, halves + DIGEST) &&
           EVP_Q_digest(backend_context(), "SHA256", NULL, halves, sizeof halves, trust->digest, NULL) == 1;
    free(digests);
    EVP_MD_free(md);
    return good ? TLSSHIM_OK : error_backend(TLSSHIM_E_INTERNAL, "the digest of the trust cannot be made");
}

int32_t trust_digest(struct trust *trust, uint8_t out[32])
{
    struct trust *from = NULL;
    int32_t result = TLSSHIM_OK;

    pthread_mutex_lock(&trust->lock);
    if (!trust->digest_known && is_system(trust)) {
        result = trust_system(&from);
        if (result == TLSSHIM_OK) {
            result = trust_digest(from, trust->digest);
            trust_drop(from);
        }
    } else if (!trust->digest_known) {
        result = make_digest(trust);
    }
    trust->digest_known = result == TLSSHIM_OK;
    if (result == TLSSHIM_OK)
        memcpy(out, trust->digest, DIGEST);
    pthread_mutex_unlock(&trust->lock);
    return result;
}
