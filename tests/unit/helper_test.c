#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/backend.h"
#include "base/helper.h"
#include "support/support.h"

static struct visit visit;

static void enter(void)
{
    ck_assert_ok(visit_enter(&visit));
}

static void leave(void)
{
    ck_assert_int_eq(helpers_busy(), 0);
    visit_leave(&visit);
}

/* Parks as often as the argument says, and counts the answers. */
struct work {
    int parks;
    int went_on;
    pthread_t thread;
    sigset_t blocked;
    bool default_is_ours;
};

static int32_t work(void *argument)
{
    struct work *w = argument;

    w->thread = pthread_self();
    pthread_sigmask(SIG_SETMASK, NULL, &w->blocked);
    w->default_is_ours = OSSL_LIB_CTX_set0_default(NULL) == backend_context();
    while (w->parks-- > 0 && helper_park(&w->parks))
        w->went_on++;
    return 7;
}

START_TEST(work_runs_on_a_thread_of_our_own_that_takes_no_signals)
{
    struct helper *helper = NULL;
    struct work w = {0};
    int32_t result = 0;

    ck_assert_int_eq(helper_run(&helper, work, &w, &result), TLSSHIM_OK);
    ck_assert_int_eq(result, 7);
    ck_assert_ptr_null(helper);
    ck_assert(!pthread_equal(w.thread, pthread_self()));
    ck_assert_int_eq(sigismember(&w.blocked, SIGUSR1), 1);
    ck_assert_int_eq(sigismember(&w.blocked, SIGTERM), 1);
    ck_assert(w.default_is_ours);
}
END_TEST

START_TEST(parked_work_keeps_its_question_until_it_is_let_go_on)
{
    struct helper *helper = NULL;
    struct work w = {.parks = 3};
    int32_t result = 0;

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(helper_run(&helper, work, &w, &result), TLSSHIM_WANT_EVENT);
        ck_assert_ptr_eq(helper_question(helper), &w.parks);
        ck_assert_int_eq(w.went_on, i);
        ck_assert_int_eq(helpers_busy(), 1);
    }
    ck_assert_int_eq(helper_run(&helper, work, &w, &result), TLSSHIM_OK);
    ck_assert_int_eq(w.went_on, 3);
}
END_TEST

START_TEST(abandoned_work_gives_up_at_each_question)
{
    struct helper *helper = NULL;
    struct work w = {.parks = 3};
    int32_t result = 0;

    ck_assert_int_eq(helper_run(&helper, work, &w, &result), TLSSHIM_WANT_EVENT);
    helper_abandon(&helper);
    ck_assert_ptr_null(helper);
    ck_assert_int_eq(w.went_on, 0);
    helper_abandon(&helper); /* of nothing */
}
END_TEST

START_TEST(a_thread_that_is_no_helper_never_parks)
{
    ck_assert(!helper_park(NULL));
}
END_TEST

/* Bounded: the next is told so, and loses nothing. */
START_TEST(there_are_only_so_many_helpers)
{
    static struct helper *helpers[HELPERS_MOST + 1];
    static struct work works[HELPERS_MOST + 1];
    int32_t result = 0;

    for (int i = 0; i <= HELPERS_MOST; i++)
        works[i].parks = 1;
    for (int i = 0; i < HELPERS_MOST; i++)
        ck_assert_int_eq(helper_run(&helpers[i], work, &works[i], &result), TLSSHIM_WANT_EVENT);
    ck_assert_result(helper_run(&helpers[HELPERS_MOST], work, &works[HELPERS_MOST], &result), TLSSHIM_E_LIMIT);
    ck_assert_ptr_null(helpers[HELPERS_MOST]);
    ck_assert_int_eq(helper_run(&helpers[0], work, &works[0], &result), TLSSHIM_OK);
    ck_assert_int_eq(helper_run(&helpers[0], work, &works[HELPERS_MOST], &result), TLSSHIM_WANT_EVENT);
    for (int i = 0; i < HELPERS_MOST; i++)
        helper_abandon(&helpers[i]);
}
END_TEST

struct round {
    struct helper *helper;
    struct work work;
    int32_t result;
};

static void *finish(void *argument)
{
    struct round *round = argument;
    struct visit here;

    if (visit_enter(&here) == TLSSHIM_OK) {
        round->result =
            helper_run(&round->helper, work, &round->work, &round->result) == TLSSHIM_OK ? round->result : -1;
        visit_leave(&here);
    }
    return NULL;
}

START_TEST(another_thread_may_let_it_go_on)
{
    for (int i = 0; i < 1000; i++) {
        struct round round = {.work = {.parks = 1}};
        pthread_t thread;

        must_be(helper_run(&round.helper, work, &round.work, &round.result), TLSSHIM_WANT_EVENT);
        must_be(pthread_create(&thread, NULL, finish, &round), 0);
        pthread_join(thread, NULL);
        must_be(round.result, 7);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("helper");
    TCase *unit = tcase_create("unit");

    tcase_add_checked_fixture(unit, enter, leave);
    tcase_set_timeout(unit, 60);
    tcase_add_test(unit, work_runs_on_a_thread_of_our_own_that_takes_no_signals);
    tcase_add_test(unit, parked_work_keeps_its_question_until_it_is_let_go_on);
    tcase_add_test(unit, abandoned_work_gives_up_at_each_question);
    tcase_add_test(unit, a_thread_that_is_no_helper_never_parks);
    tcase_add_test(unit, there_are_only_so_many_helpers);
    tcase_add_test(unit, another_thread_may_let_it_go_on);
    suite_add_tcase(suite, unit);
    return run_suite(suite);
}
