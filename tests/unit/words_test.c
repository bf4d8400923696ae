#include "tls/words.h"

#include <string.h>

#include "support/certs.h"
#include "support/pair.h"

static int32_t set_accepted(int64_t context, const void *list, int32_t len)
{
    return tlsshim_context_set_signature_algorithms(context, list, len, "", 0);
}

static int32_t set_own(int64_t context, const void *list, int32_t len)
{
    return tlsshim_context_set_signature_algorithms(context, "", 0, list, len);
}

static const struct words {
    int32_t (*set)(int64_t context, const void *list, int32_t len);
    int32_t field;
    const char *list;
    int32_t error;
    const char *says; /* or what is kept, if not the list */
} words[] = {
    {tlsshim_context_set_groups, TLSSHIM_CONTEXT_GROUPS, "X25519:P-256", 0, NULL},
    {tlsshim_context_set_groups, TLSSHIM_CONTEXT_GROUPS, "?X25519MLKEM768x:P-256:?X448", 0, "P-256:X448"},
    {tlsshim_context_set_groups, TLSSHIM_CONTEXT_GROUPS, "P-256:P-999", TLSSHIM_E_FORMAT, "\"P-999\""},
    {tlsshim_context_set_groups, TLSSHIM_CONTEXT_GROUPS, "?nothing", TLSSHIM_E_FORMAT, "group"},
    {tlsshim_context_set_groups, TLSSHIM_CONTEXT_GROUPS, "", TLSSHIM_E_FORMAT, "group"},
    {tlsshim_context_set_ciphers, TLSSHIM_CONTEXT_CIPHERS, "ECDHE-RSA-AES128-GCM-SHA256", 0, NULL},
    {tlsshim_context_set_ciphers, TLSSHIM_CONTEXT_CIPHERS, "ECDHE+AESGCM:!aNULL:!MD5:-kRSA:@STRENGTH", 0, NULL},
    {tlsshim_context_set_ciphers, TLSSHIM_CONTEXT_CIPHERS, "ECDHE-RSA-AES128-GCM-SHA256:TYPO", TLSSHIM_E_FORMAT,
     "\"TYPO\""},
    {tlsshim_context_set_ciphers, TLSSHIM_CONTEXT_CIPHERS, "HIGH:@SECLEVEL=0", TLSSHIM_E_WEAK, "@SECLEVEL=0"},
    {tlsshim_context_set_ciphers, TLSSHIM_CONTEXT_CIPHERS, "DEFAULT@SECLEVEL=0", TLSSHIM_E_WEAK, "DEFAULT@SECLEVEL=0"},
    {tlsshim_context_set_ciphers, TLSSHIM_CONTEXT_CIPHERS, "HIGH,@SECLEVEL=1", TLSSHIM_E_WEAK, "@SECLEVEL=1"},
    {tlsshim_context_set_ciphers, TLSSHIM_CONTEXT_CIPHERS, "ADH-AES256-GCM-SHA384", TLSSHIM_E_WEAK, "ADH"},
    {tlsshim_context_set_ciphers, TLSSHIM_CONTEXT_CIPHERS, "NULL-SHA256", TLSSHIM_E_WEAK, "NULL-SHA256"},
    {tlsshim_context_set_ciphers, TLSSHIM_CONTEXT_CIPHERS, "", TLSSHIM_E_FORMAT, "cipher"},
    {tlsshim_context_set_ciphers, TLSSHIM_CONTEXT_CIPHERS, "!ALL", TLSSHIM_E_FORMAT, "cipher"},
    {tlsshim_context_set_ciphersuites, TLSSHIM_CONTEXT_CIPHERSUITES, "TLS_AES_256_GCM_SHA384", 0, NULL},
    {tlsshim_context_set_ciphersuites, TLSSHIM_CONTEXT_CIPHERSUITES, "TLS_AES_128_GCM_SHA256:TLS_TYPO",
     TLSSHIM_E_FORMAT, "\"TLS_TYPO\""},
    {set_accepted, TLSSHIM_CONTEXT_SIGNATURES, "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:ed25519:rsa_pkcs1_sha256", 0,
     NULL},
    {set_accepted, TLSSHIM_CONTEXT_SIGNATURES, "ECDSA+SHA256:RSA-PSS+SHA384:ed448", 0, NULL},
    {set_accepted, TLSSHIM_CONTEXT_SIGNATURES, "ECDSA+SHA256:ecdsa_sha255", TLSSHIM_E_FORMAT, "\"ecdsa_sha255\""},
    {set_accepted, TLSSHIM_CONTEXT_SIGNATURES, "!ed25519", TLSSHIM_E_FORMAT, "\"!ed25519\""},
    {set_accepted, TLSSHIM_CONTEXT_SIGNATURES, "ed25519:ed25519", TLSSHIM_E_FORMAT, "twice"},
    {set_accepted, TLSSHIM_CONTEXT_SIGNATURES, "ed25519:RSA+SHA1", TLSSHIM_E_WEAK, "\"RSA+SHA1\""},
    {set_accepted, TLSSHIM_CONTEXT_SIGNATURES, "ed25519:rsa_pkcs1_sha1", TLSSHIM_E_WEAK, "\"rsa_pkcs1_sha1\""},
    {set_own, TLSSHIM_CONTEXT_SIGNATURES, "ed25519:rsa_pkcs1_sha1", TLSSHIM_E_WEAK, "\"rsa_pkcs1_sha1\""},
    {set_own, TLSSHIM_CONTEXT_SIGNATURES, "typo", TLSSHIM_E_FORMAT, "\"typo\""},
    {tlsshim_context_set_ciphersuites, TLSSHIM_CONTEXT_CIPHERSUITES, "", TLSSHIM_E_FORMAT, "suite"},
};
enum { WORDS = sizeof words / sizeof words[0] };

