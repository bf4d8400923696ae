/* Many connections that are open at once, and all work. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/pair.h"
#include "support/parties.h"
#include "support/socket.h"

static void carry(int64_t from, int64_t to)
{
    uint8_t data[PIPE_MOST];
    int32_t len;

    while ((len = tlsshim_conn_drain(from, data, sizeof data)) > 0)
        must_be(tlsshim_conn_feed(to, data, len), len);
    must_be(len, 0);
}

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

    ck_assert_ptr_nonnull(ends);
    for (int i = 0; i < count; i++) {
        ends[i][0] = tlsshim_conn_new(client_side, "www.test", 8);
        ends[i][1] = tlsshim_conn_new(server_side, "", 0);
        for (int j = 0; j < 4; j++) {
            tlsshim_conn_handshake(ends[i][0]);
            carry(ends[i][0], ends[i][1]);
            tlsshim_conn_handshake(ends[i][1]);
            carry(ends[i][1], ends[i][0]);
        }
        must_be(number_of(ends[i][0], TLSSHIM_CONN_VERIFIED), 1);
    }
    ck_assert_int_eq(tlsshim_live(TLSSHIM_KIND_CONN), 2 * count);
    for (int i = 0; i < count; i++) {
        int number = -1;

        must_be(tlsshim_conn_write(ends[i][i % 2], &i, sizeof i), sizeof i);
        carry(ends[i][i % 2], ends[i][1 - i % 2]);
        must_be(tlsshim_conn_read(ends[i][1 - i % 2], &number, sizeof number), sizeof number);
        must_be(number, i);
    }
    for (int i = 0; i < count; i++)
        for (int j = 0; j < 2; j++)
            must_be(tlsshim_close(ends[i][j]), TLSSHIM_OK);
    free(ends);
}
END_TEST

START_TEST(many_streams_open_and_close)
{
    int count = most(400, 5000);
    struct rlimit limit;
    struct parties parties = one_sided_parties(0, 0);
    int64_t(*ends)[2] = calloc((size_t)count, sizeof *ends);
    int descriptors = count_descriptors();

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
        must_be(tlsshim_stream_handshake(ends[i][0], 0), TLSSHIM_OK);
        must_be(tlsshim_stream_handshake(ends[i][1], 0), TLSSHIM_OK);
    }
    ck_assert_int_eq(tlsshim_live(TLSSHIM_KIND_STREAM), 2 * count);
    for (int i = 0; i < count; i++) {
        int number = -1;

        must_be(tlsshim_stream_write(ends[i][i % 2], &i, sizeof i, SOON), sizeof i);
        must_be(tlsshim_stream_read(ends[i][1 - i % 2], &number, sizeof number, SOON), sizeof number);
        must_be(number, i);
    }
    for (int i = 0; i < count; i++)
        for (int j = 0; j < 2; j++)
            must_be(tlsshim_close(ends[i][j]), TLSSHIM_OK);
    ck_assert_int_le(count_descriptors(), descriptors);
    parties_close(&parties);
    free(ends);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("many");
    TCase *tcase = tcase_create("many");

    certs();
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, keep_begin, keep_end);
    tcase_add_test(tcase, many_pairs_in_memory_open_and_close);
    tcase_add_test(tcase, many_streams_open_and_close);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
