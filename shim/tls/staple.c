#include "staple.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/error.h"
#include "../base/handle.h"
#include "../pki/ocsp_judge.h"
#include "conn.h"
#include "stapled.h"

/* A TLS 1.2 client reads no longer message, and its header is four bytes (RFC 6066 section 8). */
enum { STAPLE_MOST = 16380 };

struct staple {
    uint8_t key[DIGEST_SIZE]; /* SHA-256 of the certificate that it is about */
    struct refs refs;
    int64_t from, until;
    size_t len;
    uint8_t der[];
};

static void drop(struct staple *staple)
{
    if (staple != NULL && refs_drop(&staple->refs))
        free(staple);
}

void staples_init(struct staples *staples)
{
    *staples = (struct staples){0};
    pthread_mutex_init(&staples->lock, NULL);
}

void staples_free(struct staples *staples)
{
    for (size_t i = 0; i < staples->count; i++)
        drop(staples->at[i]);
    free(staples->at);
    pthread_mutex_destroy(&staples->lock);
}

/* Where the key is, or would be. With the lock held, as all below that say so by their argument alone. */
static size_t place_of(const struct staples *staples, const uint8_t *key, bool *there)
{
    size_t low = 0, high = staples->count;

    *there = false;
    while (low < high && !*there) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(key, staples->at[middle]->key, DIGEST_SIZE);

        *there = order == 0;
        if (order <= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

static bool grow(struct staples *staples)
{
    size_t cap = staples->cap == 0 ? 8 : staples->cap * 2;
    struct staple **at;

    if (staples->count < staples->cap)
        return true;
    at = realloc(staples->at, cap * sizeof(struct staple *));
    if (at == NULL)
        return false;
    staples->at = at;
    staples->cap = cap;
    return true;
}

/* Those of certificates that were renewed long ago go when room is needed. */
static void forget_expired(struct staples *staples)
{
    int64_t now = time(NULL);
    size_t kept = 0;

    for (size_t i = 0; i < staples->count; i++)
        if (staples->at[i]->until >= now)
            staples->at[kept++] = staples->at[i];
        else
            drop(staples->at[i]);
    staples->count = kept;
}

/* Takes a reference of its own. */
static int32_t put(struct staples *staples, struct staple *staple, bool only_newer)
{
    int32_t result = TLSSHIM_OK;
    bool there;
    size_t at;

    pthread_mutex_lock(&staples->lock);
    if (staples->count == staples->cap)
        forget_expired(staples);
    at = place_of(staples, staple->key, &there);
    if (there && only_newer && staples->at[at]->from >= staple->from) {
        pthread_mutex_unlock(&staples->lock);
        return TLSSHIM_OK;
    }
    if (there) {
        drop(staples->at[at]);
    } else if (grow(staples)) {
        memmove(staples->at + at + 1, staples->at + at, (staples->count - at) * sizeof(struct staple *));
        staples->count++;
    } else {
        result = TLSSHIM_E_MEMORY;
    }
    if (result == TLSSHIM_OK) {
        refs_take(&staple->refs);
        staples->at[at] = staple;
    }
    pthread_mutex_unlock(&staples->lock);
    return result;
}

static void take_away(struct staples *staples, const uint8_t *key)
{
    bool there;
    size_t at;

    pthread_mutex_lock(&staples->lock);
    at = place_of(staples, key, &there);
    if (there) {
        drop(staples->at[at]);
        staples->count--;
        memmove(staples->at + at, staples->at + at + 1, (staples->count - at) * sizeof(struct staple *));
    }
    pthread_mutex_unlock(&staples->lock);
}

/* One reference for the caller, or NULL. */
static struct staple *get(struct staples *staples, const uint8_t *key)
{
    struct staple *staple = NULL;
    bool there;
    size_t at;

    pthread_mutex_lock(&staples->lock);
    at = place_of(staples, key, &there);
    if (there) {
        staple = staples->at[at];
        refs_take(&staple->refs);
    }
    pthread_mutex_unlock(&staples->lock);
    return staple;
}

/* A copy of the list that holds references, so that no two tables are ever locked together. */
static struct staple **list_of(struct staples *staples, size_t *count)
{
    struct staple **list;

    pthread_mutex_lock(&staples->lock);
    *count = staples->count;
    list = malloc((*count + 1) * sizeof(struct staple *));
    for (size_t i = 0; list != NULL && i < *count; i++) {
        list[i] = staples->at[i];
        refs_take(&list[i]->refs);
    }
    pthread_mutex_unlock(&staples->lock);
    return list;
}

int32_t staples_merge(struct staples *staples, struct staples *from)
{
    int32_t result = TLSSHIM_OK;
    struct staple **list;
    size_t count;

    if (staples == from)
        return TLSSHIM_OK;
    list = list_of(from, &count);
    if (list == NULL)
        return TLSSHIM_E_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (result == TLSSHIM_OK)
            result = put(staples, list[i], true);
        drop(list[i]);
    }
    free(list);
    return result;
}

/* --- setting one --- */

static bool key_of(X509 *leaf, uint8_t key[DIGEST_SIZE])
{
    unsigned len;

    return X509_digest(leaf, EVP_sha256(), key, &len) == 1;
}

/* The issuer's certificate, where the identity's chain has it. */
static X509 *issuer_of(const struct cert *cert)
{
    X509 *candidate = cert->at[cert->count > 1 ? 1 : 0];

    return X509_check_issued(candidate, cert->at[0]) == X509_V_OK ? candidate : NULL;
}

static int32_t code_of(enum ocsp_fault fault)
{
    switch (fault) {
    case OCSP_SOUND:
        return TLSSHIM_OK;
    case OCSP_DAMAGED:
        return TLSSHIM_E_FORMAT;
    case OCSP_UNTIMELY:
        return TLSSHIM_E_EXPIRED;
    case OCSP_OF_REVOKED:
        return TLSSHIM_E_REVOKED;
    default:
        return TLSSHIM_E_MISMATCH;
    }
}

/* What no client would take is refused here, where the host can still do something about it. */
static int32_t judge_own(const struct cert *cert, struct bytes ocsp, struct ocsp_verdict *verdict)
{
    const struct judge_rules rules = {.at_time = JUDGE_NOW, .security_level = -1};
    const struct ocsp_case of = {.answer = ocsp, .leaf = cert->at[0], .issuer = issuer_of(cert), .rules = &rules};
    int32_t result = ocsp_judge(&of, verdict);

    error_forget_backend();
    if (result < 0 || verdict->fault == OCSP_SOUND)
        return result;
    return error_publish(code_of(verdict->fault), &verdict->detail);
}

static int32_t set_staple(struct staples *staples, const struct cert *cert, struct bytes ocsp)
{
    uint8_t key[DIGEST_SIZE];
    struct ocsp_verdict verdict;
    struct staple *staple;
    int32_t result;

    if (!key_of(cert->at[0], key))
        return error_backend(TLSSHIM_E_INTERNAL, "the certificate cannot be digested");
    if (ocsp.len == 0) {
        take_away(staples, key);
        return TLSSHIM_OK;
    }
    result = judge_own(cert, ocsp, &verdict);
    if (result < 0)
        return result;
    staple = malloc(sizeof *staple + ocsp.len);
    if (staple == NULL)
        return TLSSHIM_E_MEMORY;
    refs_start(&staple->refs);
    memcpy(staple->key, key, DIGEST_SIZE);
    memcpy(staple->der, ocsp.data, ocsp.len);
    staple->len = ocsp.len;
    staple->from = verdict.from;
    staple->until = verdict.until;
    result = put(staples, staple, false);
    drop(staple);
    return result;
}

static bool uses(struct context *context, const struct identity *identity)
{
    bool found;

    pthread_mutex_lock(&context->lock);
    found = sni_holds(&context->settings.identities, identity);
    pthread_mutex_unlock(&context->lock);
    return found;
}

static int32_t set_for_context(struct context *context, const struct identity *identity, struct bytes ocsp)
{
    if (!settings_server(&context->settings)) /* the role never changes */
        return error_new(TLSSHIM_E_STATE, "only a server staples OCSP answers");
    if (!uses(context, identity))
        return error_new(TLSSHIM_E_MISMATCH, "the identity is none of the context's (context_add_identity)");
    return set_staple(&context->store->staples, identity->cert, ocsp);
}

int32_t tlsshim_context_set_staple(int64_t context, int64_t identity, const void *ocsp, int32_t ocsp_len)
{
    struct context *c = NULL;
    struct identity *own = NULL;
    struct visit visit;
    struct bytes in;
    int32_t result = context_pin(context, &c);

    if (result < 0)
        return result;
    result = visit_enter(&visit);
    if (result == TLSSHIM_OK) {
        result = bytes_in(ocsp, ocsp_len, STAPLE_MOST, "ocsp", &in);
        if (result == TLSSHIM_OK)
            result = identity_pin(identity, &own);
        if (result == TLSSHIM_OK) {
            result = set_for_context(c, own, in);
            handle_unpin(identity);
        }
        visit_leave(&visit);
    }
    handle_unpin(context);
    return result;
}

/* --- showing it --- */

static bool alive(const struct staple *staple)
{
    int64_t now = time(NULL);

    return now >= staple->from && now <= staple->until;
}

/* Called once it is settled which certificate is shown, and only if the client has asked. */
static int on_status_wanted(SSL *ssl, void *arg)
{
    struct conn *conn = conn_of(ssl);
    X509 *leaf = SSL_get_certificate(ssl);
    uint8_t key[DIGEST_SIZE];
    struct staple *staple = leaf != NULL && key_of(leaf, key) ? get(&conn->context->store->staples, key) : NULL;
    uint8_t *der = NULL;

    (void)arg;
    if (staple == NULL || !alive(staple)) {
        drop(staple);
        return SSL_TLSEXT_ERR_NOACK;
    }
    der = OPENSSL_memdup(staple->der, staple->len);
    if (der != NULL && SSL_set_tlsext_status_ocsp_resp(ssl, der, (long)staple->len) == 1) {
        drop(staple);
        return SSL_TLSEXT_ERR_OK;
    }
    OPENSSL_free(der);
    drop(staple);
    conn_fail(conn, TLSSHIM_E_MEMORY);
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void staple_install(const struct setup *setup)
{
    if (settings_server(&setup->settings))
        SSL_CTX_set_tlsext_status_cb(setup->ctx, on_status_wanted);
    else if (setup->settings.staple_mode != TLSSHIM_STAPLE_OFF)
        stapled_install(setup->ctx);
}
