/* The public functions of trust. */
#include <openssl/x509v3.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "cert.h"
#include "trust.h"
#include "trust_load.h"

int64_t tlsshim_trust_new(void)
{
    struct visit visit;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = trust_handle_new(trust_make());
    visit_leave(&visit);
    return result;
}

static int32_t trust_add(struct trust *trust, struct source *source)
{
    struct harvest harvest;
    int32_t result = harvest_start(&harvest);

    if (result < 0)
        return result;
    result = harvest_source(&harvest, source, false);
    if (result == TLSSHIM_OK)
        result = trust_merge(trust, harvest.anchors, harvest.crls);
    harvest_end(&harvest);
    return result;
}

int32_t tlsshim_trust_add(int64_t trust, const void *data, int32_t data_len)
{
    struct visit visit;
    struct source source;
    struct bytes in;
    struct trust *t;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = trust_pin(trust, &t);
    if (result == TLSSHIM_OK) {
        result = bytes_in(data, data_len, TRUST_LIMIT, "data", &in);
        if (result == TLSSHIM_OK) {
            source_of(&source, in);
            result = trust_add(t, &source);
        }
        handle_unpin(trust);
    }
    visit_leave(&visit);
    return result;
}

static int32_t trust_add_file(struct trust *trust, struct bytes path)
{
    struct harvest harvest;
    int32_t result = harvest_start(&harvest);

    if (result < 0)
        return result;
    result = harvest_path(&harvest, path, false);
    if (result == TLSSHIM_OK)
        result = trust_merge(trust, harvest.anchors, harvest.crls);
    harvest_end(&harvest);
    return result;
}

int32_t tlsshim_trust_add_file(int64_t trust, const void *path, int32_t path_len)
{
    struct visit visit;
    struct bytes name;
    struct trust *t;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = trust_pin(trust, &t);
    if (result == TLSSHIM_OK) {
        result = path_in(path, path_len, "path", &name);
        if (result == TLSSHIM_OK)
            result = trust_add_file(t, name);
        handle_unpin(trust);
    }
    visit_leave(&visit);
    return result;
}

int32_t tlsshim_trust_add_system(int64_t trust)
{
    struct visit visit;
    struct trust *t;
    struct trust *from = NULL;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = trust_pin(trust, &t);
    if (result == TLSSHIM_OK) {
        result = trust_system(&from);
        if (result == TLSSHIM_OK) {
            result = trust_merge_system(t, from);
            trust_drop(from);
        }
        handle_unpin(trust);
    }
    visit_leave(&visit);
    return result;
}

static int32_t trust_add_cert(struct trust *trust, const struct cert *cert)
{
    STACK_OF(X509_CRL) *none = sk_X509_CRL_new_null();
    STACK_OF(X509) *certs = cert_chain_stack(cert);
    int32_t result;

    if (none == NULL || certs == NULL || sk_X509_unshift(certs, cert->at[0]) == 0)
        result = TLSSHIM_E_MEMORY;
    else
        result = trust_merge(trust, certs, none);
    sk_X509_free(certs);
    sk_X509_CRL_free(none);
    return result;
}

int32_t tlsshim_trust_add_cert(int64_t trust, int64_t cert)
{
    struct visit visit;
    struct trust *t;
    struct cert *c;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = trust_pin(trust, &t);
    if (result == TLSSHIM_OK) {
        result = cert_pin(cert, &c);
        if (result == TLSSHIM_OK) {
            result = trust_add_cert(t, c);
            handle_unpin(cert);
        }
        handle_unpin(trust);
    }
    visit_leave(&visit);
    return result;
}

static int32_t trust_count(struct trust *trust, int32_t field)
{
    int32_t count = 0;

    switch (field) {
    case TLSSHIM_TRUST_ANCHORS:
        return trust_anchors(trust);
    case TLSSHIM_TRUST_CAS:
        pthread_mutex_lock(&trust->lock);
        for (int i = 0; i < sk_X509_num(trust->anchors); i++)
            count += X509_check_ca(sk_X509_value(trust->anchors, i)) > 0;
        pthread_mutex_unlock(&trust->lock);
        return count;
    case TLSSHIM_TRUST_CRLS:
        pthread_mutex_lock(&trust->lock);
        count = sk_X509_CRL_num(trust->crls);
        pthread_mutex_unlock(&trust->lock);
        return count;
    default:
        return error_new(TLSSHIM_E_ARGUMENT, "%d is nothing that a trust counts", field);
    }
}

int32_t tlsshim_trust_count(int64_t trust, int32_t field)
{
    struct visit visit;
    struct trust *t;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = trust_pin(trust, &t);
    if (result == TLSSHIM_OK) {
        result = trust_count(t, field);
        handle_unpin(trust);
    }
    visit_leave(&visit);
    return result;
}

static int64_t trust_at(struct trust *trust, int32_t index)
{
    struct cert *found = NULL;
    bool there;

    if (index < 0)
        return error_new(TLSSHIM_E_ARGUMENT, "the index is %d; it begins at 0", index);
    pthread_mutex_lock(&trust->lock);
    there = index < sk_X509_num(trust->anchors);
    if (there)
        found = cert_from_leaf(sk_X509_value(trust->anchors, index), NULL);
    pthread_mutex_unlock(&trust->lock);
    return there ? cert_handle_new(found) : TLSSHIM_NONE;
}

int64_t tlsshim_trust_at(int64_t trust, int32_t index)
{
    struct visit visit;
    struct trust *t;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = trust_pin(trust, &t);
    if (result == TLSSHIM_OK) {
        result = trust_at(t, index);
        handle_unpin(trust);
    }
    visit_leave(&visit);
    return result;
}
