#include "handle.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>

#include "backend.h"
#include "error.h"
#include "process.h"
#include "slots.h"

/* A handle, bit by bit: 52..32 upper generation (never 0), 31 zero, 30..25 lower generation, 24..20 kind, 19..0 slot.
 */
enum {
    KIND_SHIFT = SLOT_BITS,
    KIND_BITS = 5,
    LOW_SHIFT = KIND_SHIFT + KIND_BITS,
    LOW_BITS = 6,
    GENERATION_BITS = 27,
    GENERATIONS = 1 << GENERATION_BITS,
    KINDS = 16,
    CHUNK = 4096,
};

/* The word of a slot: tag (kind and generation, never 0 while in use) << 32 | closed << 31 | references. */
#define CLOSED (UINT64_C(1) << 31)
#define REFERENCES (CLOSED - 1)

struct slot {
    _Atomic uint64_t word;
    const struct handle_kind *kind;
    void *object;
    uint32_t epoch; /* of the process that opened it */
    uint32_t spent; /* generations used up, counted from the random start */
};

static _Atomic(struct slot *) chunks[SLOT_COUNT / CHUNK];
static _Atomic int64_t live[KINDS];
static _Atomic uint32_t first_generation; /* + 1, so that 0 = not drawn yet */

/* Where a slot's generations start: at random, and apart for slots whose numbers are close, so that a damaged handle
 * does not name a neighbour. */
static uint32_t generation_of(uint32_t spent, int32_t slot)
{
    uint32_t first = atomic_load_explicit(&first_generation, memory_order_relaxed);
    uint32_t none = 0;

    if (first == 0) {
        uint32_t drawn = (uint32_t)(uintptr_t)&drawn >> 4; /* address randomisation, if the kernel has nothing better */

        if (getrandom(&drawn, sizeof drawn, GRND_NONBLOCK) < 0)
            drawn *= UINT32_C(0x9e3779b9);
        drawn = drawn % GENERATIONS + 1;
        first = atomic_compare_exchange_strong(&first_generation, &none, drawn) ? drawn : none;
    }
    return (first - 1 + (uint32_t)slot * UINT32_C(0x9e3779b9) + spent) % GENERATIONS;
}

/* The upper generation keeps a handle above 2^32. */
static bool generation_usable(uint32_t generation)
{
    return generation >> LOW_BITS != 0;
}

static int64_t handle_of(uint32_t generation, int32_t kind, int32_t slot)
{
    uint64_t low = (generation & ((1U << LOW_BITS) - 1)) << LOW_SHIFT | (uint32_t)kind << KIND_SHIFT | (uint32_t)slot;

    return (int64_t)((uint64_t)(generation >> LOW_BITS) << 32 | low);
}

static inline uint64_t tag_of(int64_t handle)
{
    return (uint64_t)handle >> SLOT_BITS;
}

static inline struct slot *slot_at(int32_t number)
{
    struct slot *chunk = atomic_load_explicit(&chunks[number / CHUNK], memory_order_acquire);

    return chunk == NULL ? NULL : &chunk[number % CHUNK];
}

static struct slot *slot_make(int32_t number)
{
    struct slot *none = NULL;
    struct slot *chunk;

    if (atomic_load(&chunks[number / CHUNK]) == NULL) {
        chunk = calloc(CHUNK, sizeof *chunk);
        if (chunk == NULL)
            return NULL;
        if (!atomic_compare_exchange_strong(&chunks[number / CHUNK], &none, chunk))
            free(chunk);
    }
    return slot_at(number);
}

/* The tag is stored in 32 bits of the word: 27 + 5 with the zero bit squeezed out. */
static inline uint64_t word_tag(int64_t handle)
{
    uint64_t tag = tag_of(handle);

    return (tag >> 12) << 11 | (tag & 0x7ff);
}

int64_t handle_new(const struct handle_kind *kind, void *object)
{
    struct slot *slot;
    int64_t handle;
    int32_t number = slots_take();

    if (number < 0)
        return error_new(TLSSHIM_E_LIMIT, "%d handles are open, which is as many as there can be", SLOT_COUNT);
    slot = slot_make(number);
    if (slot == NULL) {
        slots_give(number);
        return TLSSHIM_E_MEMORY;
    }
    while (!generation_usable(generation_of(slot->spent, number)))
        slot->spent++;
    handle = handle_of(generation_of(slot->spent, number), kind->number, number);
    slot->spent++;
    slot->kind = kind;
    slot->object = object;
    slot->epoch = process_epoch();
    atomic_fetch_add_explicit(&live[kind->number], 1, memory_order_relaxed);
    atomic_store_explicit(&slot->word, word_tag(handle) << 32 | 1, memory_order_release);
    return handle;
}

/* The slot that a handle names, if its bits can be a handle at all. */
static inline struct slot *slot_of(int64_t handle)
{
    if (handle < INT64_C(1) << 32 || handle >= INT64_C(1) << 53 || (handle >> 31 & 1) != 0)
        return NULL;
    return slot_at((int32_t)(handle & (SLOT_COUNT - 1)));
}

