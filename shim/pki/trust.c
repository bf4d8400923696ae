#include "trust.h"

#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "trust_load.h"

enum { ANCHOR_MEMORY = 6144 }; /* of a parsed certificate, about */

static void free_trust(void *object)
{
    trust_drop(object);
}

static int64_t memory_of_trust(void *object)
{
    struct trust *trust = object;
    int64_t total = (int64_t)sizeof *trust;

    pthread_mutex_lock(&trust->lock);
    if (!trust->only_system)
        total += (int64_t)ANCHOR_MEMORY * sk_X509_num(trust->anchors);
    for (int i = 0; i < sk_X509_CRL_num(trust->crls); i++)
        total += 3 * (int64_t)i2d_X509_CRL(sk_X509_CRL_value(trust->crls, i), NULL);
    pthread_mutex_unlock(&trust->lock);
    return total;
}

static int64_t copy_trust(void *object);

static const struct handle_kind kind = {
    .number = TLSSHIM_KIND_TRUST, .free = free_trust, .memory = memory_of_trust, .copy = copy_trust};

int32_t trust_pin(int64_t handle, struct trust **trust)
{
    void *object = NULL;
    int32_t result = handle_pin(handle, &kind, &object);

    *trust = object;
    return result;
}

struct trust *trust_ref(struct trust *trust)
{
    refs_take(&trust->refs);
    return trust;
}

void trust_drop(struct trust *trust)
{
    if (trust == NULL || !refs_drop(&trust->refs))
        return;
    sk_X509_pop_free(trust->anchors, X509_free);
    sk_X509_CRL_pop_free(trust->crls, X509_CRL_free);
    X509_STORE_free(trust->store);
    X509_STORE_free(trust->partial);
    pthread_mutex_destroy(&trust->lock);
    free(trust);
}

static struct trust *trust_of(STACK_OF(X509) * anchors, STACK_OF(X509_CRL) * crls)
{
    struct trust *trust = calloc(1, sizeof *trust);

    if (trust == NULL || anchors == NULL || crls == NULL) {
        sk_X509_pop_free(anchors, X509_free);
        sk_X509_CRL_pop_free(crls, X509_CRL_free);
        free(trust);
        return NULL;
    }
    refs_start(&trust->refs);
    pthread_mutex_init(&trust->lock, NULL);
    trust->anchors = anchors;
    trust->crls = crls;
    return trust;
}

struct trust *trust_make(void)
{
    return trust_of(sk_X509_new_null(), sk_X509_CRL_new_null());
}

int64_t trust_handle_new(struct trust *trust)
{
    int64_t handle;

    if (trust == NULL)
        return TLSSHIM_E_MEMORY;
    handle = handle_new(&kind, trust);
    if (handle < 0)
        trust_drop(trust);
    return handle;
}

static int64_t copy_trust(void *object)
{
    struct trust *trust = object;
    struct trust *copy;

    pthread_mutex_lock(&trust->lock);
    copy = trust_of(X509_chain_up_ref(trust->anchors), trust_share_crls(trust->crls));
    if (copy != NULL) {
        copy->only_system = trust->only_system;
        copy->store = trust_share_store(trust->store);
        copy->partial = trust_share_store(trust->partial);
        copy->digest_known = trust->digest_known;
        memcpy(copy->digest, trust->digest, sizeof copy->digest);
    }
    pthread_mutex_unlock(&trust->lock);
    return trust_handle_new(copy);
}

void trust_freeze(struct trust *trust)
{
    pthread_mutex_lock(&trust->lock);
    trust->frozen = true;
    pthread_mutex_unlock(&trust->lock);
}

/* --- adding, with the lock held --- */

struct place {
    X509 *cert;
    int at;
};

static int by_certificate(const void *a, const void *b)
{
    const struct place *left = a;
    const struct place *right = b;
    int order = X509_cmp(left->cert, right->cert);

    return order != 0 ? order : left->at - right->at;
}

