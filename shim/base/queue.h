/* A queue of bytes in one piece. */
#ifndef SHIM_BASE_QUEUE_H
#define SHIM_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue {
    uint8_t *data;
    uint32_t head;
    uint32_t len;
    uint32_t cap;
    bool secret; /* holds what the wire never shows, and is wiped where it goes away */
};

/* Room for so many bytes behind those in the queue; what is put there joins it by queue->len. NULL without memory. */
uint8_t *queue_room(struct queue *queue, size_t len);
/* False without memory. */
bool queue_add(struct queue *queue, const void *data, size_t len);
size_t queue_take(struct queue *queue, void *data, size_t cap);
void queue_skip(struct queue *queue, size_t len);
static inline const uint8_t *queue_front(const struct queue *queue)
{
    return queue->data != NULL ? queue->data + queue->head : NULL;
}
void queue_free(struct queue *queue);

#endif
