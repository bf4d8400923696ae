#include "tls/session.h"

#include <string.h>
#include <time.h>

#include "support/certs.h"
#include "support/pair.h"

static struct pair *pair_of(int32_t version, int64_t server)
{
    int64_t client = client_context(version, certs()->trust, 0);
    struct pair *pair;

    set_alpn(client, "h2", TLSSHIM_ALPN_CONTINUE);
    set_alpn(server, "h2", TLSSHIM_ALPN_CONTINUE);
    pair = pair_new(client, server, PIPE_MOST);
    pair_connect(pair);
    pair_send(pair, false, "x", 1);
    return pair;
}

static int64_t a_session(int32_t version)
{
    return keep(tlsshim_conn_take_session(pair_of(version, server_context(version, certs()->server, 0, 0))->client));
}

static int64_t number(int64_t session, int32_t field)
{
    int64_t n = -12345;
    int32_t result = tlsshim_session_number(session, field, &n);

    return result == TLSSHIM_OK ? n : result;
}

static bool text_is(int64_t session, int32_t field, const char *want)
{
    char text[256];
    int32_t len = tlsshim_session_text(session, field, text, sizeof text);

    return len == (int32_t)strlen(want) && memcmp(text, want, (size_t)len) == 0;
}

START_TEST(each_field_is_told_by_its_getter_and_by_no_other)
{
    int64_t session = a_session(_i);
    int64_t n = -1;
    char text[256];

    ck_assert_int_le(number(session, TLSSHIM_SESSION_CREATED), time(NULL));
    ck_assert_int_ge(number(session, TLSSHIM_SESSION_CREATED), time(NULL) - 5);
    ck_assert_int_eq(number(session, TLSSHIM_SESSION_LIFETIME), 7200);
    ck_assert_int_eq(number(session, TLSSHIM_SESSION_VERSION), _i);
    ck_assert_int_eq(number(session, TLSSHIM_SESSION_USABLE), 1);
    ck_assert_int_eq(number(session, TLSSHIM_SESSION_HAS_TICKET), 1);
    ck_assert_int_eq(number(session, TLSSHIM_SESSION_TICKET_LIFETIME), 7200);
    ck_assert(text_is(session, TLSSHIM_SESSION_PEER_NAME, "www.test"));
    ck_assert(text_is(session, TLSSHIM_SESSION_ALPN, "h2"));
    ck_assert_int_eq(tlsshim_session_text(session, TLSSHIM_SESSION_ID, text, sizeof text), 64);
    for (int32_t field = TLSSHIM_SESSION_CREATED; field <= TLSSHIM_SESSION_ALPN; field++) {
        if (field >= TLSSHIM_SESSION_ID)
            ck_assert_int_eq(number(session, field), TLSSHIM_NONE);
        else
            ck_assert_int_eq(tlsshim_session_text(session, field, text, sizeof text), TLSSHIM_NONE);
    }
    ck_assert_result(tlsshim_session_number(session, 0, &n), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_session_number(session, 10, &n), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_session_number(session, 1, NULL), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_session_text(session, 10, text, sizeof text), TLSSHIM_E_ARGUMENT);
    ck_assert_int_eq(n, -1);
}
END_TEST

START_TEST(an_export_says_the_same_when_it_is_loaded)
{
    int64_t session = a_session(_i), loaded;
    uint8_t bytes[8192], again[8192];
    int32_t len = tlsshim_session_export(session, bytes, sizeof bytes);

    ck_assert_int_eq(tlsshim_session_export(session, NULL, 0), len);
    loaded = keep(tlsshim_session_load(bytes, len));
    for (int32_t field = TLSSHIM_SESSION_CREATED; field <= TLSSHIM_SESSION_TICKET_LIFETIME; field++)
        ck_assert_int_eq(number(loaded, field), number(session, field));
    ck_assert(text_is(loaded, TLSSHIM_SESSION_PEER_NAME, "www.test"));
    ck_assert(text_is(loaded, TLSSHIM_SESSION_ALPN, "h2"));
    ck_assert_int_eq(tlsshim_session_export(loaded, again, sizeof again), len);
    ck_assert_mem_eq(again, bytes, (size_t)len);
}
END_TEST

