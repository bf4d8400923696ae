#include "base/gate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/backend.h"
#include "base/handle.h"
#include "support/support.h"

static atomic_int stage;
static atomic_int inner_visits;

/* Ends a child at once: a sanitizer would look for the threads that it left in the parent. */
static void leave(int status)
{
    syscall(SYS_exit_group, status);
}

static void wait_ms(int ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&pause, NULL);
}

static void wait_for_stage(int wanted)
{
    while (atomic_load(&stage) < wanted)
        wait_ms(1);
}

static int exit_status(pid_t child)
{
    int status = -1;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "the child was killed by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

/* Stays inside for so many milliseconds, with visits within the visit as long as it lasts. */
static void *stay_inside(void *ms)
{
    struct visit visit, inner;

    if (visit_enter(&visit) < 0)
        return NULL;
    atomic_store(&stage, 1);
    for (int i = 0; i < *(int *)ms; i++) {
        if (visit_enter(&inner) == TLSSHIM_OK) {
            visit_leave(&inner);
            atomic_fetch_add(&inner_visits, 1);
        }
        wait_ms(1);
    }
    atomic_store(&stage, 2);
    visit_leave(&visit);
    return NULL;
}

static pthread_t somebody_inside(int *ms)
{
    pthread_t thread;

    atomic_store(&stage, 0);
    atomic_store(&inner_visits, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, stay_inside, ms), 0);
    wait_for_stage(1);
    return thread;
}

/* In a child: 0 if visits are possible, 20 if they are E_FORKED. */
static int visits_here(void)
{
    struct visit visit;
    int32_t result = visit_enter(&visit);

    if (result == TLSSHIM_OK)
        visit_leave(&visit);
    return -result;
}

START_TEST(a_fork_waits_until_nobody_is_inside)
{
    int ms = 40;
    pthread_t thread = somebody_inside(&ms);
    pid_t child = fork();

    if (child == 0)
        leave(atomic_load(&stage) == 2 ? visits_here() : 1);
    ck_assert_int_eq(exit_status(child), 0);
    pthread_join(thread, NULL);
    ck_assert_int_eq(atomic_load(&inner_visits), ms); /* which were not kept waiting */
    ck_assert_int_eq(visits_here(), 0);
}
END_TEST

START_TEST(a_child_of_a_fork_that_could_not_wait_is_refused_instead_of_hanging)
{
    int ms = 600;
    pthread_t thread = somebody_inside(&ms);
    pid_t child = fork(), grandchild;

    if (child == 0) {
        grandchild = fork();
        if (grandchild == 0)
            leave(visits_here());
        leave(visits_here() == -TLSSHIM_E_FORKED ? exit_status(grandchild) : 1);
    }
    ck_assert_int_eq(atomic_load(&stage), 1);
    ck_assert_int_eq(exit_status(child), -TLSSHIM_E_FORKED);
    ck_assert_int_eq(visits_here(), 0); /* the parent goes on */
    pthread_join(thread, NULL);
    child = fork(); /* and its next children are well */
    if (child == 0)
        leave(visits_here());
    ck_assert_int_eq(exit_status(child), 0);
}
END_TEST

static void drop(void *object)
{
    ++*(int *)object;
}

START_TEST(an_exit_waits_for_who_is_inside_and_lets_nobody_in)
{
    static int freed, forgotten;
    static const struct handle_kind kind = {.number = TLSSHIM_KIND_MOCK, .free = drop};
    static const struct handle_kind forgettable = {.number = TLSSHIM_KIND_MOCK, .free = drop, .forget = drop};
    pid_t child = fork();

    if (child == 0) {
        int ms = 60;
        int64_t first = handle_new(&kind, &freed), second = handle_new(&forgettable, &forgotten);
        uint8_t byte;

        somebody_inside(&ms);
        gate_close();
        if (atomic_load(&stage) != 2 || atomic_load(&inner_visits) != ms || !backend_exiting())
            leave(1);
        if (visits_here() == 0 || tlsshim_error_code(tlsshim_random(&byte, 1)) != TLSSHIM_E_STATE)
            leave(2);
        if (tlsshim_close(first) != TLSSHIM_OK || tlsshim_close(second) != TLSSHIM_OK || freed != 0 || forgotten != 1)
            leave(3);
        leave(tlsshim_close(first) == TLSSHIM_E_HANDLE ? 0 : 4);
    }
    ck_assert_int_eq(exit_status(child), 0);
}
END_TEST

