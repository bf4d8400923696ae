#include "cert.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "chain.h"
#include "dn.h"
#include "key.h"
#include "name.h"
#include "pem.h"

static void free_cert(void *object)
{
    cert_drop(object);
}

static int64_t memory_of_cert(void *object)
{
    const struct cert *cert = object;
    int64_t total = (int64_t)sizeof *cert;

    /* Parsed, a certificate takes about four times its encoding. */
    for (int i = 0; i < cert->count; i++)
        total += 1024 + 4 * (int64_t)i2d_X509(cert->at[i], NULL);
    return total;
}

static const struct handle_kind kind = {.number = TLSSHIM_KIND_CERT, .free = free_cert, .memory = memory_of_cert};

int32_t cert_pin(int64_t handle, struct cert **cert)
{
    void *object = NULL;
    int32_t result = handle_pin(handle, &kind, &object);

    *cert = object;
    return result;
}

struct cert *cert_ref(struct cert *cert)
{
    refs_take(&cert->refs);
    return cert;
}

void cert_drop(struct cert *cert)
{
    if (cert == NULL || !refs_drop(&cert->refs))
        return;
    for (int i = 0; i < cert->count; i++)
        X509_free(cert->at[i]);
    free(cert->at);
    free(cert);
}

static struct cert *cert_room(int count)
{
    struct cert *cert = calloc(1, sizeof *cert);

    if (cert == NULL)
        return NULL;
    cert->at = calloc((size_t)count, sizeof(X509 *));
    if (cert->at == NULL) {
        free(cert);
        return NULL;
    }
    refs_start(&cert->refs);
    return cert;
}

static void cert_append(struct cert *cert, X509 *x)
{
    X509_up_ref(x);
    cert->at[cert->count++] = x;
}

struct cert *cert_from_stack(STACK_OF(X509) * certs)
{
    int count = sk_X509_num(certs);
    struct cert *cert = cert_room(count > 0 ? count : 1);

    for (int i = 0; cert != NULL && i < count; i++)
        cert_append(cert, sk_X509_value(certs, i));
    return cert;
}

struct cert *cert_from_leaf(X509 *leaf, const struct cert *chain)
{
    int behind = chain == NULL ? 0 : chain->count;
    struct cert *cert = cert_room(1 + behind);

    if (cert == NULL)
        return NULL;
    cert_append(cert, leaf);
    for (int i = 0; i < behind; i++)
        cert_append(cert, chain->at[i]);
    return cert;
}

int64_t cert_handle_new(struct cert *cert)
{
    int64_t handle;

    if (cert == NULL)
        return TLSSHIM_E_MEMORY;
    handle = handle_new(&kind, cert);
    if (handle < 0)
        cert_drop(cert);
    return handle;
}

STACK_OF(X509) * cert_chain_stack(const struct cert *cert)
{
    STACK_OF(X509) *stack = sk_X509_new_reserve(NULL, cert->count);

    for (int i = 1; stack != NULL && i < cert->count; i++)
        sk_X509_push(stack, cert->at[i]);
    return stack;
}

static int64_t cert_load(struct source *source)
{
    STACK_OF(X509) *certs = NULL;
    int64_t result = chain_from_source(source, &certs);

    if (result == TLSSHIM_OK)
        result = cert_handle_new(cert_from_stack(certs));
    sk_X509_pop_free(certs, X509_free);
    return result;
}

int64_t tlsshim_cert_load(const void *data, int32_t data_len)
{
    struct visit visit;
    struct source source;
    struct bytes in;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = bytes_in(data, data_len, FILE_LIMIT, "data", &in);
    if (result == TLSSHIM_OK) {
        source_of(&source, in);
        result = cert_load(&source);
    }
    visit_leave(&visit);
    return result;
}

int64_t tlsshim_cert_load_file(const void *path, int32_t path_len)
{
    struct visit visit;
    struct source source;
    struct bytes name;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = path_in(path, path_len, "path", &name);
    if (result == TLSSHIM_OK)
        result = source_file(&source, name, FILE_LIMIT);
    if (result == TLSSHIM_OK) {
        result = cert_load(&source);
        source_end(&source);
    }
    visit_leave(&visit);
    return result;
}

int32_t tlsshim_cert_count(int64_t cert)
{
    struct cert *c;
    int32_t result = cert_pin(cert, &c);

    if (result < 0)
        return result;
    result = c->count;
    handle_unpin(cert);
    return result;
}

int64_t tlsshim_cert_at(int64_t cert, int32_t index)
{
    struct visit visit;
    struct cert *c;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = cert_pin(cert, &c);
    if (result == TLSSHIM_OK) {
        if (index < 0)
            result = error_new(TLSSHIM_E_ARGUMENT, "the index is %d; it begins at 0", index);
        else if (index >= c->count)
            result = TLSSHIM_NONE;
        else
            result = cert_handle_new(cert_from_leaf(c->at[index], NULL));
        handle_unpin(cert);
    }
    visit_leave(&visit);
    return result;
}

static int32_t add_all(STACK_OF(X509) * certs, const struct cert *from)
{
    for (int i = 0; i < from->count; i++)
        if (X509_add_cert(certs, from->at[i], X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) != 1)
            return TLSSHIM_E_MEMORY;
    return TLSSHIM_OK;
}

