#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"

enum { QUEUE_MOST = 1 << 30 };

static void data_free(struct queue *queue)
{
    if (queue->secret)
        bytes_wipe(queue->data, queue->cap);
    free(queue->data);
}

uint8_t *queue_room(struct queue *queue, size_t len)
{
    size_t cap = queue->cap != 0 ? queue->cap : 4096;
    uint8_t *grown;

    if (queue->head + queue->len + len > queue->cap) {
        while (cap < queue->len + len)
            cap *= 2;
        if (cap > QUEUE_MOST)
            return NULL;
        if (cap == queue->cap) {
            memmove(queue->data, queue->data + queue->head, queue->len);
        } else {
            grown = malloc(cap);
            if (grown == NULL)
                return NULL;
            if (queue->len > 0)
                memcpy(grown, queue->data + queue->head, queue->len);
            data_free(queue);
            queue->data = grown;
            queue->cap = (uint32_t)cap;
        }
        queue->head = 0;
    }
    return queue->data + queue->head + queue->len;
}

bool queue_add(struct queue *queue, const void *data, size_t len)
{
    uint8_t *room;

    if (len == 0)
        return true;
    room = queue_room(queue, len);
    if (room == NULL)
        return false;
    memcpy(room, data, len);
    queue->len += (uint32_t)len;
    return true;
}

void queue_skip(struct queue *queue, size_t len)
{
    queue->head += (uint32_t)len;
    queue->len -= (uint32_t)len;
    if (queue->len == 0)
        queue->head = 0;
}

size_t queue_take(struct queue *queue, void *data, size_t cap)
{
    size_t len = queue->len < cap ? queue->len : cap;

    if (len > 0)
        memcpy(data, queue->data + queue->head, len);
    queue_skip(queue, len);
    return len;
}

void queue_free(struct queue *queue)
{
    data_free(queue);
    *queue = (struct queue){.secret = queue->secret};
}
