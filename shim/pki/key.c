#include "key.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "external.h"
#include "key_load.h"
#include "pem.h"

static void free_key(void *object)
{
    key_drop(object);
}

static int64_t memory_of_key(void *object)
{
    const struct key *key = object;

    /* The numbers of a key, some as copies for blinding and for the provider's own form. */
    return (int64_t)sizeof *key + 1024 + 8 * (int64_t)EVP_PKEY_get_size(key->pkey);
}

static const struct handle_kind kind = {.number = TLSSHIM_KIND_KEY, .free = free_key, .memory = memory_of_key};

int32_t key_pin(int64_t handle, struct key **key)
{
    void *object = NULL;
    int32_t result = handle_pin(handle, &kind, &object);

    *key = object;
    return result;
}

struct key *key_ref(struct key *key)
{
    refs_take(&key->refs);
    return key;
}

void key_drop(struct key *key)
{
    if (key != NULL && refs_drop(&key->refs)) {
        EVP_PKEY_free(key->pkey);
        EVP_PKEY_free(key->signer);
        free(key);
    }
}

struct key *key_from_pkey(EVP_PKEY *pkey, bool private_half)
{
    struct key *key = calloc(1, sizeof *key);

    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    refs_start(&key->refs);
    key->pkey = pkey;
    key->private_half = private_half;
    return key;
}

int64_t key_handle_new(struct key *key)
{
    int64_t handle;

    if (key == NULL)
        return TLSSHIM_E_MEMORY;
    handle = handle_new(&kind, key);
    if (handle < 0)
        key_drop(key);
    return handle;
}

EVP_PKEY *key_signer(const struct key *key)
{
    return key->private_half ? key->pkey : key->signer;
}

int32_t key_needs_private(const struct key *key)
{
    if (key->private_half)
        return TLSSHIM_OK;
    if (key->signer != NULL)
        return error_new(TLSSHIM_E_MISMATCH, "the private half of this key is elsewhere: it cannot be used here");
    return error_new(TLSSHIM_E_MISMATCH, "this is a public key: the private key is needed");
}

static const struct {
    const char *name;    /* ours */
    const char *type;    /* the backend's */
    const char *group;   /* for "EC" */
    const char *backend; /* what the backend calls the group */
} known[] = {
    {"P-256", "EC", "P-256", "prime256v1"}, {"P-384", "EC", "P-384", "secp384r1"},
    {"P-521", "EC", "P-521", "secp521r1"},  {"ED25519", "ED25519", NULL, NULL},
    {"ED448", "ED448", NULL, NULL},
};
enum { KNOWN = sizeof known / sizeof known[0], RSA_LEAST = 2048, RSA_MOST = 8192 };

void key_algorithm_text(EVP_PKEY *pkey, struct buffer *out)
{
    const char *type = EVP_PKEY_get0_type_name(pkey);
    char group[64] = "";

    if (type == NULL)
        type = "unknown";
    if (strcmp(type, "RSA") == 0) {
        buffer_format(out, "RSA-%d", EVP_PKEY_get_bits(pkey));
        return;
    }
    if (strcmp(type, "EC") == 0 && EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1) {
        for (size_t i = 0; i < KNOWN; i++)
            if (known[i].backend != NULL && strcmp(known[i].backend, group) == 0)
                strcpy(group, known[i].group);
        type = group;
    }
    error_forget_backend();
    buffer_text(out, type);
}

const EVP_MD *key_default_digest(EVP_PKEY *pkey)
{
    const char *type = EVP_PKEY_get0_type_name(pkey);
    int bits = EVP_PKEY_get_bits(pkey);

    if (type == NULL || strcmp(type, "ED25519") == 0 || strcmp(type, "ED448") == 0)
        return NULL;
    if (strcmp(type, "EC") == 0 && bits > 384)
        return EVP_sha512();
    if (strcmp(type, "EC") == 0 && bits > 256)
        return EVP_sha384();
    return EVP_sha256();
}

/* The bits of "RSA-n", or 0. */
static unsigned rsa_bits(struct bytes algorithm)
{
    unsigned bits = 0;

    if (algorithm.len != 8 || strncasecmp((const char *)algorithm.data, "RSA-", 4) != 0)
        return 0;
    for (size_t i = 4; i < 8; i++) {
        if (algorithm.data[i] < '0' || algorithm.data[i] > '9')
            return 0;
        bits = bits * 10 + (unsigned)(algorithm.data[i] - '0');
    }
    return bits >= RSA_LEAST && bits <= RSA_MOST && bits % 256 == 0 ? bits : 0;
}

/* Called by the backend every now and then: big keys take longer than an exit waits. */
static int not_exiting(EVP_PKEY_CTX *context)
{
    (void)context;
    return !backend_exiting();
}

static EVP_PKEY *rsa_generate(int bits)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(backend_context(), "RSA", NULL);
    EVP_PKEY *pkey = NULL;

    if (context != NULL && EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) == 1) {
        EVP_PKEY_CTX_set_cb(context, not_exiting);
        EVP_PKEY_generate(context, &pkey);
    }
    EVP_PKEY_CTX_free(context);
    return pkey;
}

