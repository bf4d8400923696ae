#include "identity.h"

#include <openssl/x509.h>
#include <stdlib.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "chain.h"
#include "dn.h"
#include "identity_load.h"
#include "key_load.h"
#include "pem.h"

static void free_identity(void *object)
{
    identity_drop(object);
}

static int64_t memory_of_identity(void *object)
{
    const struct identity *identity = object;

    /* Chain and key are weighed with their own handles, where there are any. */
    return (int64_t)sizeof *identity + 4096 * (int64_t)identity->cert->count;
}

static const struct handle_kind kind = {
    .number = TLSSHIM_KIND_IDENTITY, .free = free_identity, .memory = memory_of_identity};

int32_t identity_pin(int64_t handle, struct identity **identity)
{
    void *object = NULL;
    int32_t result = handle_pin(handle, &kind, &object);

    *identity = object;
    return result;
}

struct identity *identity_ref(struct identity *identity)
{
    refs_take(&identity->refs);
    return identity;
}

void identity_drop(struct identity *identity)
{
    if (identity != NULL && refs_drop(&identity->refs)) {
        cert_drop(identity->cert);
        key_drop(identity->key);
        free(identity);
    }
}

static int32_t check_pair(const struct cert *cert, const struct key *key)
{
    EVP_PKEY *pkey = X509_get0_pubkey(cert->at[0]);
    struct error_detail detail = error_detail_none();

    if (pkey == NULL)
        return error_backend(TLSSHIM_E_FORMAT,
                             "the certificate's public key is of a kind that is not known, or damaged");
    if (key->signer == NULL) {
        int32_t result = key_needs_private(key);

        if (result < 0)
            return result;
    }
    if (EVP_PKEY_eq(pkey, key->pkey) == 1)
        return TLSSHIM_OK;
    error_forget_backend();
    dn_copy(X509_get_subject_name(cert->at[0]), detail.subject, sizeof detail.subject);
    detail.side = TLSSHIM_SIDE_LOCAL;
    error_say(&detail, "the key does not belong to the certificate %s: they were not made together", detail.subject);
    return error_publish(TLSSHIM_E_MISMATCH, &detail);
}

int32_t identity_make(struct cert *cert, struct key *key, struct identity **identity)
{
    struct identity *made;
    int32_t result;

    if (cert == NULL || key == NULL)
        result = TLSSHIM_E_MEMORY;
    else
        result = check_pair(cert, key);
    made = result == TLSSHIM_OK ? calloc(1, sizeof *made) : NULL;
    if (made == NULL) {
        cert_drop(cert);
        key_drop(key);
        return result < 0 ? result : TLSSHIM_E_MEMORY;
    }
    refs_start(&made->refs);
    made->cert = cert;
    made->key = key;
    *identity = made;
    return TLSSHIM_OK;
}

static int64_t identity_handle_new(struct identity *identity)
{
    int64_t handle = handle_new(&kind, identity);

    if (handle < 0)
        identity_drop(identity);
    return handle;
}

int64_t tlsshim_identity_new(int64_t cert, int64_t key)
{
    struct visit visit;
    struct cert *c;
    struct key *k;
    struct identity *made = NULL;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = cert_pin(cert, &c);
    if (result == TLSSHIM_OK) {
        result = key_pin(key, &k);
        if (result == TLSSHIM_OK) {
            result = identity_make(cert_ref(c), key_ref(k), &made);
            handle_unpin(key);
        }
        handle_unpin(cert);
    }
    if (result == TLSSHIM_OK)
        result = identity_handle_new(made);
    visit_leave(&visit);
    return result;
}

static int64_t identity_load(struct source *source, struct bytes passphrase)
{
    struct identity *made = NULL;
    int32_t result = identity_from_source(source, passphrase, &made);

    return result < 0 ? result : identity_handle_new(made);
}

int64_t tlsshim_identity_load(const void *data, int32_t data_len, const void *passphrase, int32_t passphrase_len)
{
    struct visit visit;
    struct source source;
    struct bytes in;
    struct bytes pass;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = bytes_in(data, data_len, FILE_LIMIT, "data", &in);
    if (result == TLSSHIM_OK)
        result = bytes_in(passphrase, passphrase_len, PASSPHRASE_LIMIT, "passphrase", &pass);
    if (result == TLSSHIM_OK) {
        source_of(&source, in);
        result = identity_load(&source, pass);
    }
    visit_leave(&visit);
    return result;
}

int64_t tlsshim_identity_load_file(const void *path, int32_t path_len, const void *passphrase, int32_t passphrase_len)
{
    struct visit visit;
    struct source source;
    struct bytes name;
    struct bytes pass;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = path_in(path, path_len, "path", &name);
    if (result == TLSSHIM_OK)
        result = bytes_in(passphrase, passphrase_len, PASSPHRASE_LIMIT, "passphrase", &pass);
    if (result == TLSSHIM_OK)
        result = source_file(&source, name, FILE_LIMIT);
    if (result == TLSSHIM_OK) {
        result = identity_load(&source, pass);
        source_end(&source);
    }
    visit_leave(&visit);
    return result;
}

int64_t tlsshim_identity_insecure_load_legacy(const void *data, int32_t data_len, const void *passphrase,
                                              int32_t passphrase_len)
{
    struct visit visit;
    struct source source;
    struct bytes in;
    struct bytes pass;
    struct identity *made = NULL;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = bytes_in(data, data_len, FILE_LIMIT, "data", &in);
    if (result == TLSSHIM_OK)
        result = bytes_in(passphrase, passphrase_len, PASSPHRASE_LIMIT, "passphrase", &pass);
    if (result == TLSSHIM_OK) {
        source_of(&source, in);
        result = identity_from_legacy(&source, pass, &made);
        if (result == TLSSHIM_OK)
            result = identity_handle_new(made);
    }
    visit_leave(&visit);
    return result;
}

int32_t tlsshim_identity_export_pkcs12(int64_t identity, const void *passphrase, int32_t passphrase_len,
                                       const void *friendly_name, int32_t friendly_name_len, void *data,
                                       int32_t data_cap)
{
    struct visit visit;
    struct bytes pass;
    struct bytes name;
    struct identity *i;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = identity_pin(identity, &i);
    if (result == TLSSHIM_OK) {
        result = text_in(passphrase, passphrase_len, PASSPHRASE_LIMIT, "passphrase", &pass);
        if (result == TLSSHIM_OK)
            result = text_in(friendly_name, friendly_name_len, 256, "friendly_name", &name);
        if (result == TLSSHIM_OK)
            result = identity_to_pkcs12(i, pass, name, data, data_cap);
        handle_unpin(identity);
    }
    visit_leave(&visit);
    return result;
}

int64_t tlsshim_identity_cert(int64_t identity)
{
    struct visit visit;
    struct identity *i;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = identity_pin(identity, &i);
    if (result == TLSSHIM_OK) {
        result = cert_handle_new(cert_ref(i->cert));
        handle_unpin(identity);
    }
    visit_leave(&visit);
    return result;
}

int64_t tlsshim_identity_key(int64_t identity)
{
    struct visit visit;
    struct identity *i;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = identity_pin(identity, &i);
    if (result == TLSSHIM_OK) {
        result = key_handle_new(key_ref(i->key));
        handle_unpin(identity);
    }
    visit_leave(&visit);
    return result;
}
