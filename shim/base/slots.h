/* The free slots of the handle table: first in, first out, so that a number rests long before it comes again. */
#ifndef SHIM_BASE_SLOTS_H
#define SHIM_BASE_SLOTS_H

#include <stdint.h>

enum {
    SLOT_BITS = 20,
    SLOT_COUNT = 1 << SLOT_BITS,
    SLOT_REST = 4096, /* so many slots rest before one is used again, while there are fresh ones */
};

/* A slot to use, or -1 when all are taken. */
int32_t slots_take(void);
void slots_give(int32_t slot);

#endif
