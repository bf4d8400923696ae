#include "base/process.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"

/* A child by fork() or by the bare system call, which skips all handlers. */
static pid_t a_child(int bare)
{
    return bare ? (pid_t)syscall(SYS_fork) : fork();
}

static int exit_status(pid_t child)
{
    int status = -1;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "the child was killed by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

START_TEST(an_epoch_stays_the_same_within_a_process)
{
    uint32_t epoch = process_epoch();

    ck_assert_uint_ne(epoch, 0);
    for (int i = 0; i < 1000; i++)
        must_be(process_epoch(), epoch);
}
END_TEST

START_TEST(child_and_grandchild_have_epochs_of_their_own)
{
    uint32_t ours = process_epoch();
    pid_t child = a_child(_i);

    if (child == 0) {
        uint32_t theirs = process_epoch();
        pid_t grandchild = a_child(_i);
        int status = -1;

        if (grandchild == 0)
            _exit(process_epoch() == theirs || process_epoch() == ours || process_epoch() == 0);
        waitpid(grandchild, &status, 0);
        _exit(theirs == ours || theirs == 0 || status != 0);
    }
    ck_assert_int_eq(exit_status(child), 0);
    ck_assert_uint_eq(process_epoch(), ours);
}
END_TEST

START_TEST(a_child_inherits_nobody_inside_and_no_lock)
{
    struct process_page *page = process_page();
    pid_t child;

    ck_assert_ptr_nonnull(page);
    atomic_fetch_add(&page->stripe[3].inside, 2);
    ck_assert_int_eq(pthread_mutex_lock(&page->start_lock), 0);
    child = a_child(_i);
    if (child == 0) {
        int busy = pthread_mutex_trylock(&process_page()->start_lock);

        _exit(busy != 0 || atomic_load(&process_page()->stripe[3].inside) != 0);
    }
    ck_assert_int_eq(pthread_mutex_unlock(&page->start_lock), 0);
    ck_assert_int_eq(atomic_fetch_sub(&page->stripe[3].inside, 2), 2);
    ck_assert_int_eq(exit_status(child), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("process");
    TCase *tcase = tcase_create("process");

    tcase_add_test(tcase, an_epoch_stays_the_same_within_a_process);
    tcase_add_loop_test(tcase, child_and_grandchild_have_epochs_of_their_own, 0, 2);
    tcase_add_loop_test(tcase, a_child_inherits_nobody_inside_and_no_lock, 0, 2);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
