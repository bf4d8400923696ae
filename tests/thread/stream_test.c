/* Several threads on one TLS stream, and ends that are in each other's way. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/parties.h"
#include "support/socket.h"
#include "support/support.h"
#include "support/worker.h"

static const int32_t versions[] = {TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3};
static char bulk[BULK];
static char back[BULK + 1];

START_TEST(close_wakes_who_reads_or_shakes_hands)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    struct worker waiting;
    int64_t client, server;

    for (int shaken = 0; shaken < 2; shaken++) {
        connected_streams(p.client, p.server, &client, &server);
        if (shaken)
            shake(client, server);
        start(&waiting, read_once, client, NULL, 0);
        while (tlsshim_stream_wants(client) == 0)
            usleep(100);
        usleep(2000);
        ck_assert_ok(tlsshim_close(client));
        ck_assert_result(finish(&waiting), TLSSHIM_E_CLOSED);
        ck_assert_ok(tlsshim_close(server));
    }
    parties_close(&p);
    ck_assert_int_eq(tlsshim_live(0), 0);
}
END_TEST

/* Each end has a reader and a writer, who shake hands themselves, whoever comes first. */
START_TEST(readers_and_writers_of_both_ends_work_at_once)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    static char other_back[BULK + 1];
    struct worker workers[4];
    int64_t client, server;

    fill_bulk(bulk);
    connected_streams(p.client, p.server, &client, &server);
    start(&workers[0], write_all, client, bulk, BULK);
    start(&workers[1], read_all, client, back, 0);
    start(&workers[2], write_all, server, bulk, BULK);
    start(&workers[3], read_all, server, other_back, 0);
    for (int i = 0; i < 4; i++)
        ck_assert_result(finish(&workers[i]), TLSSHIM_OK);
    ck_assert_int_eq(workers[1].len, BULK);
    ck_assert_int_eq(workers[3].len, BULK);
    ck_assert_mem_eq(back, bulk, BULK);
    ck_assert_mem_eq(other_back, bulk, BULK);
    close_both(client, server);
    parties_close(&p);
}
END_TEST

/* Whoever takes the last flight off the socket must wake the other, who waits for it in vain. */
START_TEST(two_threads_that_shake_hands_both_learn_that_it_is_done)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    struct worker workers[4];
    int64_t client, server;

    for (int round = 0; round < 40; round++) {
        connected_streams(p.client, p.server, &client, &server);
        start(&workers[0], write_all, client, bulk, 1);
        start(&workers[1], read_once, client, NULL, 0);
        start(&workers[2], write_all, server, bulk, 1);
        start(&workers[3], read_once, server, NULL, 0);
        for (int i = 0; i < 4; i++)
            ck_assert_int_eq(finish(&workers[i]), i % 2);
        close_both(client, server);
    }
    parties_close(&p);
}
END_TEST

/* One record holds bytes for all of them. */
START_TEST(readers_who_share_a_stream_are_all_served)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    struct worker readers[8];
    int64_t client, server;

    shaken_streams(&p, &client, &server);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 8; i++)
            start(&readers[i], read_once, client, NULL, 0);
        if (round % 2 == 0)
            usleep(1000);
        ck_assert_int_eq(tlsshim_stream_write(server, bulk, 8, SOON), 8);
        for (int i = 0; i < 8; i++)
            ck_assert_int_eq(finish(&readers[i]), 1);
    }
    close_both(client, server);
    parties_close(&p);
}
END_TEST

/* Both have filled the way to the other before either reads. */
START_TEST(two_ends_that_both_write_first_get_out_of_each_others_way)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t ends[2];
    int64_t sent[2] = {0, 0};
    static char rooms[2][1 << 16];

    shaken_streams(&p, &ends[0], &ends[1]);
    for (int i = 0; i < 2; i++) {
        int32_t taken;

        while ((taken = tlsshim_stream_write(ends[i], bulk, BULK, 0)) > 0)
            sent[i] += taken;
        ck_assert_int_eq(taken, TLSSHIM_WANT_WRITE);
    }
    for (int64_t got[2] = {0, 0}; got[0] < sent[1] || got[1] < sent[0];) {
        for (int i = 0; i < 2; i++) {
            int32_t some = got[i] < sent[1 - i] ? tlsshim_stream_read(ends[i], rooms[i], sizeof rooms[i], SOON) : 0;

            ck_assert_msg(some >= 0, "%s", support_text(some));
            got[i] += some;
        }
    }
    close_both(ends[0], ends[1]);
    parties_close(&p);
}
END_TEST