START_TEST(unknown_and_weak_words_are_named)
{
    const struct words *w = &words[_i];
    int64_t context = client_context(0, 0, 0);
    char before[4096], after[4096];
    int32_t len = tlsshim_context_text(context, w->field, before, sizeof before), kept;
    int32_t result = w->set(context, w->list, (int32_t)strlen(w->list));
    const char *want = w->error != 0 ? before : w->says != NULL ? w->says : w->list;

    ck_assert_result(result, w->error);
    if (w->error != 0)
        ck_assert_msg(strstr(error_text_of(result), w->says) != NULL, "%s", error_text_of(result));
    else
        len = (int32_t)strlen(want);
    kept = tlsshim_context_text(context, w->field, after, sizeof after);
    ck_assert_int_eq(kept, len);
    ck_assert_mem_eq(after, want, (size_t)len);
    keep(tlsshim_conn_new(context, "www.test", 8)); /* and it can be put in force */
}
END_TEST

START_TEST(an_empty_list_of_schemes_stands_for_the_default)
{
    int64_t context = client_context(0, 0, 0);
    char usual[4096], after[4096];
    int32_t len = tlsshim_context_text(context, TLSSHIM_CONTEXT_SIGNATURES, usual, sizeof usual);

    ck_assert_ok(tlsshim_context_set_signature_algorithms(context, "ed25519", 7, "ed448", 5));
    ck_assert_int_eq(tlsshim_context_text(context, TLSSHIM_CONTEXT_SIGNATURES, after, sizeof after), 7);
    ck_assert_ok(tlsshim_context_set_signature_algorithms(context, "", 0, "ed448", 5));
    ck_assert_int_eq(tlsshim_context_text(context, TLSSHIM_CONTEXT_SIGNATURES, after, sizeof after), len);
    ck_assert_mem_eq(after, usual, (size_t)len);
}
END_TEST

/* The server signs with what the client accepts and it has itself, and the other way round. */
static const struct choice {
    const char *client_accepts, *client_own, *server_accepts, *server_own;
    const char *by_server, *by_client; /* NULL = they cannot agree */
} choices[] = {
    {"", "", "", "", "ecdsa_secp256r1_sha256", "ecdsa_secp256r1_sha256"},
    {"rsa_pss_rsae_sha384", "", "", "", "rsa_pss_rsae_sha384", "ecdsa_secp256r1_sha256"},
    {"", "rsa_pss_rsae_sha512", "", "", "ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha512"},
    {"", "", "RSA-PSS+SHA384", "", "ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha384"},
    {"", "", "", "RSA-PSS+SHA256", "rsa_pss_rsae_sha256", "ecdsa_secp256r1_sha256"},
    {"RSA-PSS+SHA256", "", "", "ECDSA+SHA256", NULL, NULL},
};
enum { CHOICES = sizeof choices / sizeof choices[0] };

static int64_t both_keys(int64_t context, int64_t ec, int64_t rsa, const char *accepts, const char *own)
{
    if (ec != 0)
        ck_assert_ok(tlsshim_context_add_identity(context, ec, "", 0));
    ck_assert_ok(tlsshim_context_add_identity(context, rsa, "", 0));
    ck_assert_ok(tlsshim_context_set_signature_algorithms(context, accepts, (int32_t)strlen(accepts), own,
                                                          (int32_t)strlen(own)));
    return context;
}

