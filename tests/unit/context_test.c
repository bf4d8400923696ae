#include "tls/context.h"

#include <stdio.h>
#include <string.h>

#include "base/handle.h"
#include "support/certs.h"
#include "support/pair.h"

static int64_t number(int64_t context, int32_t field)
{
    int64_t n = -12345;
    int32_t result = tlsshim_context_number(context, field, &n);

    return result == TLSSHIM_OK ? n : result;
}

static int64_t client(void)
{
    return keep(tlsshim_context_new(TLSSHIM_ROLE_CLIENT));
}

static int64_t server(void)
{
    return keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
}

/* --- numbers: their ranges, their defaults, and that they are kept --- */

static int32_t min_version(int64_t context, int64_t n)
{
    return tlsshim_context_set_versions(context, (int32_t)n, 0);
}

static int32_t max_version(int64_t context, int64_t n)
{
    return tlsshim_context_set_versions(context, 0, (int32_t)n);
}

#define AS_NUMBER(setter)                                                                                              \
    static int32_t setter##_number(int64_t context, int64_t n)                                                         \
    {                                                                                                                  \
        return tlsshim_context_##setter(context, (int32_t)n);                                                          \
    }
AS_NUMBER(set_client_certificate)
AS_NUMBER(set_verify_flags)
AS_NUMBER(set_verify_depth)
AS_NUMBER(set_tickets)
AS_NUMBER(set_session_cache)
AS_NUMBER(set_memory)
AS_NUMBER(set_security_level)

static const struct setting {
    const char *name;
    int32_t (*set)(int64_t context, int64_t n);
    int32_t field;
    int64_t usual;
    int64_t good[4], bad[5]; /* 0 after the first ends the list of good ones */
    bool of_server;
} settings[] = {
    {"context_set_versions",
     min_version,
     TLSSHIM_CONTEXT_VERSION_MIN,
     TLSSHIM_TLS_1_2,
     {TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3},
     {-1, 1, 0x0300, 0x0305, 0xfefd},
     false},
    {"context_set_versions",
     max_version,
     TLSSHIM_CONTEXT_VERSION_MAX,
     TLSSHIM_TLS_1_3,
     {TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3},
     {-1, 1, 0x0300, 0x0305, INT32_MAX},
     false},
    {"context_set_client_certificate",
     set_client_certificate_number,
     TLSSHIM_CONTEXT_CLIENT_CERTIFICATE,
     1,
     {1, 2, 3},
     {0, -1, 4, INT32_MAX, INT32_MIN},
     true},
    {"context_set_verify_flags",
     set_verify_flags_number,
     TLSSHIM_CONTEXT_VERIFY_FLAGS,
     0,
     {1, 3, 31, 20},
     {-1, 32, 16, INT32_MIN, 1 << 30},
     false},
    {"context_set_verify_depth",
     set_verify_depth_number,
     TLSSHIM_CONTEXT_VERIFY_DEPTH,
     100,
     {0, 1, 100},
     {-1, 101, INT32_MAX, INT32_MIN, 1000},
     false},
    {"context_set_tickets",
     set_tickets_number,
     TLSSHIM_CONTEXT_TICKETS,
     2,
     {0, 1, 16},
     {-1, 17, 100, INT32_MAX, -2},
     true},
    {"context_set_session_cache",
     set_session_cache_number,
     TLSSHIM_CONTEXT_SESSION_CACHE,
     0,
     {0, 1, 10000000},
     {-1, 10000001, INT32_MAX, INT32_MIN, -2},
     false},
    {"context_set_session_lifetime",
     tlsshim_context_set_session_lifetime,
     TLSSHIM_CONTEXT_SESSION_LIFETIME,
     7200,
     {1, 604800},
     {0, -1, 604801, INT64_MAX, INT64_MIN},
     false},
    {"context_set_security_level",
     set_security_level_number,
     TLSSHIM_CONTEXT_SECURITY_LEVEL,
     2,
     {2, 3, 2},
     {-1, 6, 100, INT32_MAX, INT32_MIN},
     false},
    {"context_set_memory", set_memory_number, TLSSHIM_CONTEXT_MEMORY, 1, {1, 2}, {0, 3, -1, INT32_MAX, 99}, false},
    {"context_set_handshake_timeout",
     tlsshim_context_set_handshake_timeout,
     TLSSHIM_CONTEXT_HANDSHAKE_TIMEOUT,
     30000,
     {1, 3600000},
     {0, -1, 3600001, INT64_MAX, INT64_MIN},
     false},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

START_TEST(a_number_is_checked_at_once_and_kept_as_it_was_if_it_is_bad)
{
    const struct setting *s = &settings[_i];
    int64_t context = s->of_server ? server() : client();
    int64_t have;

    ck_assert_int_eq(number(context, s->field), s->usual);
    for (size_t i = 0; i < 4 && (i == 0 || s->good[i] != 0); i++) {
        ck_assert_ok(s->set(context, s->good[i]));
        ck_assert_int_eq(number(context, s->field), s->good[i]);
    }
    have = number(context, s->field);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_result(s->set(context, s->bad[i]), TLSSHIM_E_ARGUMENT);
        ck_assert_int_eq(number(context, s->field), have);
    }
    if (s->of_server)
        ck_assert_result(s->set(client(), s->good[1]), TLSSHIM_E_STATE);
}
END_TEST