static inline struct slot *slot_pin(int64_t handle)
{
    struct slot *slot = slot_of(handle);
    uint64_t word;

    if (slot == NULL)
        return NULL;
    word = atomic_load_explicit(&slot->word, memory_order_acquire);
    do {
        if (word >> 32 != word_tag(handle) || (word & CLOSED) != 0)
            return NULL;
    } while (!atomic_compare_exchange_weak_explicit(&slot->word, &word, word + 1, memory_order_acquire,
                                                    memory_order_acquire));
    return slot;
}

static inline bool slot_inherited(const struct slot *slot)
{
    return slot->epoch != process_epoch();
}

static void slot_free(struct slot *slot, int32_t number)
{
    const struct handle_kind *kind = slot->kind;
    void *object = slot->object;
    struct visit visit;

    if (!slot_inherited(slot) && visit_enter(&visit) == TLSSHIM_OK) {
        kind->free(object);
        visit_leave(&visit);
    } else if (kind->forget != NULL) {
        kind->forget(object);
    }
    slot->object = NULL;
    atomic_fetch_sub_explicit(&live[kind->number], 1, memory_order_relaxed);
    atomic_store_explicit(&slot->word, 0, memory_order_release);
    if (slot->spent < GENERATIONS - (1U << LOW_BITS))
        slots_give(number); /* else it is spent, and retired */
}

static inline void slot_unpin(struct slot *slot, int32_t number)
{
    uint64_t before = atomic_fetch_sub_explicit(&slot->word, 1, memory_order_acq_rel);

    if ((before & REFERENCES) == 1)
        slot_free(slot, number);
}

static inline int32_t number_of(int64_t handle)
{
    return (int32_t)(handle & (SLOT_COUNT - 1));
}

int32_t handle_pin(int64_t handle, const struct handle_kind *kind, void **object)
{
    struct slot *slot;

    if ((handle >> KIND_SHIFT & ((1 << KIND_BITS) - 1)) != kind->number)
        return TLSSHIM_E_HANDLE;
    slot = slot_pin(handle);
    if (slot == NULL)
        return TLSSHIM_E_HANDLE;
    if (kind->one_process && slot_inherited(slot)) {
        slot_unpin(slot, number_of(handle));
        return TLSSHIM_E_FORKED;
    }
    *object = slot->object;
    return TLSSHIM_OK;
}

void handle_unpin(int64_t handle)
{
    slot_unpin(slot_at(number_of(handle)), number_of(handle));
}

bool handle_closing(int64_t handle)
{
    return (atomic_load_explicit(&slot_of(handle)->word, memory_order_acquire) & CLOSED) != 0;
}

void handle_spend(int64_t handle, uint32_t generations)
{
    slot_of(handle)->spent += generations;
}

int32_t handle_kind_of(int64_t handle)
{
    struct slot *slot = slot_pin(handle);
    int32_t number;

    if (slot == NULL)
        return TLSSHIM_E_HANDLE;
    number = slot->kind->number;
    slot_unpin(slot, number_of(handle));
    return number;
}

int32_t tlsshim_close(int64_t handle)
{
    struct slot *slot = slot_pin(handle);
    uint64_t word;

    if (slot == NULL)
        return TLSSHIM_E_HANDLE;
    word = atomic_fetch_or(&slot->word, CLOSED);
    if ((word & CLOSED) != 0) { /* another close came first */
        slot_unpin(slot, number_of(handle));
        return TLSSHIM_E_HANDLE;
    }
    if (slot->kind->closing != NULL && !(slot->kind->one_process && slot_inherited(slot)))
        slot->kind->closing(slot->object);
    atomic_fetch_sub(&slot->word, 1); /* the handle's own reference; the pin still holds the object */
    slot_unpin(slot, number_of(handle));
    return TLSSHIM_OK;
}

int32_t tlsshim_kind(int64_t handle)
{
    return handle_kind_of(handle);
}

int64_t tlsshim_live(int32_t kind)
{
    int64_t count = 0;

    if (kind < 0 || kind >= KINDS)
        return error_new(TLSSHIM_E_ARGUMENT, "%d is no kind of handle", kind);
    if (kind != 0)
        return atomic_load(&live[kind]);
    for (int i = 1; i < KINDS; i++)
        count += atomic_load(&live[i]);
    return count;
}

int64_t tlsshim_memory(int64_t handle)
{
    struct slot *slot = slot_pin(handle);
    int64_t bytes;

    if (slot == NULL)
        return TLSSHIM_E_HANDLE;
    bytes = slot->kind->memory(slot->object);
    slot_unpin(slot, number_of(handle));
    return bytes;
}

int64_t tlsshim_copy(int64_t handle)
{
    struct slot *slot = slot_pin(handle);
    struct visit visit;
    int64_t result;

    if (slot == NULL)
        return TLSSHIM_E_HANDLE;
    if (slot->kind->copy == NULL) {
        result = TLSSHIM_E_HANDLE;
    } else {
        result = visit_enter(&visit);
        if (result == TLSSHIM_OK) {
            result = slot->kind->copy(slot->object);
            visit_leave(&visit);
        }
    }
    slot_unpin(slot, number_of(handle));
    return result;
}