START_TEST(each_end_signs_with_its_own_schemes_and_takes_those_that_it_accepts)
{
    const struct choice *choice = &choices[_i % CHOICES];
    int32_t version = _i / CHOICES == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    /* In TLS 1.2 the backend's client has one certificate to choose from. */
    bool rsa_alone = version == TLSSHIM_TLS_1_2 && choice->by_client != NULL && choice->by_client[0] == 'r';
    int64_t client = both_keys(client_context(version, certs()->trust, 0), rsa_alone ? 0 : certs()->client,
                               certs()->client_rsa, choice->client_accepts, choice->client_own);
    int64_t server =
        both_keys(server_context(version, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE),
                  certs()->server, certs()->server_rsa, choice->server_accepts, choice->server_own);
    struct pair *pair = pair_new(client, server, PIPE_MOST);

    if (choice->by_server == NULL) {
        pair_handshake(pair);
        ck_assert_result(pair->server_result, TLSSHIM_E_NEGOTIATION);
        return;
    }
    pair_connect(pair);
    ck_assert_str_eq(text_of(pair->client, TLSSHIM_CONN_PEER_SIGNATURE), choice->by_server);
    ck_assert_str_eq(text_of(pair->server, TLSSHIM_CONN_PEER_SIGNATURE), choice->by_client);
}
END_TEST

static int64_t in_order(int64_t context, const char *ciphers, const char *suites, const char *groups)
{
    ck_assert_ok(tlsshim_context_set_ciphers(context, ciphers, (int32_t)strlen(ciphers)));
    ck_assert_ok(tlsshim_context_set_ciphersuites(context, suites, (int32_t)strlen(suites)));
    ck_assert_ok(tlsshim_context_set_groups(context, groups, (int32_t)strlen(groups)));
    return context;
}

START_TEST(the_servers_order_decides_unless_it_follows_the_client)
{
    int32_t version = _i / 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int64_t server = in_order(server_context(version, certs()->server, 0, 0),
                              "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
                              "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", "P-384:P-256");
    int64_t client = in_order(client_context(version, certs()->trust, 0),
                              "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
                              "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", "P-256:P-384");
    bool follows = _i % 2 == 1;
    struct pair *pair;

    if (follows)
        ck_assert_ok(tlsshim_context_set_server_preference(server, 0));
    pair = pair_new(client, server, PIPE_MOST);
    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_CIPHER_BITS), follows ? 256 : 128);
    if (version == TLSSHIM_TLS_1_2)
        ck_assert_str_eq(text_of(pair->client, TLSSHIM_CONN_GROUP), follows ? "P-256" : "P-384");
}
END_TEST

START_TEST(only_a_server_has_a_preference)
{
    ck_assert_result(tlsshim_context_set_server_preference(client_context(0, 0, 0), 0), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_context_set_server_preference(client_context(0, 0, 0), 1), TLSSHIM_E_STATE);
    for (int32_t on = -1; on <= 2; on++)
        ck_assert_result(tlsshim_context_set_server_preference(server_context(0, certs()->server, 0, 0), on),
                         on < 0 || on > 1 ? TLSSHIM_E_ARGUMENT : TLSSHIM_OK);
}
END_TEST

START_TEST(broken_schemes_are_told_from_strong_ones)
{
    char scheme[WORD_CAP];

    ck_assert(!words_broken_scheme("ECDSA+SHA256:ed25519:ed448:rsa_pss_pss_sha512:RSA+SHA224", scheme));
    ck_assert(words_broken_scheme("ECDSA+SHA256:RSA+MD5", scheme));
    ck_assert_str_eq(scheme, "RSA+MD5");
    ck_assert(words_any_scheme("ecdsa_secp256r1_sha256:ed448", 224));
    ck_assert(!words_any_scheme("ecdsa_secp256r1_sha256:ed25519", 129));
    ck_assert(words_any_scheme("ecdsa_secp521r1_sha512", 256));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("words");
    TCase *tests = tcase_create("words");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, unknown_and_weak_words_are_named, 0, WORDS);
    tcase_add_test(tests, an_empty_list_of_schemes_stands_for_the_default);
    tcase_add_loop_test(tests, each_end_signs_with_its_own_schemes_and_takes_those_that_it_accepts, 0, 2 * CHOICES);
    tcase_add_loop_test(tests, the_servers_order_decides_unless_it_follows_the_client, 0, 4);
    tcase_add_test(tests, only_a_server_has_a_preference);
    tcase_add_test(tests, broken_schemes_are_told_from_strong_ones);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