START_TEST(there_are_two_roles)
{
    for (int32_t role = -1; role < 5; role++)
        if (role != TLSSHIM_ROLE_CLIENT && role != TLSSHIM_ROLE_SERVER)
            ck_assert_result(tlsshim_context_new(role), TLSSHIM_E_ARGUMENT);
}
END_TEST

/* --- frozen --- */

static int32_t call_setter(int64_t context, int which)
{
    switch (which) {
    case SETTINGS:
        return tlsshim_context_set_trust(context, certs()->trust);
    case SETTINGS + 1:
        return tlsshim_context_add_identity(context, certs()->server, "", 0);
    case SETTINGS + 2:
        return tlsshim_context_set_alpn(context, "\2h2", 3, TLSSHIM_ALPN_FAIL);
    case SETTINGS + 3:
        return tlsshim_context_set_ciphers(context, "ECDHE+AESGCM", 12);
    case SETTINGS + 4:
        return tlsshim_context_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384", 22);
    case SETTINGS + 5:
        return tlsshim_context_set_groups(context, "P-256", 5);
    case SETTINGS + 6:
        return tlsshim_context_insecure_skip_chain(context, 1);
    case SETTINGS + 7:
        return tlsshim_context_insecure_skip_name(context, 1);
    case SETTINGS + 8:
        return tlsshim_context_insecure_skip_time(context, 1);
    case SETTINGS + 9:
        return tlsshim_context_insecure_skip_purpose(context, 1);
    case SETTINGS + 10:
        return tlsshim_context_insecure_legacy(context, 1);
    case SETTINGS + 11:
        return tlsshim_context_set_profile(context, "modern", 6);
    case SETTINGS + 12:
        return tlsshim_context_set_signature_algorithms(context, "ed25519:ECDSA+SHA256", 20, "", 0);
    case SETTINGS + 13:
        return tlsshim_context_set_server_preference(context, 1);
    case SETTINGS + 14:
        return tlsshim_context_set_limit(context, TLSSHIM_LIMIT_INPUT, 65536);
    case SETTINGS + 15:
        return tlsshim_context_add_psk(context, "alice", 5, "0123456789abcdef", 16);
    case SETTINGS + 16:
        return tlsshim_context_set_keylog_file(context, "", 0);
    default:
        return settings[which].set(context, settings[which].good[0]);
    }
}

static const char *const setter_names[] = {
    "context_set_trust",
    "context_add_identity",
    "context_set_alpn",
    "context_set_ciphers",
    "context_set_ciphersuites",
    "context_set_groups",
    "context_insecure_skip_chain",
    "context_insecure_skip_name",
    "context_insecure_skip_time",
    "context_insecure_skip_purpose",
    "context_insecure_legacy",
    "context_set_profile",
    "context_set_signature_algorithms",
    "context_set_server_preference",
    "context_set_limit",
    "context_add_psk",
    "context_set_keylog_file",
};
enum { SETTERS = SETTINGS + sizeof setter_names / sizeof setter_names[0] };

