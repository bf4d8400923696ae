/* Connections that several threads use, and close, at once. time limit: 400 s */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/guest.h"
#include "support/support.h"

enum { TOTAL = 400000, CHUNK = 3000 };

static int soak(int usual, int long_run)
{
    return getenv("SOAK") != NULL ? long_run : usual;
}

static uint8_t byte_at(int position)
{
    return (uint8_t)((unsigned)position * 2654435761U >> 24);
}

static union guest guest;

static void setup(void)
{
    ck_assert_ok(guest_make(&guest));
}

static void teardown(void)
{
    ck_assert_ok(guest_close(&guest));
    ck_assert_int_eq(tlsshim_live(0), 0);
}

struct pair {
    int64_t client, server;
};

static struct pair a_pair(void)
{
    return (struct pair){a_handle(tlsshim_conn_new(guest.client, "localhost", 9)),
                         a_handle(tlsshim_conn_new(guest.server, "", 0))};
}

/* One direction of the wire, until the other end has had enough. */
struct wire {
    int64_t from, to;
    atomic_bool *enough;
};

static void *carry(void *argument)
{
    const struct wire *wire = argument;

    while (!atomic_load(wire->enough)) {
        char bytes[5000];
        int32_t count = tlsshim_conn_drain(wire->from, bytes, sizeof bytes);

        for (int32_t at = 0; at < count && !atomic_load(wire->enough);) {
            int32_t taken = tlsshim_conn_feed(wire->to, bytes + at, count - at);

            if (taken < 0)
                ck_abort_msg("feed: %s", support_text(taken));
            at += taken;
        }
        if (count < 0)
            ck_abort_msg("drain: %s", support_text(count));
        if (count == 0)
            sched_yield();
    }
    return NULL;
}

static void *write_all(void *conn)
{
    for (int at = 0; at < TOTAL;) {
        uint8_t plain[CHUNK];
        int32_t len = TOTAL - at < CHUNK ? TOTAL - at : CHUNK;
        int32_t count;

        for (int32_t i = 0; i < len; i++)
            plain[i] = byte_at(at + i);
        count = tlsshim_conn_write(*(int64_t *)conn, plain, len);
        if (count < 0 && tlsshim_error_code(count) < -15)
            ck_abort_msg("write: %s", support_text(count));
        if (count > 0)
            at += count;
        else
            sched_yield();
    }
    return NULL;
}

static void *read_all(void *conn)
{
    for (int at = 0; at < TOTAL;) {
        uint8_t plain[CHUNK];
        int32_t count = tlsshim_conn_read(*(int64_t *)conn, plain, sizeof plain);

        if (count < 0 && tlsshim_error_code(count) < -15)
            ck_abort_msg("read: %s", support_text(count));
        for (int32_t i = 0; i < count; i++)
            if (plain[i] != byte_at(at + i))
                ck_abort_msg("byte %d is wrong", at + (int)i);
        if (count > 0)
            at += count;
        else
            sched_yield();
    }
    return NULL;
}

START_TEST(a_reader_and_a_writer_share_each_end)
{
    struct pair pair = a_pair();
    atomic_bool enough = false;
    struct wire there = {pair.client, pair.server, &enough}, back = {pair.server, pair.client, &enough};
    pthread_t carriers[2], users[4];

    pthread_create(&carriers[0], NULL, carry, &there);
    pthread_create(&carriers[1], NULL, carry, &back);
    pthread_create(&users[0], NULL, write_all, &pair.client);
    pthread_create(&users[1], NULL, read_all, &pair.client);
    pthread_create(&users[2], NULL, write_all, &pair.server);
    pthread_create(&users[3], NULL, read_all, &pair.server);
    for (int i = 0; i < 4; i++)
        pthread_join(users[i], NULL);
    atomic_store(&enough, true);
    for (int i = 0; i < 2; i++)
        pthread_join(carriers[i], NULL);
    ck_assert_ok(tlsshim_close(pair.client));
    ck_assert_ok(tlsshim_close(pair.server));
}
END_TEST

static struct pair shared;
static atomic_int in_use;

/* Every kind of call, until the handle is gone. */
static void *use_until_closed(void *number)
{
    int64_t conn = (uintptr_t)number % 2 == 0 ? shared.client : shared.server;
    int64_t other = conn == shared.client ? shared.server : shared.client;
    char bytes[2000];
    int32_t result = 0;
    int64_t n;

    atomic_fetch_add(&in_use, 1);
    for (int turn = (int)(uintptr_t)number; result != TLSSHIM_E_HANDLE; turn++) {
        switch (turn % 8) {
        case 0:
            result = tlsshim_conn_handshake(conn);
            break;
        case 1:
            result = tlsshim_conn_drain(conn, bytes, sizeof bytes);
            if (result > 0)
                tlsshim_conn_feed(other, bytes, result);
            break;
        case 2:
            result = tlsshim_conn_write(conn, "data", 4);
            break;
        case 3:
            result = tlsshim_conn_read(conn, bytes, sizeof bytes);
            break;
        case 4:
            result = tlsshim_conn_state(conn);
            break;
        case 5:
            result = tlsshim_conn_number(conn, TLSSHIM_CONN_BYTES_OUT, &n);
            break;
        case 6:
            result = (int32_t)tlsshim_memory(conn);
            break;
        default:
            result = tlsshim_conn_text(conn, TLSSHIM_CONN_CIPHER, bytes, sizeof bytes);
        }
        if (tlsshim_error_code(result) == TLSSHIM_E_INTERNAL)
            ck_abort_msg("call %d: %s", turn % 8, support_text(result));
    }
    return NULL;
}