/* Over a local socket, which has as much room at the end of a test as at its beginning. */
static void a_local_pair(const struct parties *p, int64_t *client, int64_t *server)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    *client = a_handle(tlsshim_stream_adopt(ends[0], p->client, "localhost", 9, TLSSHIM_FD_TAKE));
    *server = a_handle(tlsshim_stream_adopt(ends[1], p->server, "", 0, TLSSHIM_FD_TAKE));
    shake(*client, *server);
}

START_TEST(flush_sends_what_the_peer_had_no_room_for)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t client, server, sent = 0, got = 0;
    int32_t some;

    a_local_pair(&p, &client, &server);
    while ((some = tlsshim_stream_write(client, bulk, BULK, 0)) > 0)
        sent += some;
    ck_assert_int_eq(some, TLSSHIM_WANT_WRITE);
    ck_assert_int_eq(tlsshim_stream_flush(client, 30), TLSSHIM_TIMEOUT);
    ck_assert_int_eq(tlsshim_stream_flush(client, 0), TLSSHIM_WANT_WRITE);
    ck_assert_int_eq(tlsshim_stream_wants(client), TLSSHIM_READY_WRITE);
    while (got < sent) {
        some = tlsshim_stream_read(server, back, BULK, tlsshim_stream_flush(client, 0) == TLSSHIM_OK ? SOON : 1);
        ck_assert_msg(some > 0 || some == TLSSHIM_TIMEOUT, "%s", support_text(some));
        got += some > 0 ? some : 0;
    }
    ck_assert_int_eq(tlsshim_stream_flush(client, 0), TLSSHIM_OK);
    close_both(client, server);
    parties_close(&p);
}
END_TEST

static void *read_forever(void *argument)
{
    struct worker *w = argument;
    char byte;

    while (tlsshim_stream_read(w->stream, &byte, 1, SOON) > 0)
        continue;
    return NULL;
}

START_TEST(a_cancelled_reader_leaves_the_stream_whole)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int descriptors = count_descriptors();
    struct worker reader;
    int64_t client, server;

    for (int i = 0; i < 10; i++) {
        shaken_streams(&p, &client, &server);
        start(&reader, read_forever, client, NULL, 0);
        ck_assert_int_eq(tlsshim_stream_write(server, bulk, 1000, SOON), 1000);
        if (i % 2 == 0)
            usleep(2000);
        pthread_cancel(reader.thread);
        pthread_join(reader.thread, NULL);
        send_text(client, "whole");
        expect_text(server, "whole");
        close_both(client, server);
    }
    ck_assert_int_le(count_descriptors(), descriptors);
    parties_close(&p);
    ck_assert_int_eq(tlsshim_live(0), 0);
}
END_TEST

enum { SLOTS = 12, TALKERS = 4, CLOSERS = 2, ROUNDS = 60 };

static struct parties storm_parties;
static int64_t storm_listener;
static _Atomic int64_t slots[SLOTS];
static atomic_bool storm_over;

/* What a call may meet when others close its handle, or that of the peer, at any moment. */
static bool expected(int64_t result)
{
    static const int32_t codes[] = {TLSSHIM_E_HANDLE,  TLSSHIM_E_CLOSED,   TLSSHIM_E_RESET, TLSSHIM_E_TRUNCATED,
                                    TLSSHIM_E_CONNECT, TLSSHIM_E_REJECTED, TLSSHIM_E_ALERT, TLSSHIM_E_STATE};

    if (result >= TLSSHIM_NONE)
        return true;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (support_has_code(result, codes[i]))
            return true;
    }
    return false;
}

