#include <stdio.h>
#include <string.h>

#include "support/pair.h"

static int64_t leaf(const char *algorithm, const char *names)
{
    char subject[80];

    snprintf(subject, sizeof subject, "CN=%s %s", algorithm, names);
    for (char *comma; (comma = strchr(subject, ',')) != NULL;)
        *comma = ' ';
    return keep(certs_leaf(certs()->ca, algorithm, subject, names, -CERTS_DAY, 300 * CERTS_DAY));
}

static void add(int64_t context, int64_t identity, const char *pattern)
{
    ck_assert_ok(tlsshim_context_add_identity(context, identity, pattern, (int32_t)strlen(pattern)));
}

static const char *subject_of(int64_t cert)
{
    static char text[128];
    int32_t len = tlsshim_cert_text(cert, TLSSHIM_CERT_COMMON_NAME, text, (int32_t)sizeof text - 1);

    text[len > 0 ? len : 0] = 0;
    return text;
}

static int64_t table(int32_t version)
{
    int64_t context = keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));

    ck_assert_ok(tlsshim_context_set_versions(context, version, version));
    add(context, leaf("P-256", "default.test"), "");
    add(context, leaf("P-256", "a.example.test"), "a.example.test");
    add(context, leaf("P-256", "*.example.test"), "*.example.test");
    add(context, leaf("P-256", "B.Test"), "b.TEST");
    return context;
}

static const struct choice {
    const char *sent, *chosen; /* NULL = none sent */
} choices[] = {
    {"a.example.test", "P-256 a.example.test"},
    {"z.example.test", "P-256 *.example.test"},
    {"A.Example.TEST", "P-256 a.example.test"},
    {"b.test", "P-256 B.Test"},
    {"q.b.test", "P-256 default.test"},
    {"x.y.example.test", "P-256 default.test"},
    {"example.test", "P-256 default.test"},
    {"else.test", "P-256 default.test"},
    {NULL, "P-256 default.test"},
};
enum { CHOICES = sizeof choices / sizeof choices[0] };

START_TEST(exact_beats_wildcard_beats_default)
{
    const struct choice *c = &choices[_i % CHOICES];
    struct way way = ways[_i / CHOICES * 4 + 1];
    int64_t client = client_context(way.version, certs()->trust, 0);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_insecure_skip_name(client, 1));
    pair = pair_named(client, table(way.version), way.room, "");
    if (c->sent != NULL)
        ck_assert_ok(tlsshim_conn_set_server_name(pair->client, c->sent, (int32_t)strlen(c->sent)));
    pair_connect(pair);
    ck_assert_str_eq(subject_of(keep(tlsshim_conn_peer_cert(pair->client))), c->chosen);
    ck_assert_str_eq(subject_of(keep(tlsshim_conn_local_cert(pair->server))), c->chosen);
}
END_TEST

START_TEST(a_name_that_matches_nothing_is_refused_where_there_is_no_default)
{
    int64_t server = keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    struct pair *pair;

    add(server, leaf("P-256", "a.test"), "a.test");
    pair = pair_named(client_context(ways[_i].version, certs()->trust, 0), server, ways[_i].room, "b.test");
    pair_handshake(pair);
    ck_assert_result(pair->server_result, TLSSHIM_E_NEGOTIATION);
    ck_assert_ptr_nonnull(strstr(error_text_of(pair->server_result), "\"b.test\""));
    ck_assert_result(pair->client_result, TLSSHIM_E_ALERT);
    ck_assert_int_eq(error_number_of(pair->client_result, TLSSHIM_ERROR_ALERT), 112);
    pair_connect(pair_named(client_context(0, certs()->trust, 0), server, ways[_i].room, "a.test"));
}
END_TEST

/* The default entry's certificates of other key types must not stand in for those that an entry lacks. */
START_TEST(an_entry_presents_only_certificates_of_its_own)
{
    bool rsa_default = _i % 2 == 0;
    int32_t version = _i / 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int64_t server = keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));

    add(server, leaf(rsa_default ? "RSA-2048" : "P-256", "default.test"), "");
    add(server, leaf(rsa_default ? "P-256" : "RSA-2048", "own.test"), "own.test");
    pair_connect(pair_named(client_context(version, certs()->trust, 0), server, 512, "own.test"));
    pair_connect(pair_named(client_context(version, certs()->trust, 0), server, 512, "default.test"));
}
END_TEST

START_TEST(rsa_and_ec_stand_side_by_side_and_the_client_decides)
{
    int64_t server = keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    int64_t client = client_context(TLSSHIM_TLS_1_2, certs()->trust, 0);
    struct pair *pair;

    add(server, leaf("RSA-2048", "own.test"), "own.test");
    add(server, leaf("P-256", "own.test"), "own.test");
    ck_assert_ok(tlsshim_context_set_ciphers(
        client, _i == 0 ? "ECDHE-RSA-AES128-GCM-SHA256" : "ECDHE-ECDSA-AES128-GCM-SHA256", _i == 0 ? 27 : 29));
    pair = pair_named(client, server, 512, "own.test");
    pair_connect(pair);
    ck_assert_str_eq(subject_of(keep(tlsshim_conn_peer_cert(pair->client))),
                     _i == 0 ? "RSA-2048 own.test" : "P-256 own.test");
}
END_TEST

START_TEST(the_same_key_type_again_replaces)
{
    int64_t server = keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    struct pair *pair;

    add(server, leaf("P-256", "own.test,first.test"), "own.test");
    add(server, leaf("P-256", "own.test,second.test"), "OWN.test.");
    pair = pair_named(client_context(0, certs()->trust, 0), server, 512, "own.test");
    pair_connect(pair);
    ck_assert_str_eq(subject_of(keep(tlsshim_conn_peer_cert(pair->client))), "P-256 own.test second.test");
}
END_TEST

START_TEST(a_pattern_that_the_certificate_does_not_hold_is_refused)
{
    int64_t server = keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    int64_t identity = leaf("P-256", "www.test,*.wild.test");
    static const struct {
        const char *pattern;
        int32_t error;
    } cases[] = {
        {"www.test", 0},
        {"*.wild.test", 0},
        {"one.wild.test", 0},
        {"else.test", TLSSHIM_E_MISMATCH},
        {"*.test", TLSSHIM_E_MISMATCH},
        {"*.www.test", TLSSHIM_E_MISMATCH},
        {"10.0.0.1", TLSSHIM_E_ARGUMENT},
        {"a..test", TLSSHIM_E_ARGUMENT},
        {"*", TLSSHIM_E_ARGUMENT},
        {"*.", TLSSHIM_E_ARGUMENT},
        {"a*.test", TLSSHIM_E_ARGUMENT},
        {"www.*.test", TLSSHIM_E_ARGUMENT},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_result(
            tlsshim_context_add_identity(server, identity, cases[i].pattern, (int32_t)strlen(cases[i].pattern)),
            cases[i].error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sni");
    TCase *tests = tcase_create("sni");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, exact_beats_wildcard_beats_default, 0, 2 * CHOICES);
    tcase_add_loop_test(tests, a_name_that_matches_nothing_is_refused_where_there_is_no_default, 0, WAYS);
    tcase_add_loop_test(tests, an_entry_presents_only_certificates_of_its_own, 0, 4);
    tcase_add_loop_test(tests, rsa_and_ec_stand_side_by_side_and_the_client_decides, 0, 2);
    tcase_add_test(tests, the_same_key_type_again_replaces);
    tcase_add_test(tests, a_pattern_that_the_certificate_does_not_hold_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