/* Adds the certificates that are not there, in their order; sorted beside, so that large sets stay cheap. */
static int32_t merge_anchors(struct trust *trust, STACK_OF(X509) * anchors)
{
    int old = sk_X509_num(trust->anchors);
    int all = old + sk_X509_num(anchors);
    struct place *places = calloc((size_t)all + 1, sizeof *places);
    bool *there = calloc((size_t)all + 1, sizeof *there);
    int32_t added = 0;

    if (places == NULL || there == NULL)
        added = TLSSHIM_E_MEMORY;
    else {
        for (int i = 0; i < all; i++)
            places[i] = (struct place){i < old ? sk_X509_value(trust->anchors, i) : sk_X509_value(anchors, i - old), i};
        qsort(places, (size_t)all, sizeof *places, by_certificate);
        for (int i = 1; i < all; i++)
            there[places[i].at] = X509_cmp(places[i].cert, places[i - 1].cert) == 0;
    }
    for (int i = old; added >= 0 && i < all; i++) {
        X509 *cert = sk_X509_value(anchors, i - old);

        if (there[i])
            continue;
        if (sk_X509_push(trust->anchors, cert) == 0)
            added = TLSSHIM_E_MEMORY;
        else {
            X509_up_ref(cert);
            added++;
        }
    }
    free(places);
    free(there);
    return added;
}

static int32_t merge_crls(struct trust *trust, STACK_OF(X509_CRL) * crls)
{
    int32_t added = 0;

    for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
        X509_CRL *crl = sk_X509_CRL_value(crls, i);
        bool there = false;

        for (int j = 0; j < sk_X509_CRL_num(trust->crls) && !there; j++)
            there = X509_CRL_match(sk_X509_CRL_value(trust->crls, j), crl) == 0;
        if (there)
            continue;
        if (sk_X509_CRL_push(trust->crls, crl) == 0)
            return TLSSHIM_E_MEMORY;
        X509_CRL_up_ref(crl);
        added++;
    }
    return added;
}

static void changed(struct trust *trust)
{
    X509_STORE_free(trust->store);
    X509_STORE_free(trust->partial);
    trust->store = NULL;
    trust->partial = NULL;
    trust->only_system = false;
    trust->digest_known = false;
}

static int32_t refuse_frozen(const struct trust *trust)
{
    if (!trust->frozen)
        return TLSSHIM_OK;
    return error_new(TLSSHIM_E_FROZEN, "the trust is in use by connections: change a copy of it");
}

int32_t trust_merge(struct trust *trust, STACK_OF(X509) * anchors, STACK_OF(X509_CRL) * crls)
{
    int32_t added;
    int32_t result;

    pthread_mutex_lock(&trust->lock);
    result = refuse_frozen(trust);
    if (result == TLSSHIM_OK) {
        added = merge_anchors(trust, anchors);
        result = added < 0 ? added : merge_crls(trust, crls);
        if (added > 0 || result != 0)
            changed(trust);
        if (result >= 0)
            result += added;
    }
    pthread_mutex_unlock(&trust->lock);
    return result;
}

int32_t trust_merge_system(struct trust *trust, struct trust *from)
{
    STACK_OF(X509_CRL) *none = sk_X509_CRL_new_null();
    STACK_OF(X509) *shared = NULL;
    bool alone;
    int32_t result = none == NULL ? TLSSHIM_E_MEMORY : TLSSHIM_OK;

    pthread_mutex_lock(&trust->lock);
    alone = sk_X509_num(trust->anchors) == 0 || trust->only_system;
    if (result == TLSSHIM_OK)
        result = refuse_frozen(trust);
    if (result == TLSSHIM_OK && alone) {
        shared = X509_chain_up_ref(from->anchors);
        if (shared == NULL)
            result = TLSSHIM_E_MEMORY;
        else {
            changed(trust);
            sk_X509_pop_free(trust->anchors, X509_free);
            trust->anchors = shared;
            trust->only_system = true;
        }
    }
    pthread_mutex_unlock(&trust->lock);
    if (result == TLSSHIM_OK && !alone)
        result = trust_merge(trust, from->anchors, none);
    sk_X509_CRL_free(none);
    return result < 0 ? result : sk_X509_num(from->anchors);
}
