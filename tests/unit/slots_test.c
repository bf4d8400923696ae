#include "base/slots.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support/support.h"

static atomic_char taken[SLOT_COUNT];

static int32_t take(void)
{
    int32_t slot = slots_take();

    if (slot >= SLOT_COUNT || (slot >= 0 && atomic_exchange(&taken[slot], 1) != 0))
        ck_abort_msg("slot %d was given out while in use", (int)slot);
    return slot;
}

static void give(int32_t slot)
{
    atomic_store(&taken[slot], 0);
    slots_give(slot);
}

START_TEST(slots_come_back_in_the_order_in_which_they_were_given)
{
    enum { SOME = 10 };
    int32_t order[SOME];
    int next = 0;

    for (int i = 0; i < SOME; i++)
        order[i] = take();
    for (int i = SOME - 1; i >= 0; i--)
        give(order[i]);
    for (int i = 0; i < 4 * SLOT_REST && next < SOME; i++) {
        int32_t slot = take();

        if (slot == order[SOME - 1 - next]) {
            must_be(i > SLOT_REST - SOME, 1);
            next++;
        }
        give(slot);
    }
    ck_assert_int_eq(next, SOME);
}
END_TEST

static void *take_and_give(void *seed)
{
    uint64_t random = (uint64_t)(uintptr_t)seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    int32_t held[64];
    int count = 0;

    for (int i = 0; i < 50000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        if (count < 64 && (count == 0 || (random & 1) != 0))
            held[count++] = take();
        else
            give(held[--count]);
    }
    while (count > 0)
        give(held[--count]);
    return NULL;
}

static void storm(void)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_and_give, (void *)(uintptr_t)(i + 1)), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

START_TEST(no_slot_is_ever_with_two_threads)
{
    storm();
}
END_TEST

START_TEST(all_can_be_taken_and_nearly_none_is_lost_in_a_storm)
{
    enum { LEFT = 300 };
    int32_t *held = calloc(SLOT_COUNT, sizeof *held);
    int count = 0;

    ck_assert_ptr_nonnull(held);
    for (int32_t slot = take(); slot >= 0; slot = take())
        held[count++] = slot;
    ck_assert_int_eq(count, SLOT_COUNT);
    must_be(slots_take(), -1);
    for (int i = 0; i < LEFT; i++) /* now takers and givers meet all the time */
        give(held[--count]);
    storm();
    for (int i = 0; i < count; i++)
        give(held[i]);
    count = 0;
    for (int32_t slot = take(); slot >= 0; slot = take())
        held[count++] = slot;
    ck_assert_int_gt(count, 1000000);
    for (int i = 0; i < count; i++)
        give(held[i]);
    free(held);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slots");
    TCase *tcase = tcase_create("slots");

    tcase_add_test(tcase, slots_come_back_in_the_order_in_which_they_were_given);
    tcase_add_test(tcase, no_slot_is_ever_with_two_threads);
    tcase_add_test(tcase, all_can_be_taken_and_nearly_none_is_lost_in_a_storm);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
