#include "slots.h"

#include <stdatomic.h>

/* A ring that holds each slot at most once, so it is never full. A cell holds slot + 1, or 0 when empty.
 * Positions count up; a giver owns the position that it drew and fills it at once. A taker looks before it draws,
 * so that a giver who vanished in between (a fork) blocks nobody. */
static _Atomic uint32_t ring[SLOT_COUNT];
static _Atomic uint32_t head;
static _Atomic uint32_t tail;
static _Atomic int32_t fresh;

static int32_t rested(uint32_t least)
{
    uint32_t at = atomic_load(&head);

    while (atomic_load(&tail) - at > least) {
        uint32_t cell = atomic_load(&ring[at % SLOT_COUNT]);

        if (cell == 0) {
            uint32_t now = atomic_load(&head);

            if (now == at)
                return -1;
            at = now;
            continue;
        }
        if (atomic_compare_exchange_weak(&head, &at, at + 1))
            return (int32_t)atomic_exchange(&ring[at % SLOT_COUNT], 0) - 1;
    }
    return -1;
}

int32_t slots_take(void)
{
    int32_t slot = rested(SLOT_REST);

    if (slot >= 0)
        return slot;
    slot = atomic_load(&fresh);
    while (slot < SLOT_COUNT)
        if (atomic_compare_exchange_weak(&fresh, &slot, slot + 1))
            return slot;
    return rested(0);
}

void slots_give(int32_t slot)
{
    uint32_t at = atomic_fetch_add(&tail, 1);

    atomic_store(&ring[at % SLOT_COUNT], (uint32_t)slot + 1);
}
