#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/pair.h"

static char path[] = "/tmp/tlsshim-anchors-XXXXXX";

/* The machine's anchors are read once in a process, so they are set before anything else happens. */
static bool anchors_written(void)
{
    char pem[4096];
    int64_t cert = tlsshim_identity_cert(certs()->ca);
    int32_t len = tlsshim_cert_export(cert, TLSSHIM_FORMAT_PEM, pem, sizeof pem);
    int fd = mkstemp(path);

    return tlsshim_close(cert) == TLSSHIM_OK && fd >= 0 && write(fd, pem, (size_t)len) == len && close(fd) == 0 &&
           setenv("SSL_CERT_FILE", path, 1) == 0 && setenv("SSL_CERT_DIR", "/nowhere", 1) == 0;
}

START_TEST(a_client_without_trust_uses_the_systems)
{
    struct pair *pair = pair_new(client_context(ways[_i].version, 0, 0),
                                 server_context(ways[_i].version, certs()->server, 0, 0), ways[_i].room);
    char text[256];
    int32_t len = tlsshim_version(TLSSHIM_VERSION_SYSTEM_TRUST, text, sizeof text);

    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 1);
    ck_assert_int_ge(len, (int32_t)strlen(path)); /* the directory may follow */
    ck_assert_mem_eq(text, path, strlen(path));
}
END_TEST

START_TEST(the_systems_anchors_are_no_less_strict)
{
    struct pair *pair = pair_new(client_context(ways[_i].version, 0, 0),
                                 server_context(ways[_i].version, certs()->server_other, 0, 0), ways[_i].room);

    pair_handshake(pair);
    ck_assert_result(pair->client_result, TLSSHIM_E_VERIFY);
    pair = pair_named(client_context(ways[_i].version, 0, 0), server_context(ways[_i].version, certs()->server, 0, 0),
                      ways[_i].room, "else.test");
    pair_handshake(pair);
    ck_assert_result(pair->client_result, TLSSHIM_E_NAME);
}
END_TEST

/* A session made under the system's anchors is none under the same anchors, less one. */
START_TEST(sessions_tell_the_systems_anchors_from_others)
{
    int64_t system = client_context(TLSSHIM_TLS_1_3, 0, 0);
    int64_t server = server_context(TLSSHIM_TLS_1_3, certs()->server, 0, 0);
    struct pair *pair = pair_new(system, server, 512);
    int64_t session;

    pair_connect(pair);
    pair_send(pair, false, "x", 1);
    session = keep(tlsshim_conn_take_session(pair->client));
    pair = pair_new(client_context(TLSSHIM_TLS_1_3, certs()->both_trust, 0), server, 512);
    ck_assert_result(tlsshim_conn_set_session(pair->client, session), TLSSHIM_E_MISMATCH);
    pair = pair_new(client_context(TLSSHIM_TLS_1_3, certs()->trust, 0), server, 512); /* the very same anchor */
    ck_assert_result(tlsshim_conn_set_session(pair->client, session), TLSSHIM_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("system_trust");
    TCase *tests = tcase_create("system_trust");
    int status;

    if (!anchors_written()) {
        fprintf(stderr, "the anchors cannot be written to %s\n", path);
        return EXIT_FAILURE;
    }
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, a_client_without_trust_uses_the_systems, 0, WAYS);
    tcase_add_loop_test(tests, the_systems_anchors_are_no_less_strict, 0, WAYS);
    tcase_add_test(tests, sessions_tell_the_systems_anchors_from_others);
    suite_add_tcase(suite, tests);
    status = run_suite(suite);
    unlink(path);
    return status;
}