/* Puts a handle where the closers find it; what was there is closed, unless somebody else did. */
static void publish(unsigned *seed, int64_t handle)
{
    tlsshim_close(atomic_exchange(&slots[rand_r(seed) % SLOTS], handle));
}

static void *storm_serve(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    char room[4096];

    while (!atomic_load(&storm_over)) {
        int64_t stream = tlsshim_listener_accept(storm_listener, storm_parties.server, 20);
        int64_t got;

        if (stream < 0)
            continue;
        publish(&seed, stream);
        while ((got = tlsshim_stream_read(stream, room, sizeof room, 500)) > 0) {
            if (tlsshim_stream_write(stream, room, (int32_t)got, 500) < 0)
                break;
        }
        ck_assert_msg(expected(got), "%s", support_text(got));
    }
    return NULL;
}

static void *storm_talk(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument + 100;
    int32_t port = tlsshim_listener_port(storm_listener);
    char room[4096] = "";

    for (int round = 0; round < ROUNDS; round++) {
        int64_t stream = connect_to("localhost", port, storm_parties.client, rand_r(&seed) % 2 == 0 ? 0 : 500);
        int64_t result = stream;

        if (stream > 0)
            publish(&seed, stream);
        for (int i = 0; i < 4 && result >= 0; i++) {
            result = tlsshim_stream_write(stream, room, sizeof room, 500);
            if (result > 0)
                result = tlsshim_stream_read(stream, room, sizeof room, 500);
        }
        ck_assert_msg(expected(result), "%s", support_text(result));
    }
    return NULL;
}

static void *storm_close(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument + 200;

    while (!atomic_load(&storm_over)) {
        tlsshim_close(atomic_load(&slots[rand_r(&seed) % SLOTS])); /* and leaves the number for others to use */
        usleep(300);
    }
    return NULL;
}

START_TEST(handles_may_be_closed_under_everybodys_feet)
{
    int descriptors = count_descriptors();
    pthread_t talkers[TALKERS], servers[TALKERS], closers[CLOSERS];

    storm_parties = mutual_parties(0, 0);
    storm_listener = listener_at("127.0.0.1", 0);
    for (uintptr_t i = 0; i < TALKERS; i++) {
        pthread_create(&servers[i], NULL, storm_serve, (void *)i);
        pthread_create(&talkers[i], NULL, storm_talk, (void *)i);
    }
    for (uintptr_t i = 0; i < CLOSERS; i++)
        pthread_create(&closers[i], NULL, storm_close, (void *)i);
    for (int i = 0; i < TALKERS; i++)
        pthread_join(talkers[i], NULL);
    atomic_store(&storm_over, true);
    for (int i = 0; i < TALKERS; i++)
        pthread_join(servers[i], NULL);
    for (int i = 0; i < CLOSERS; i++)
        pthread_join(closers[i], NULL);
    for (int i = 0; i < SLOTS; i++)
        tlsshim_close(atomic_load(&slots[i]));
    ck_assert_ok(tlsshim_close(storm_listener));
    parties_close(&storm_parties);
    ck_assert_int_eq(tlsshim_live(0), 0);
    ck_assert_int_le(count_descriptors(), descriptors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, close_wakes_who_reads_or_shakes_hands, 0, 2);
    tcase_add_loop_test(all, readers_and_writers_of_both_ends_work_at_once, 0, 2);
    tcase_add_loop_test(all, two_threads_that_shake_hands_both_learn_that_it_is_done, 0, 2);
    tcase_add_loop_test(all, readers_who_share_a_stream_are_all_served, 0, 2);
    tcase_add_loop_test(all, two_ends_that_both_write_first_get_out_of_each_others_way, 0, 2);
    tcase_add_loop_test(all, flush_sends_what_the_peer_had_no_room_for, 0, 2);
    tcase_add_loop_test(all, a_cancelled_reader_leaves_the_stream_whole, 0, 2);
    tcase_add_test(all, handles_may_be_closed_under_everybodys_feet);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