START_TEST(damage_at_any_byte_and_any_length_is_noticed)
{
    uint8_t bytes[8192], long_one[8193];
    int32_t len = tlsshim_session_export(a_session(_i), bytes, sizeof bytes);

    for (int32_t at = 0; at < len; at++) {
        int64_t result;

        bytes[at] ^= (uint8_t)(1 << at % 8);
        result = tlsshim_session_load(bytes, len);
        bytes[at] ^= (uint8_t)(1 << at % 8);
        if (!support_has_code(result, TLSSHIM_E_FORMAT))
            ck_abort_msg("altered at %d of %d: %s", at, len, support_text(result));
        result = tlsshim_session_load(bytes, at);
        if (!support_has_code(result, TLSSHIM_E_FORMAT))
            ck_abort_msg("cut at %d of %d: %s", at, len, support_text(result));
    }
    memcpy(long_one, bytes, (size_t)len);
    long_one[len] = 0;
    ck_assert_result(tlsshim_session_load(long_one, len + 1), TLSSHIM_E_FORMAT);
    ck_assert_result(tlsshim_session_load(bytes, (1 << 20) + 1), TLSSHIM_E_LIMIT);
    bytes[3] = 9;
    ck_assert_ptr_nonnull(strstr(error_text_of(tlsshim_session_load(bytes, len)), "layout 9"));
    ck_assert_result(tlsshim_session_load("-----BEGIN SSL SESSION PARAMETERS-----", 38), TLSSHIM_E_FORMAT);
}
END_TEST

START_TEST(tls_1_3_gives_each_session_once_and_tls_1_2_the_one_of_the_connection)
{
    int64_t server = server_context(_i, certs()->server, 0, 0);
    struct pair *pair;
    uint8_t a[8192], b[8192];
    int32_t len, other;

    ck_assert_ok(tlsshim_context_set_tickets(server, 3));
    pair = pair_of(_i, server);
    len = tlsshim_session_export(keep(tlsshim_conn_take_session(pair->client)), a, sizeof a);
    other = tlsshim_session_export(keep(tlsshim_conn_take_session(pair->client)), b, sizeof b);
    ck_assert_int_eq(other == len && memcmp(a, b, (size_t)len) == 0, _i == TLSSHIM_TLS_1_2);
    if (_i == TLSSHIM_TLS_1_2)
        return;
    keep(tlsshim_conn_take_session(pair->client));
    ck_assert_int_eq(tlsshim_conn_take_session(pair->client), TLSSHIM_NONE);
}
END_TEST

START_TEST(a_session_outlives_its_connection_and_context)
{
    struct pair *pair = pair_of(_i, server_context(_i, certs()->server, 0, 0));
    int64_t session = keep(tlsshim_conn_take_session(pair->client));
    uint8_t bytes[8192];

    ck_assert_ok(tlsshim_close(pair->client));
    ck_assert_ok(tlsshim_close(pair->server));
    ck_assert_int_gt(tlsshim_session_export(session, bytes, sizeof bytes), 100);
    ck_assert_int_eq(number(session, TLSSHIM_SESSION_USABLE), 1);
    ck_assert_int_gt(tlsshim_memory(session), 0);
    ck_assert_int_eq(tlsshim_kind(session), TLSSHIM_KIND_SESSION);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tests = tcase_create("session");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, each_field_is_told_by_its_getter_and_by_no_other, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, an_export_says_the_same_when_it_is_loaded, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, damage_at_any_byte_and_any_length_is_noticed, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, tls_1_3_gives_each_session_once_and_tls_1_2_the_one_of_the_connection, TLSSHIM_TLS_1_2,
                        TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, a_session_outlives_its_connection_and_context, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3 + 1);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
