#include "store.h"

#include <stdlib.h>

struct store *store_new(void)
{
    struct store *store = calloc(1, sizeof *store);

    if (store == NULL)
        return NULL;
    refs_start(&store->refs);
    ticket_ring_init(&store->ring);
    cache_init(&store->cache);
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
    cache_free(&store->cache);
    free(store);
}
