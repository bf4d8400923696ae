/* What passes between the two ends: never the plaintext, in either mode; and many connections at once. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/pair.h"
#include "support/parties.h"

static const char secret[] = "the plaintext that nobody on the way may read";

static bool holds(const uint8_t *data, size_t len, const char *text)
{
    return memmem(data, len, text, strlen(text)) != NULL;
}

/* Moves what one end has for the other through our hands. */
static void carry(int64_t from, int64_t to, bool *seen)
{
    uint8_t data[PIPE_MOST];
    int32_t len;

    while ((len = tlsshim_conn_drain(from, data, sizeof data)) > 0) {
        *seen = *seen || holds(data, (size_t)len, secret);
        ck_assert_int_eq(tlsshim_conn_feed(to, data, len), len);
    }
    ck_assert_int_eq(len, 0);
}

START_TEST(the_engines_wire_holds_no_plaintext)
{
    int64_t client_side = client_context(ways[_i].version, certs()->trust, certs()->client);
    int64_t server_side =
        server_context(ways[_i].version, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);
    int64_t client = keep(tlsshim_conn_new(client_side, "www.test", 8));
    int64_t server = keep(tlsshim_conn_new(server_side, "", 0));
    bool seen = false;
    char back[64];
    int32_t taken = 0;

    for (int i = 0; i < 20 && taken != sizeof secret; i++) { /* also before the handshake is complete */
        taken = tlsshim_conn_write(client, secret, sizeof secret);
        carry(client, server, &seen);
        tlsshim_conn_handshake(server);
        carry(server, client, &seen);
    }
    ck_assert_int_eq(taken, sizeof secret);
    carry(client, server, &seen);
    ck_assert_int_eq(tlsshim_conn_read(server, back, sizeof back), sizeof secret);
    ck_assert_int_eq(tlsshim_conn_write(server, secret, sizeof secret), sizeof secret);
    carry(server, client, &seen);
    ck_assert_int_eq(tlsshim_conn_read(client, back, sizeof back), sizeof secret);
    ck_assert_str_eq(back, secret);
    ck_assert(!seen);
}
END_TEST

/* Two socket pairs with this test between them: what a capture would see. */
static void relay(int from, int to, bool *seen)
{
    uint8_t data[PIPE_MOST];
    ssize_t len = recv(from, data, sizeof data, MSG_DONTWAIT);

    if (len > 0) {
        *seen = *seen || holds(data, (size_t)len, secret);
        ck_assert_int_eq(send(to, data, (size_t)len, MSG_NOSIGNAL), len);
    }
}

START_TEST(a_streams_wire_holds_no_plaintext)
{
    struct parties parties = mutual_parties(ways[_i].version, ways[_i].version);
    int left[2], right[2];
    int64_t client, server;
    bool seen = false;
    char back[64];
    int32_t taken = 0, given = 0;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, left), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, right), 0);
    client = tlsshim_stream_adopt(left[0], parties.client, "localhost", 9, TLSSHIM_FD_TAKE);
    server = tlsshim_stream_adopt(right[0], parties.server, "", 0, TLSSHIM_FD_TAKE);
    for (int i = 0; i < 1000 && given <= 0; i++) {
        if (taken <= 0)
            taken = tlsshim_stream_write(client, secret, sizeof secret, 0);
        relay(left[1], right[1], &seen);
        given = tlsshim_stream_read(server, back, sizeof back, 0);
        relay(right[1], left[1], &seen);
    }
    ck_assert_int_eq(given, sizeof secret);
    ck_assert_str_eq(back, secret);
    ck_assert(!seen);
    tlsshim_close(client);
    tlsshim_close(server);
    close(left[1]);
    close(right[1]);
    parties_close(&parties);
}
END_TEST

/* --- many --- */

static int most(int check, int soak)
{
    return getenv("SOAK") != NULL ? soak : check;
}

START_TEST(many_pairs_in_memory_open_and_close)
{
    int count = most(1000, 20000);
    int64_t client_side = client_context(0, certs()->trust, 0);
    int64_t server_side = server_context(0, certs()->server, 0, 0);
    int64_t(*ends)[2] = calloc((size_t)count, sizeof *ends);
    bool seen = false;

    ck_assert_ptr_nonnull(ends);
    for (int i = 0; i < count; i++) {
        ends[i][0] = tlsshim_conn_new(client_side, "www.test", 8);
        ends[i][1] = tlsshim_conn_new(server_side, "", 0);
        for (int j = 0; j < 4; j++) {
            tlsshim_conn_handshake(ends[i][0]);
            carry(ends[i][0], ends[i][1], &seen);
            tlsshim_conn_handshake(ends[i][1]);
            carry(ends[i][1], ends[i][0], &seen);
        }
        ck_assert_int_eq(number_of(ends[i][0], TLSSHIM_CONN_VERIFIED), 1);
    }
    ck_assert_int_eq(tlsshim_live(TLSSHIM_KIND_CONN), 2 * count);
    for (int i = 0; i < count; i++)
        for (int j = 0; j < 2; j++)
            ck_assert_int_eq(tlsshim_close(ends[i][j]), TLSSHIM_OK);
    free(ends);
}
END_TEST

START_TEST(many_streams_open_and_close)
{
    int count = most(400, 5000);
    struct rlimit limit;
    struct parties parties = one_sided_parties(0, 0);
    int64_t(*ends)[2] = calloc((size_t)count, sizeof *ends);

    ck_assert_ptr_nonnull(ends);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < count; i++) {
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        ends[i][0] = tlsshim_stream_adopt(fds[0], parties.client, "localhost", 9, TLSSHIM_FD_TAKE);
        ends[i][1] = tlsshim_stream_adopt(fds[1], parties.server, "", 0, TLSSHIM_FD_TAKE);
        for (int j = 0, done = 0; j < 100 && done < 2; j++)
            done = (tlsshim_stream_handshake(ends[i][0], 0) == 0) + (tlsshim_stream_handshake(ends[i][1], 0) == 0);
        ck_assert_int_eq(tlsshim_stream_handshake(ends[i][0], 0), TLSSHIM_OK);
        ck_assert_int_eq(tlsshim_stream_handshake(ends[i][1], 0), TLSSHIM_OK);
    }
    ck_assert_int_eq(tlsshim_live(TLSSHIM_KIND_STREAM), 2 * count);
    for (int i = 0; i < count; i++)
        for (int j = 0; j < 2; j++)
            ck_assert_int_eq(tlsshim_close(ends[i][j]), TLSSHIM_OK);
    parties_close(&parties);
    free(ends);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wire");
    TCase *tcase = tcase_create("wire");

    certs();
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, keep_begin, keep_end);
    tcase_add_loop_test(tcase, the_engines_wire_holds_no_plaintext, 0, WAYS);
    tcase_add_loop_test(tcase, a_streams_wire_holds_no_plaintext, 0, WAYS);
    tcase_add_test(tcase, many_pairs_in_memory_open_and_close);
    tcase_add_test(tcase, many_streams_open_and_close);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
