#include "store.h"

#include <openssl/ssl.h>
#include <stdlib.h>

#include "verified.h"

enum { CHAINS_MOST = 1024 };

static bool take_session(void *value)
{
    return SSL_SESSION_up_ref(value) == 1;
}

static void drop_session(void *value)
{
    SSL_SESSION_free(value);
}

static const struct cache_holds holds_sessions = {take_session, drop_session};

struct store *store_new(void)
{
    struct store *store = calloc(1, sizeof *store);

    if (store == NULL)
        return NULL;
    refs_start(&store->refs);
    ticket_ring_init(&store->ring);
    cache_init(&store->sessions, &holds_sessions);
    cache_init(&store->chains, &verified_holds);
    cache_bound(&store->chains, CHAINS_MOST);
    staples_init(&store->staples);
    return store;
}

struct store *store_ref(struct store *store)
{
    refs_take(&store->refs);
    return store;
}

void store_drop(struct store *store)
{
    if (store == NULL || !refs_drop(&store->refs))
        return;
    ticket_ring_free(&store->ring);
    cache_free(&store->sessions);
    cache_free(&store->chains);
    staples_free(&store->staples);
    free(store);
}
