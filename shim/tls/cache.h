/* A bounded store of counted things under byte keys: the least recently used goes first. */
#ifndef SHIM_TLS_CACHE_H
#define SHIM_TLS_CACHE_H

#include <pthread.h>

#include "../base/bytes.h"

/* Seconds since 1970. */
struct session_span {
    int64_t full_at; /* when the full handshake was that all rests on */
    int64_t end;     /* when what was verified then ends */
};

struct cached {
    struct cached *chain;         /* of the bucket, newest first */
    struct cached *newer, *older; /* by use */
    void *value;
    struct session_span span;
    size_t key_len;
    uint8_t key[];
};

/* How a cache holds its values. */
struct cache_holds {
    bool (*take)(void *value); /* one more reference; false if that cannot be had */
    void (*drop)(void *value);
};

struct cache {
    pthread_mutex_t lock;
    const struct cache_holds *holds;
    struct cached **buckets;
    size_t bucket_count;
    struct cached *newest, *oldest;
    int32_t count;
    int32_t most; /* 0 = off */
};

void cache_init(struct cache *cache, const struct cache_holds *holds);
void cache_free(struct cache *cache);
/* Bounds it anew; 0 empties it. */
void cache_bound(struct cache *cache, int32_t most);
/* Takes a reference of its own. A full cache lets the oldest go; without memory nothing is kept. */
void cache_put(struct cache *cache, struct bytes key, void *value, struct session_span span);
/* The newest under the key: a reference for the caller, or NULL. `once` takes it out. */
void *cache_get(struct cache *cache, struct bytes key, bool (*once)(const void *), struct session_span *span);
/* Forgets one value that stands under the key. */
void cache_remove(struct cache *cache, struct bytes key, const void *value);
int32_t cache_count(struct cache *cache);

#endif
