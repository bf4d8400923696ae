#include "base/turn.h"

#include <sched.h>

#include "support/support.h"

enum { THREADS = 4, ROUNDS = 20000 };

static struct turn turn;
static long counter; /* of nobody but the one whose turn it is */
static atomic_int stage;

static void *count_up(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        if (!turn_take(&turn))
            return (void *)1;
        counter++;
        turn_give(&turn);
    }
    return NULL;
}

START_TEST(one_thread_at_a_time_has_the_turn)
{
    pthread_t threads[THREADS];
    void *failed;

    turn_init(&turn);
    counter = 0;
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_up, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
    must_be(counter, (int64_t)THREADS * ROUNDS);
    turn_free(&turn);
}
END_TEST

START_TEST(who_has_the_turn_is_told_so_and_keeps_it)
{
    turn_init(&turn);
    ck_assert(turn_take(&turn));
    ck_assert(!turn_take(&turn));
    turn_give(&turn);
    ck_assert(turn_take(&turn));
    turn_yield(&turn);
    ck_assert(!turn_take(&turn));
    turn_give(&turn);
    turn_free(&turn);
}
END_TEST

static void *wait_for_it(void *unused)
{
    (void)unused;
    turn_take(&turn);
    atomic_store(&stage, 1);
    turn_give(&turn);
    return NULL;
}

static void wait_until_somebody_is_next(void)
{
    while (pthread_mutex_trylock(&turn.queue) == 0) {
        pthread_mutex_unlock(&turn.queue);
        sched_yield();
    }
}

/* The owner gives and takes without a pause, as a fast reader does. */
START_TEST(who_waits_comes_before_who_comes_back)
{
    pthread_t waiter;

    for (int round = 0; round < 200; round++) {
        turn_init(&turn);
        atomic_store(&stage, 0);
        ck_assert(turn_take(&turn));
        ck_assert_int_eq(pthread_create(&waiter, NULL, wait_for_it, NULL), 0);
        wait_until_somebody_is_next();
        turn_yield(&turn);
        must_be(atomic_load(&stage), 1);
        turn_give(&turn);
        ck_assert_int_eq(pthread_join(waiter, NULL), 0);
        turn_free(&turn);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("turn");
    TCase *tcase = tcase_create("all");

    tcase_add_test(tcase, one_thread_at_a_time_has_the_turn);
    tcase_add_test(tcase, who_has_the_turn_is_told_so_and_keeps_it);
    tcase_add_test(tcase, who_waits_comes_before_who_comes_back);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