START_TEST(closing_amid_calls_ends_them_and_frees_once)
{
    enum { THREADS = 4 };
    uint64_t random = 88172645463325252U;

    for (int round = soak(60, 3000); round > 0; round--) {
        pthread_t threads[THREADS];
        int64_t before = tlsshim_live(0);

        shared = a_pair();
        atomic_store(&in_use, 0);
        for (int i = 0; i < THREADS; i++)
            pthread_create(&threads[i], NULL, use_until_closed, (void *)(uintptr_t)i);
        while (atomic_load(&in_use) < THREADS)
            sched_yield();
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        usleep((useconds_t)(random % 3000));
        must_be(tlsshim_close(shared.client), TLSSHIM_OK);
        must_be(tlsshim_close(shared.server), TLSSHIM_OK);
        must_be(tlsshim_close(shared.client), TLSSHIM_E_HANDLE);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        must_be(tlsshim_live(0), before);
    }
}
END_TEST

enum { GARBAGE = 400 };
static int64_t garbage[GARBAGE];
static atomic_int collected;

/* As collectors do: any object, any thread, any order, some of them twice. */
static void *finalize(void *number)
{
    uint64_t random = (uint64_t)(uintptr_t)number * UINT64_C(0x9e3779b97f4a7c15) + 1;

    for (int i = 0; i < 4 * GARBAGE; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        if (tlsshim_close(garbage[random % GARBAGE]) == TLSSHIM_OK)
            atomic_fetch_add(&collected, 1);
    }
    for (int i = 0; i < GARBAGE; i++)
        if (tlsshim_close(garbage[i]) == TLSSHIM_OK)
            atomic_fetch_add(&collected, 1);
    return NULL;
}

START_TEST(finalizers_in_any_order_close_each_object_once)
{
    for (int round = soak(4, 200); round > 0; round--) {
        union guest makers;
        pthread_t threads[4];
        int count = 0;

        ck_assert_ok(guest_make(&makers));
        while (count + 2 + GUEST_HANDLES <= GARBAGE) {
            garbage[count++] = tlsshim_conn_new(makers.client, "localhost", 9);
            garbage[count++] = tlsshim_conn_new(makers.server, "", 0);
            must_be(garbage[count - 1] > 0 && garbage[count - 2] > 0, 1);
            if (count % 8 == 0)
                ck_assert_ok(guest_talk(garbage[count - 2], garbage[count - 1]));
        }
        for (int i = 0; i < GUEST_HANDLES; i++)
            garbage[count++] = makers.handle[i];
        while (count < GARBAGE)
            garbage[count++] = a_handle(tlsshim_trust_new());
        atomic_store(&collected, 0);
        for (int i = 0; i < 4; i++)
            pthread_create(&threads[i], NULL, finalize, (void *)(uintptr_t)(i + 1));
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        ck_assert_int_eq(atomic_load(&collected), GARBAGE);
        ck_assert_int_eq(tlsshim_live(0), GUEST_HANDLES);
    }
}
END_TEST

static void *connect_many(void *count)
{
    for (int i = *(int *)count; i > 0; i--) {
        int64_t result = guest_connect(&guest);

        if (result < 0)
            ck_abort_msg("guest_connect: %s", support_text(result));
    }
    return NULL;
}

START_TEST(threads_share_contexts_that_are_asked_and_refuse_to_change)
{
    pthread_t threads[4];
    int count = soak(15, 1000);
    char text[1000];
    int64_t n;

    ck_assert_ok(guest_connect(&guest));
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, connect_many, &count);
    for (int i = 0; i < 200; i++) {
        must_be(tlsshim_context_number(guest.server, TLSSHIM_CONTEXT_HANDSHAKES, &n), TLSSHIM_OK);
        must_be(tlsshim_context_text(guest.client, TLSSHIM_CONTEXT_GROUPS, text, sizeof text) > 0, 1);
        must_be(tlsshim_error_code(tlsshim_context_set_versions(guest.client, 0, 0)), TLSSHIM_E_FROZEN);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    must_be(tlsshim_context_number(guest.server, TLSSHIM_CONTEXT_HANDSHAKES, &n), TLSSHIM_OK);
    ck_assert_int_eq(n, 4 * count + 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conn_threads");
    TCase *tcase = tcase_create("conn_threads");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, soak(90, 1800));
    tcase_add_test(tcase, a_reader_and_a_writer_share_each_end);
    tcase_add_test(tcase, closing_amid_calls_ends_them_and_frees_once);
    tcase_add_test(tcase, finalizers_in_any_order_close_each_object_once);
    tcase_add_test(tcase, threads_share_contexts_that_are_asked_and_refuse_to_change);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