START_TEST(an_exit_waits_two_seconds_at_most)
{
    pid_t child = fork();

    if (child == 0) {
        int ms = 60000;
        struct timespec began, ended;

        somebody_inside(&ms);
        clock_gettime(CLOCK_MONOTONIC, &began);
        gate_close();
        clock_gettime(CLOCK_MONOTONIC, &ended);
        leave(ended.tv_sec - began.tv_sec < 30 ? 0 : 1);
    }
    ck_assert_int_eq(exit_status(child), 0);
}
END_TEST

static atomic_int keys_begun;

static void *make_big_keys(void *unused)
{
    int64_t key;

    do {
        atomic_fetch_add(&keys_begun, 1);
        key = tlsshim_key_generate("RSA-8192", 8);
    } while (key > 0);
    leave(tlsshim_error_code(key) == TLSSHIM_E_STATE && atomic_load(&keys_begun) == 1 ? 0 : 1);
    return unused;
}

START_TEST(an_exit_cuts_the_making_of_a_big_key_short)
{
    pid_t child = fork();

    if (child == 0) {
        pthread_t thread;

        atomic_store(&keys_begun, 0);
        pthread_create(&thread, NULL, make_big_keys, NULL);
        while (atomic_load(&keys_begun) == 0)
            wait_ms(1);
        wait_ms(20);
        gate_close();
        pthread_join(thread, NULL);
    }
    ck_assert_int_eq(exit_status(child), 0);
}
END_TEST

static atomic_bool storm;
static atomic_int storming;

static void *go_in_and_out(void *count)
{
    atomic_fetch_add(&storming, 1);
    while (atomic_load(&storm)) {
        int result = visits_here();

        if (result == 0)
            atomic_fetch_add((atomic_int *)count, 1);
        else
            atomic_store(&storm, false);
    }
    return NULL;
}

START_TEST(forks_amid_busy_threads_give_children_that_can_work)
{
    enum { THREADS = 4, FORKS = 50 };
    pthread_t threads[THREADS];
    atomic_int visits = 0;

    atomic_store(&storm, true);
    atomic_store(&storming, 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, go_in_and_out, &visits), 0);
    /* A thread that begins allocates before it comes to the gate, and the sanitizers' allocator, unlike libc's, leaves
     * a child of that moment with a lock that nobody gives back. */
    while (atomic_load(&storming) < THREADS)
        wait_ms(1);
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();
        uint8_t bytes[16];

        if (child == 0)
            leave(tlsshim_random(bytes, sizeof bytes) == sizeof bytes ? visits_here() : 1);
        ck_assert_int_eq(exit_status(child), 0);
    }
    ck_assert(atomic_load(&storm)); /* nobody was refused in the parent */
    atomic_store(&storm, false);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_gt(atomic_load(&visits), FORKS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gate");
    TCase *tcase = tcase_create("gate");

    tcase_add_test(tcase, a_fork_waits_until_nobody_is_inside);
    tcase_add_test(tcase, a_child_of_a_fork_that_could_not_wait_is_refused_instead_of_hanging);
    tcase_add_test(tcase, an_exit_waits_for_who_is_inside_and_lets_nobody_in);
    tcase_add_test(tcase, an_exit_waits_two_seconds_at_most);
    tcase_add_test(tcase, an_exit_cuts_the_making_of_a_big_key_short);
    tcase_add_test(tcase, forks_amid_busy_threads_give_children_that_can_work);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