static int64_t cert_join(const struct cert *leaf, const struct cert *rest)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    int64_t result = certs == NULL ? TLSSHIM_E_MEMORY : add_all(certs, leaf);

    if (result == TLSSHIM_OK)
        result = add_all(certs, rest);
    if (result == TLSSHIM_OK && sk_X509_num(certs) > CHAIN_MOST)
        result = error_new(TLSSHIM_E_LIMIT, "a chain has at most %d certificates", CHAIN_MOST);
    if (result == TLSSHIM_OK)
        result = chain_order(certs, true, "the chain");
    if (result == TLSSHIM_OK)
        result = cert_handle_new(cert_from_stack(certs));
    sk_X509_pop_free(certs, X509_free);
    return result;
}

int64_t tlsshim_cert_join(int64_t cert, int64_t rest)
{
    struct visit visit;
    struct cert *a;
    struct cert *b;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = cert_pin(cert, &a);
    if (result == TLSSHIM_OK) {
        result = cert_pin(rest, &b);
        if (result == TLSSHIM_OK) {
            result = cert_join(a, b);
            handle_unpin(rest);
        }
        handle_unpin(cert);
    }
    visit_leave(&visit);
    return result;
}

static void add_der(X509 *x, bool pem, struct buffer *out)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);

    if (len <= 0)
        out->failed = true;
    else if (pem)
        pem_write(out, "CERTIFICATE", (struct bytes){der, (size_t)len});
    else
        buffer_add(out, der, (size_t)len);
    OPENSSL_free(der);
}

static void add_public_key(X509 *x, bool pem, struct buffer *out)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

    if (len <= 0)
        out->failed = true;
    else if (pem)
        pem_write(out, "PUBLIC KEY", (struct bytes){der, (size_t)len});
    else
        buffer_add(out, der, (size_t)len);
    OPENSSL_free(der);
}

static int32_t cert_export(const struct cert *cert, int32_t format, void *data, int32_t cap)
{
    struct buffer out = {0};

    switch (format) {
    case TLSSHIM_FORMAT_PEM:
        for (int i = 0; i < cert->count; i++)
            add_der(cert->at[i], true, &out);
        break;
    case TLSSHIM_FORMAT_DER:
        add_der(cert->at[0], false, &out);
        break;
    case TLSSHIM_FORMAT_PUBLIC_PEM:
    case TLSSHIM_FORMAT_PUBLIC_DER:
        add_public_key(cert->at[0], format == TLSSHIM_FORMAT_PUBLIC_PEM, &out);
        break;
    default:
        return error_new(TLSSHIM_E_ARGUMENT, "format is none of PEM, DER, PUBLIC_PEM, PUBLIC_DER");
    }
    return buffer_out(&out, data, cap);
}

int32_t tlsshim_cert_export(int64_t cert, int32_t format, void *data, int32_t data_cap)
{
    struct visit visit;
    struct cert *c;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = cert_pin(cert, &c);
    if (result == TLSSHIM_OK) {
        result = cert_export(c, format, data, data_cap);
        handle_unpin(cert);
    }
    visit_leave(&visit);
    return result;
}

int32_t tlsshim_cert_matches_name(int64_t cert, const void *name, int32_t name_len)
{
    struct visit visit;
    struct bytes text;
    struct cert *c;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = cert_pin(cert, &c);
    if (result == TLSSHIM_OK) {
        result = text_in(name, name_len, NAME_LIMIT, "name", &text);
        if (result == TLSSHIM_OK)
            result = name_matches(c->at[0], text);
        handle_unpin(cert);
    }
    visit_leave(&visit);
    return result;
}

/* The leaf's public key, borrowed. */
static int32_t public_key(const struct cert *cert, EVP_PKEY **pkey)
{
    *pkey = X509_get0_pubkey(cert->at[0]);
    if (*pkey != NULL)
        return TLSSHIM_OK;
    return error_backend(TLSSHIM_E_FORMAT, "the certificate's public key is of a kind that is not known, or damaged");
}

int32_t tlsshim_cert_matches_key(int64_t cert, int64_t key)
{
    struct visit visit;
    struct cert *c;
    struct key *k;
    EVP_PKEY *pkey;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = cert_pin(cert, &c);
    if (result == TLSSHIM_OK) {
        result = key_pin(key, &k);
        if (result == TLSSHIM_OK) {
            result = public_key(c, &pkey);
            if (result == TLSSHIM_OK)
                result = EVP_PKEY_eq(pkey, k->pkey) == 1;
            handle_unpin(key);
        }
        handle_unpin(cert);
    }
    visit_leave(&visit);
    return result;
}

int64_t tlsshim_cert_public_key(int64_t cert)
{
    struct visit visit;
    struct cert *c;
    EVP_PKEY *pkey;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = cert_pin(cert, &c);
    if (result == TLSSHIM_OK) {
        result = public_key(c, &pkey);
        if (result == TLSSHIM_OK) {
            EVP_PKEY_up_ref(pkey);
            result = key_handle_new(key_from_pkey(pkey, false));
        }
        handle_unpin(cert);
    }
    visit_leave(&visit);
    return result;
}
