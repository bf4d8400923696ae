#include "slots.h"

#include <stdatomic.h>
#include <stdbool.h>

/* A ring that holds each slot at most once, so it is never full. A cell holds slot + 1, or 0 when empty.
 * Positions count up; a giver draws one and fills it at once. A giver who vanished in between (a fork) leaves a hole,
 * before which takers turn to fresh slots; when those are used up they step over it. A giver who was
 * merely slow then finds its cell passed by or taken: its slot comes up a round later, or another position is drawn. */
static _Atomic uint32_t ring[SLOT_COUNT];
static _Atomic uint32_t head;
static _Atomic uint32_t tail;
static _Atomic int32_t fresh;

static int32_t rested(uint32_t least, bool over_holes)
{
    uint32_t at = atomic_load(&head);
    int patience = over_holes ? 1000 : 0;

    while (atomic_load(&tail) - at > least) {
        uint32_t cell = atomic_load(&ring[at % SLOT_COUNT]);

        if (cell == 0 && (!over_holes || patience-- > 0)) {
            uint32_t now = atomic_load(&head);

            if (now == at && !over_holes)
                return -1;
            at = now;
            continue;
        }
        if (!atomic_compare_exchange_weak(&head, &at, at + 1))
            continue;
        cell = atomic_exchange(&ring[at % SLOT_COUNT], 0);
        if (cell != 0)
            return (int32_t)cell - 1;
        at++;
    }
    return -1;
}

int32_t slots_take(void)
{
    int32_t slot = rested(SLOT_REST, false);

    if (slot >= 0)
        return slot;
    slot = atomic_load(&fresh);
    while (slot < SLOT_COUNT)
        if (atomic_compare_exchange_weak(&fresh, &slot, slot + 1))
            return slot;
    return rested(0, true);
}

void slots_give(int32_t slot)
{
    uint32_t at;
    uint32_t empty;

    do {
        at = atomic_fetch_add(&tail, 1);
        empty = 0;
    } while (!atomic_compare_exchange_strong(&ring[at % SLOT_COUNT], &empty, (uint32_t)slot + 1));
}
