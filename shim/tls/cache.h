/* A bounded store of sessions: the least recently used goes first. */
#ifndef SHIM_TLS_CACHE_H
#define SHIM_TLS_CACHE_H

#include <openssl/ssl.h>
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
    SSL_SESSION *session;
    struct session_span span;
    size_t key_len;
    uint8_t key[];
};

struct cache {
    pthread_mutex_t lock;
    struct cached **buckets;
    size_t bucket_count;
    struct cached *newest, *oldest;
    int32_t count;
    int32_t most; /* 0 = off */
};

void cache_init(struct cache *cache);
void cache_free(struct cache *cache);
/* Bounds it anew; 0 empties it. */
void cache_bound(struct cache *cache, int32_t most);
/* Takes a reference of its own. A full cache lets the oldest go; without memory nothing is kept. */
void cache_put(struct cache *cache, struct bytes key, SSL_SESSION *session, struct session_span span);
/* The newest under the key: a reference for the caller, or NULL. `once` takes it out. */
SSL_SESSION *cache_get(struct cache *cache, struct bytes key, bool (*once)(const SSL_SESSION *),
                       struct session_span *span);
/* Forgets one session that stands under the key. */
void cache_remove(struct cache *cache, struct bytes key, const SSL_SESSION *session);
int32_t cache_count(struct cache *cache);

#endif
