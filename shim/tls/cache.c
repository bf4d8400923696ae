#include "cache.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_LEAST = 64, BUCKETS_MOST = 1 << 16 };

void cache_init(struct cache *cache, const struct cache_holds *holds)
{
    *cache = (struct cache){.holds = holds};
    pthread_mutex_init(&cache->lock, NULL);
}

static struct cached **bucket_of(const struct cache *cache, struct bytes key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < key.len; i++)
        h = (h ^ key.data[i]) * UINT64_C(0x100000001b3);
    return &cache->buckets[(h ^ h >> 29) % cache->bucket_count];
}

static void unlink_use(struct cache *cache, struct cached *c)
{
    *(c->newer != NULL ? &c->newer->older : &cache->newest) = c->older;
    *(c->older != NULL ? &c->older->newer : &cache->oldest) = c->newer;
}

static void link_use(struct cache *cache, struct cached *c)
{
    c->newer = NULL;
    c->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = c;
    cache->newest = c;
}

/* Takes it out of both lists and frees it; the value is the caller's. */
static void *take_out(struct cache *cache, struct cached *c)
{
    struct cached **at = bucket_of(cache, (struct bytes){c->key, c->key_len});
    void *value = c->value;

    while (*at != c)
        at = &(*at)->chain;
    *at = c->chain;
    unlink_use(cache, c);
    cache->count--;
    bytes_wipe(c, sizeof *c + c->key_len);
    free(c);
    return value;
}

static void shrink(struct cache *cache, int32_t most)
{
    while (cache->count > most)
        cache->holds->drop(take_out(cache, cache->oldest));
}

void cache_bound(struct cache *cache, int32_t most)
{
    pthread_mutex_lock(&cache->lock);
    shrink(cache, most);
    cache->most = most;
    pthread_mutex_unlock(&cache->lock);
}

void cache_free(struct cache *cache)
{
    shrink(cache, 0);
    free(cache->buckets);
    pthread_mutex_destroy(&cache->lock);
}

static bool have_buckets(struct cache *cache)
{
    size_t count = BUCKETS_LEAST;

    if (cache->buckets != NULL)
        return true;
    while (count < (size_t)cache->most && count < BUCKETS_MOST)
        count *= 2;
    cache->buckets = calloc(count, sizeof(struct cached *));
    cache->bucket_count = count;
    return cache->buckets != NULL;
}

void cache_put(struct cache *cache, struct bytes key, void *value, struct session_span span)
{
    struct cached *c = malloc(sizeof *c + key.len);
    struct cached **bucket;

    pthread_mutex_lock(&cache->lock);
    if (c == NULL || cache->most == 0 || !have_buckets(cache) || !cache->holds->take(value)) {
        free(c);
    } else {
        c->value = value;
        c->span = span;
        c->key_len = key.len;
        memcpy(c->key, key.data, key.len);
        bucket = bucket_of(cache, key);
        c->chain = *bucket;
        *bucket = c;
        link_use(cache, c);
        cache->count++;
        shrink(cache, cache->most);
    }
    pthread_mutex_unlock(&cache->lock);
}

void *cache_get(struct cache *cache, struct bytes key, bool (*once)(const void *), struct session_span *span)
{
    void *value = NULL;
    struct cached *c;

    pthread_mutex_lock(&cache->lock);
    c = cache->buckets == NULL ? NULL : *bucket_of(cache, key);
    while (c != NULL && (c->key_len != key.len || memcmp(c->key, key.data, key.len) != 0))
        c = c->chain;
    if (c != NULL) {
        *span = c->span;
        if (once != NULL && once(c->value)) {
            value = take_out(cache, c);
        } else if (cache->holds->take(c->value)) {
            value = c->value;
            unlink_use(cache, c);
            link_use(cache, c);
        }
    }
    pthread_mutex_unlock(&cache->lock);
    return value;
}

void cache_remove(struct cache *cache, struct bytes key, const void *value)
{
    struct cached *c;

    pthread_mutex_lock(&cache->lock);
    c = cache->buckets == NULL ? NULL : *bucket_of(cache, key);
    while (c != NULL && c->value != value)
        c = c->chain;
    if (c != NULL)
        cache->holds->drop(take_out(cache, c));
    pthread_mutex_unlock(&cache->lock);
}

int32_t cache_count(struct cache *cache)
{
    int32_t count;

    pthread_mutex_lock(&cache->lock);
    count = cache->count;
    pthread_mutex_unlock(&cache->lock);
    return count;
}
