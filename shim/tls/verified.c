#include "verified.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <time.h>

#include "../base/refs.h"
#include "conn.h"

struct verified {
    struct refs refs;
    STACK_OF(X509) * chain;
    int64_t from; /* of the certificates and CRLs; seconds since 1970 */
    int64_t until;
    int64_t made_ms; /* monotonic: a clock that steps back prolongs nothing */
};

static bool take(void *value)
{
    refs_take(&((struct verified *)value)->refs);
    return true;
}

static void drop(void *value)
{
    struct verified *verified = value;

    if (!refs_drop(&verified->refs))
        return;
    sk_X509_pop_free(verified->chain, X509_free);
    free(verified);
}

const struct cache_holds verified_holds = {take, drop};

static bool add_certificate(EVP_MD_CTX *digest, X509 *cert)
{
    uint8_t *der = NULL;
    int len = i2d_X509(cert, &der);
    bool added =
        len > 0 && EVP_DigestUpdate(digest, &len, sizeof len) == 1 && EVP_DigestUpdate(digest, der, (size_t)len) == 1;

    OPENSSL_free(der);
    return added;
}

/* The setup's rules cover trust, purpose (by the role), depth, flags and security level. */
static bool key_of(const struct conn *conn, X509 *leaf, STACK_OF(X509) * presented, uint8_t key[DIGEST_SIZE])
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool done = digest != NULL && EVP_DigestInit_ex2(digest, conn->setup->sha256, NULL) == 1 &&
                EVP_DigestUpdate(digest, conn->setup->rules, DIGEST_SIZE) == 1 && add_certificate(digest, leaf);

    for (int i = 0; done && i < sk_X509_num(presented); i++)
        done = add_certificate(digest, sk_X509_value(presented, i));
    done = done && EVP_DigestFinal_ex(digest, key, NULL) == 1;
    EVP_MD_CTX_free(digest);
    return done;
}

static bool in_use(const struct conn *conn)
{
    const struct settings *s = &conn->setup->settings;

    return s->chain_cache > 0 && s->insecure == 0;
}

STACK_OF(X509) * verified_find(const struct conn *conn, X509 *leaf, STACK_OF(X509) * presented, int64_t *until)
{
    STACK_OF(X509) *chain = NULL;
    struct session_span unused;
    struct verified *verified;
    uint8_t key[DIGEST_SIZE];
    int64_t now = time(NULL);

    if (!in_use(conn) || !key_of(conn, leaf, presented, key))
        return NULL;
    verified = cache_get(&conn->context->store->chains, (struct bytes){key, sizeof key}, NULL, &unused);
    if (verified == NULL)
        return NULL;
    if (clock_ms() - verified->made_ms < conn->setup->settings.chain_cache * 1000 && now >= verified->from &&
        now < verified->until) {
        chain = X509_chain_up_ref(verified->chain);
        *until = verified->until;
    } else {
        cache_remove(&conn->context->store->chains, (struct bytes){key, sizeof key}, verified);
    }
    drop(verified);
    return chain;
}

void verified_keep(const struct conn *conn, X509 *leaf, STACK_OF(X509) * presented, STACK_OF(X509) * chain,
                   int64_t from, int64_t until)
{
    struct verified *verified;
    uint8_t key[DIGEST_SIZE];

    if (!in_use(conn) || chain == NULL || !key_of(conn, leaf, presented, key))
        return;
    verified = calloc(1, sizeof *verified);
    if (verified == NULL)
        return;
    refs_start(&verified->refs);
    verified->chain = X509_chain_up_ref(chain);
    verified->from = from;
    verified->until = until;
    verified->made_ms = clock_ms();
    if (verified->chain != NULL)
        cache_put(&conn->context->store->chains, (struct bytes){key, sizeof key}, verified, (struct session_span){0});
    drop(verified);
}
