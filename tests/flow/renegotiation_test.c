/* No second handshake on a connection of TLS 1.2, whoever asks and however often. */
#include <openssl/err.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/alone.h"
#include "support/pair.h"
#include "support/socket.h"

static struct alone alone;

/* A stream whose peer is OpenSSL alone. */
static int64_t begin(bool alone_client)
{
    int64_t stream;
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    if (alone_client)
        stream = tlsshim_stream_adopt(fds[0], server_context(TLSSHIM_TLS_1_2, certs()->server, 0, 0), "", 0,
                                      TLSSHIM_FD_TAKE);
    else
        stream = tlsshim_stream_adopt(fds[0], client_context(TLSSHIM_TLS_1_2, certs()->trust, 0), "www.test", 8,
                                      TLSSHIM_FD_TAKE);
    alone_begin(&alone, alone_client, TLSSHIM_TLS_1_2, fds[1]);
    alone_shake(&alone, keep(stream));
    return stream;
}

/* A hello of the client's in mid-connection; a request for one by the server. */
START_TEST(a_second_handshake_is_refused_and_the_connection_goes_on)
{
    bool client = _i == 0;
    int64_t stream = begin(client), conn = keep(tlsshim_stream_conn(stream));
    int64_t bytes = number_of(conn, TLSSHIM_CONN_RECORDS_OUT);
    char data[64];
    int answer;

    ck_assert_int_eq(SSL_renegotiate(alone.ssl), 1);
    SSL_do_handshake(alone.ssl);
    ck_assert_int_eq(tlsshim_stream_read(stream, data, sizeof data, 20), TLSSHIM_TIMEOUT);
    ck_assert_int_eq(number_of(conn, TLSSHIM_CONN_RECORDS_OUT), bytes + 1);
    ck_assert_int_eq(tlsshim_conn_state(conn) & TLSSHIM_STATE_FAILED, 0);
    ck_assert_int_eq(tlsshim_stream_write(stream, "goes on", 7, SOON), 7);
    ERR_clear_error();
    answer = SSL_read(alone.ssl, data, sizeof data); /* OpenSSL itself takes the refusal for an end */
    ck_assert_int_le(answer, 0);
    ck_assert_int_eq(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    ERR_clear_error();
    ck_assert_int_eq(number_of(conn, TLSSHIM_CONN_VERSION), TLSSHIM_TLS_1_2);
    alone_end(&alone);
}
END_TEST

START_TEST(a_flood_of_requests_is_refused_within_bounds)
{
    int64_t stream = begin(false), most = 0;
    char data[64];
    int asked = 0;

    for (int rounds = 0; rounds < 400; rounds++) {
        for (int i = 0; i < 100; i++) {
            ck_assert_int_eq(SSL_renegotiate(alone.ssl), 1);
            asked += SSL_do_handshake(alone.ssl) == 1;
        }
        ck_assert_int_lt(tlsshim_stream_read(stream, data, sizeof data, 0), 0);
        most = tlsshim_memory(stream) > most ? tlsshim_memory(stream) : most;
        ERR_clear_error();
    }
    ck_assert_int_gt(asked, 4000);
    ck_assert_int_lt(most, 600 * 1024);
    alone_end(&alone);
}
END_TEST

static void own_algorithms(void)
{
    signal(SIGPIPE, SIG_IGN); /* the other end's */
    OSSL_LIB_CTX_set0_default(support_context());
}

int main(void)
{
    Suite *suite = suite_create("renegotiation");
    TCase *tests = tcase_create("renegotiation");

    certs();
    tcase_add_checked_fixture(tests, own_algorithms, NULL);
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, a_second_handshake_is_refused_and_the_connection_goes_on, 0, 2);
    tcase_add_test(tests, a_flood_of_requests_is_refused_within_bounds);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