static int64_t key_generate(struct bytes algorithm)
{
    EVP_PKEY *pkey = NULL;
    unsigned bits = rsa_bits(algorithm);
    bool found = bits > 0;

    if (bits > 0)
        pkey = rsa_generate((int)bits);
    for (size_t i = 0; i < KNOWN && !found; i++) {
        found = strlen(known[i].name) == algorithm.len &&
                strncasecmp(known[i].name, (const char *)algorithm.data, algorithm.len) == 0;
        if (found && known[i].group != NULL)
            pkey = EVP_PKEY_Q_keygen(backend_context(), NULL, "EC", known[i].group);
        else if (found)
            pkey = EVP_PKEY_Q_keygen(backend_context(), NULL, known[i].type);
    }
    if (!found)
        return error_new(TLSSHIM_E_ARGUMENT,
                         "no such key algorithm; there are P-256, P-384, P-521, ED25519, ED448 and RSA-2048 to "
                         "RSA-8192");
    if (pkey == NULL)
        return error_backend(TLSSHIM_E_UNSUPPORTED, "the backend cannot make such a key");
    return key_handle_new(key_from_pkey(pkey, true));
}

int64_t tlsshim_key_generate(const void *algorithm, int32_t algorithm_len)
{
    struct visit visit;
    struct bytes name;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = text_in(algorithm, algorithm_len, 64, "algorithm", &name);
    if (result == TLSSHIM_OK)
        result = key_generate(name);
    visit_leave(&visit);
    return result;
}

static int64_t key_load(struct source *source, struct bytes passphrase)
{
    EVP_PKEY *pkey = NULL;
    int32_t result = key_from_source(source, passphrase, &pkey);

    return result < 0 ? result : key_handle_new(key_from_pkey(pkey, true));
}

int64_t tlsshim_key_load(const void *data, int32_t data_len, const void *passphrase, int32_t passphrase_len)
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
        result = key_load(&source, pass);
    }
    visit_leave(&visit);
    return result;
}

int64_t tlsshim_key_load_file(const void *path, int32_t path_len, const void *passphrase, int32_t passphrase_len)
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
        result = key_load(&source, pass);
        source_end(&source);
    }
    visit_leave(&visit);
    return result;
}

/* A copy without the private half. */
static EVP_PKEY *public_half(EVP_PKEY *pkey)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    const unsigned char *at = der;
    EVP_PKEY *copy = len > 0 ? d2i_PUBKEY_ex(NULL, &at, len, backend_whole(), NULL) : NULL;

    OPENSSL_free(der);
    return copy;
}

/* The public half with one that stands for the private one beside it. */
static int64_t key_external(const struct key *key)
{
    EVP_PKEY *pkey = public_half(key->pkey);
    struct key *made;

    if (pkey == NULL)
        return error_backend(TLSSHIM_E_INTERNAL, "the public half of the key cannot be taken");
    made = key_from_pkey(pkey, false);
    if (made == NULL)
        return TLSSHIM_E_MEMORY;
    made->signer = external_key_new(pkey);
    if (made->signer != NULL)
        return key_handle_new(made);
    key_drop(made);
    return error_backend(TLSSHIM_E_UNSUPPORTED, "TLS has no use for a key of this kind");
}

int64_t tlsshim_key_external(int64_t public_key)
{
    struct visit visit;
    struct key *key;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = key_pin(public_key, &key);
    if (result == TLSSHIM_OK) {
        result = key_external(key);
        handle_unpin(public_key);
    }
    visit_leave(&visit);
    return result;
}

int32_t tlsshim_key_algorithm(int64_t key, void *text, int32_t text_cap)
{
    struct visit visit;
    struct buffer out = {0};
    struct key *k;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = key_pin(key, &k);
    if (result == TLSSHIM_OK) {
        key_algorithm_text(k->pkey, &out);
        result = buffer_out(&out, text, text_cap);
        handle_unpin(key);
    }
    visit_leave(&visit);
    return result;
}

int32_t tlsshim_key_bits(int64_t key)
{
    struct visit visit;
    struct key *k;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = key_pin(key, &k);
    if (result == TLSSHIM_OK) {
        result = EVP_PKEY_get_bits(k->pkey);
        handle_unpin(key);
    }
    visit_leave(&visit);
    return result;
}

int32_t tlsshim_key_equal(int64_t key, int64_t other)
{
    struct visit visit;
    struct key *a;
    struct key *b;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = key_pin(key, &a);
    if (result == TLSSHIM_OK) {
        result = key_pin(other, &b);
        if (result == TLSSHIM_OK) {
            result = EVP_PKEY_eq(a->pkey, b->pkey) == 1;
            handle_unpin(other);
        }
        handle_unpin(key);
    }
    visit_leave(&visit);
    return result;
}