START_TEST(the_first_connection_freezes_and_the_refusal_names_the_setter)
{
    int64_t context = server_context(0, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUEST);
    int64_t copy, again;
    int32_t result;
    const char *name = _i < SETTINGS ? settings[_i].name : setter_names[_i - SETTINGS];

    ck_assert_int_eq(number(context, TLSSHIM_CONTEXT_FROZEN), 0);
    ck_assert_ok(call_setter(context, _i));
    keep(tlsshim_conn_new(context, "", 0));
    ck_assert_int_eq(number(context, TLSSHIM_CONTEXT_FROZEN), 1);
    result = call_setter(context, _i);
    ck_assert_result(result, TLSSHIM_E_FROZEN);
    ck_assert_msg(strncmp(error_text_of(result), name, strlen(name)) == 0, "%s", error_text_of(result));
    copy = keep(tlsshim_copy(context));
    ck_assert_int_eq(number(copy, TLSSHIM_CONTEXT_FROZEN), 0);
    for (int32_t field = TLSSHIM_CONTEXT_VERSION_MIN; field <= TLSSHIM_CONTEXT_MEMORY; field++)
        if (field != TLSSHIM_CONTEXT_SESSION_CACHE) /* as suits, until it is in force */
            ck_assert_int_eq(number(copy, field), number(context, field));
    ck_assert_ok(call_setter(copy, _i));
    again = keep(tlsshim_conn_new(copy, "", 0));
    ck_assert_int_gt(tlsshim_memory(copy), 0);
    ck_assert_int_eq(tlsshim_kind(again), TLSSHIM_KIND_CONN);
}
END_TEST

START_TEST(a_getter_refuses_what_is_no_field_and_the_other_kind)
{
    int64_t context = client(), n = -1;
    char text[4096];

    for (int32_t field = -1; field < 100; field++) {
        bool known = (field >= 1 && field <= 17) || (field >= 64 && field <= 72);
        bool is_text = field >= TLSSHIM_CONTEXT_CIPHERS && field <= TLSSHIM_CONTEXT_SIGNATURES;

        ck_assert_result(tlsshim_context_number(context, field, &n), !known    ? TLSSHIM_E_ARGUMENT
                                                                     : is_text ? TLSSHIM_NONE
                                                                               : TLSSHIM_OK);
        if (is_text)
            ck_assert_int_gt(tlsshim_context_text(context, field, text, sizeof text), 0);
        else
            ck_assert_result(tlsshim_context_text(context, field, text, sizeof text),
                             known ? TLSSHIM_NONE : TLSSHIM_E_ARGUMENT);
    }
    ck_assert_result(tlsshim_context_number(context, TLSSHIM_CONTEXT_ROLE, NULL), TLSSHIM_E_ARGUMENT);
}
END_TEST

/* --- identities by the thousand --- */

START_TEST(ten_thousand_server_names_do_not_slow_a_lookup)
{
    int64_t identity = keep(certs_leaf(certs()->ca, "P-256", "CN=many", "*.many.test", -60, CERTS_DAY));
    struct sni_table table = {0};
    struct identity *own = NULL;
    size_t longest = 0;
    char name[64];

    ck_assert_ok(identity_pin(identity, &own));
    for (int i = 0; i < 10000; i++) {
        int len = snprintf(name, sizeof name, "host-%d.many.test", i);

        must_be(sni_add(&table, own, (struct bytes){(const uint8_t *)name, (size_t)len}), TLSSHIM_OK);
    }
    must_be((int64_t)table.entry_count, 10000);
    for (size_t i = 0; i < table.bucket_count; i++) {
        size_t length = 0;

        for (const struct sni_entry *entry = table.buckets[i]; entry != NULL; entry = entry->next)
            length++;
        longest = length > longest ? length : longest;
    }
    ck_assert_msg(longest <= 10, "a lookup may look at %zu entries", longest);
    for (int i = 0; i < 10000; i += 77) {
        int len = snprintf(name, sizeof name, "HOST-%d.Many.test", i);
        const struct sni_entry *entry = sni_find(&table, (struct bytes){(const uint8_t *)name, (size_t)len});

        must_be(entry != NULL, 1);
    }
    must_be(sni_find(&table, (struct bytes){(const uint8_t *)"else.many.test", 14}) == NULL, 1);
    sni_free(&table);
    handle_unpin(identity);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("context");
    TCase *tests = tcase_create("context");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, a_number_is_checked_at_once_and_kept_as_it_was_if_it_is_bad, 0, SETTINGS);
    tcase_add_test(tests, there_are_two_roles);
    tcase_add_loop_test(tests, the_first_connection_freezes_and_the_refusal_names_the_setter, 0, SETTERS);
    tcase_add_test(tests, a_getter_refuses_what_is_no_field_and_the_other_kind);
    tcase_add_test(tests, ten_thousand_server_names_do_not_slow_a_lookup);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
