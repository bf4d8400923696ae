/* Resolving host names: a resolver of the test's own in place of the system's, slow and with several answers. */
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "support/socket.h"
#include "support/support.h"

typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* "slow.test" waits for it */
static atomic_int inside;
static atomic_int most_inside;
static atomic_bool signals_open;

static int of_the_system(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    resolver *function;

    memcpy(&function, &symbol, sizeof function);
    return function(host, service, hints, found);
}

static void count_in(void)
{
    int now = atomic_fetch_add(&inside, 1) + 1;
    int most = atomic_load(&most_inside);
    sigset_t mask;

    while (now > most && !atomic_compare_exchange_weak(&most_inside, &most, now))
        continue;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    if (!sigismember(&mask, SIGINT) || !sigismember(&mask, SIGUSR1))
        atomic_store(&signals_open, true);
}

/* A list that freeaddrinfo takes: the system's own answers, one after the other. */
static int answers(const char *const *hosts, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    struct addrinfo **end = found;

    for (; *hosts != NULL; hosts++) {
        int failure = of_the_system(*hosts, service, hints, end);

        if (failure != 0)
            return failure;
        while (*end != NULL)
            end = &(*end)->ai_next;
    }
    return 0;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    static const char *const both[] = {"::1", "127.0.0.1", NULL};
    int result = EAI_NONAME;

    if ((hints->ai_flags & AI_NUMERICHOST) != 0)
        return of_the_system(host, service, hints, found);
    count_in();
    if (strcmp(host, "slow.test") == 0) {
        pthread_mutex_lock(&gate);
        pthread_mutex_unlock(&gate);
    }
    if (strcmp(host, "both.test") == 0 || strcmp(host, "slow.test") == 0)
        result = answers(both, service, hints, found);
    else if (strcmp(host, "out-of-memory.test") == 0)
        result = EAI_MEMORY;
    atomic_fetch_sub(&inside, 1);
    return result;
}

static void await_no_lookup(void)
{
    int64_t until = now_ms() + SOON;

    while (atomic_load(&inside) > 0 && now_ms() < until)
        usleep(1000);
    ck_assert_int_eq(atomic_load(&inside), 0);
    usleep(5000); /* for the last thread's own end */
}

START_TEST(the_next_address_is_tried_where_nobody_listens_on_the_first)
{
    int64_t listener = listener_at("127.0.0.1", 0);
    int64_t stream = a_handle(connect_to("both.test", tlsshim_listener_port(listener), 0, SOON));
    char text[40];
    int32_t len = tlsshim_stream_text(stream, TLSSHIM_STREAM_PEER_ADDRESS, text, sizeof text);

    ck_assert_int_eq(len, 9);
    ck_assert_mem_eq(text, "127.0.0.1", 9);
    ck_assert(!atomic_load(&signals_open));
    ck_assert_ok(tlsshim_close(stream));
    ck_assert_ok(tlsshim_close(listener));
}
END_TEST

START_TEST(each_address_is_named_when_none_answers)
{
    int64_t result = connect_to("both.test", dead_port(), 0, SOON);

    ck_assert_result(result, TLSSHIM_E_CONNECT);
    ck_assert_ptr_nonnull(strstr(support_text(result), "cannot connect to both.test port "));
    ck_assert_ptr_nonnull(strstr(support_text(result), "::1: Connection refused; 127.0.0.1: Connection refused"));
}
END_TEST

START_TEST(an_unknown_name_and_an_empty_purse_are_told_apart)
{
    ck_assert_result(connect_to("unknown.test", 80, 0, SOON), TLSSHIM_E_RESOLVE);
    ck_assert_int_eq(connect_to("out-of-memory.test", 80, 0, SOON), TLSSHIM_E_MEMORY);
}
END_TEST

START_TEST(a_slow_resolver_is_left_behind_in_time)
{
    int descriptors = count_descriptors();
    int64_t began = now_ms(), stream;

    pthread_mutex_lock(&gate);
    ck_assert_int_eq(connect_to("slow.test", 80, 0, 50), TLSSHIM_TIMEOUT);
    ck_assert_int_ge(now_ms() - began, 50);
    ck_assert_int_lt(now_ms() - began, SOON / 2);
    ck_assert_int_eq(tlsshim_live(TLSSHIM_KIND_STREAM), 0);
    stream = a_handle(connect_to("slow.test", 80, 0, 0));
    ck_assert_int_eq(tlsshim_stream_handshake(stream, 20), TLSSHIM_TIMEOUT);
    ck_assert_int_eq(tlsshim_stream_handshake(stream, 0), TLSSHIM_WANT_READ);
    ck_assert_ok(tlsshim_close(stream));
    ck_assert_int_eq(tlsshim_live(TLSSHIM_KIND_STREAM), 0);
    pthread_mutex_unlock(&gate);
    await_no_lookup();
    ck_assert_int_le(count_descriptors(), descriptors);
}
END_TEST

START_TEST(a_slow_resolver_that_answers_in_time_is_good)
{
    int64_t listener = listener_at("127.0.0.1", 0), stream;

    pthread_mutex_lock(&gate);
    stream = a_handle(connect_to("slow.test", tlsshim_listener_port(listener), 0, 0));
    ck_assert_int_eq(tlsshim_stream_handshake(stream, 20), TLSSHIM_TIMEOUT);
    pthread_mutex_unlock(&gate);
    ck_assert_int_eq(tlsshim_stream_handshake(stream, SOON), TLSSHIM_OK);
    ck_assert_ok(tlsshim_close(stream));
    ck_assert_ok(tlsshim_close(listener));
}
END_TEST

enum { MANY = 100 };

START_TEST(so_many_lookups_run_at_once_and_no_more)
{
    int64_t listener = listener_at("127.0.0.1", 0);
    int64_t streams[MANY];
    int64_t until = now_ms() + 200;

    pthread_mutex_lock(&gate);
    for (int i = 0; i < MANY; i++)
        streams[i] = a_handle(connect_to("slow.test", tlsshim_listener_port(listener), 0, 0));
    while (now_ms() < until) {
        for (int i = 0; i < MANY; i++)
            ck_assert_int_eq(tlsshim_stream_handshake(streams[i], 0), TLSSHIM_WANT_READ);
        usleep(5000);
    }
    ck_assert_int_eq(atomic_load(&most_inside), 64);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < MANY; i++) {
        ck_assert_result(tlsshim_stream_handshake(streams[i], SOON), TLSSHIM_OK);
        ck_assert_ok(tlsshim_close(streams[i]));
    }
    ck_assert_ok(tlsshim_close(listener));
    await_no_lookup();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lookup");
    TCase *all = tcase_create("all");

    tcase_add_test(all, the_next_address_is_tried_where_nobody_listens_on_the_first);
    tcase_add_test(all, each_address_is_named_when_none_answers);
    tcase_add_test(all, an_unknown_name_and_an_empty_purse_are_told_apart);
    tcase_add_test(all, a_slow_resolver_is_left_behind_in_time);
    tcase_add_test(all, a_slow_resolver_that_answers_in_time_is_good);
    tcase_add_test(all, so_many_lookups_run_at_once_and_no_more);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
