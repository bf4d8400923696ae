#include "tls/strength.h"

#include <string.h>

#include "support/certs.h"
#include "support/pair.h"

static int64_t number(int64_t context, int32_t field)
{
    int64_t n = -12345;
    int32_t result = tlsshim_context_number(context, field, &n);

    return result == TLSSHIM_OK ? n : result;
}

static const char *text(int64_t context, int32_t field)
{
    static char texts[2][4096];
    static int turn;
    char *out = texts[turn++ % 2];
    int32_t len = tlsshim_context_text(context, field, out, (int32_t)sizeof texts[0] - 1);

    ck_assert_ok(len);
    out[len] = 0;
    return out;
}

static int32_t profile(int64_t context, const char *name)
{
    return tlsshim_context_set_profile(context, name, (int32_t)strlen(name));
}

static int64_t a_context(int32_t role)
{
    return keep(tlsshim_context_new(role));
}

static void says(int64_t result, int32_t code, const char *part)
{
    ck_assert_result(result, code);
    ck_assert_msg(strstr(error_text_of(result), part) != NULL, "%s", error_text_of(result));
}

/* --- profiles --- */

START_TEST(a_profile_puts_everything_offered_as_it_says)
{
    int64_t context = a_context(TLSSHIM_ROLE_CLIENT), usual = a_context(TLSSHIM_ROLE_CLIENT);

    ck_assert_ok(tlsshim_context_set_ciphers(context, "ECDHE-RSA-AES256-GCM-SHA384", 27));
    ck_assert_ok(tlsshim_context_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384", 22));
    ck_assert_ok(tlsshim_context_set_groups(context, "P-521", 5));
    ck_assert_ok(tlsshim_context_set_signature_algorithms(context, "ed448", 5, "ed448", 5));
    ck_assert_ok(tlsshim_context_set_versions(context, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_2));
    ck_assert_ok(profile(context, _i == 0 ? "modern" : "intermediate"));
    for (int32_t field = TLSSHIM_CONTEXT_CIPHERS; field <= TLSSHIM_CONTEXT_SIGNATURES; field++)
        ck_assert_str_eq(text(context, field), text(usual, field));
    ck_assert_int_eq(number(context, TLSSHIM_CONTEXT_VERSION_MIN), _i == 0 ? TLSSHIM_TLS_1_3 : TLSSHIM_TLS_1_2);
    ck_assert_int_eq(number(context, TLSSHIM_CONTEXT_VERSION_MAX), TLSSHIM_TLS_1_3);
}
END_TEST

START_TEST(an_unknown_profile_is_told_which_there_are_and_changes_nothing)
{
    static const char *const names[] = {"", "old", "Modern", "modern ", "intermediat"};
    int64_t context = a_context(TLSSHIM_ROLE_SERVER);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        says(profile(context, names[i]), TLSSHIM_E_ARGUMENT, "there are modern and intermediate");
    ck_assert_int_eq(number(context, TLSSHIM_CONTEXT_VERSION_MIN), TLSSHIM_TLS_1_2);
}
END_TEST

START_TEST(a_profile_keeps_a_high_level_and_raises_a_low_one)
{
    int64_t context = a_context(TLSSHIM_ROLE_CLIENT);

    ck_assert_ok(tlsshim_context_set_security_level(context, 3));
    ck_assert_ok(profile(context, "modern"));
    ck_assert_int_eq(number(context, TLSSHIM_CONTEXT_SECURITY_LEVEL), 3);
    ck_assert_ok(tlsshim_context_insecure_legacy(context, 1));
    ck_assert_ok(tlsshim_context_set_security_level(context, 0));
    ck_assert_ok(profile(context, "intermediate"));
    ck_assert_int_eq(number(context, TLSSHIM_CONTEXT_SECURITY_LEVEL), 2);
}
END_TEST

START_TEST(a_modern_server_speaks_to_no_client_below_tls_1_3)
{
    int64_t server = server_context(0, certs()->server, 0, 0);
    struct pair *pair;

    ck_assert_ok(profile(server, "modern"));
    pair = pair_new(client_context(TLSSHIM_TLS_1_2, certs()->trust, 0), server, PIPE_MOST);
    pair_handshake(pair);
    ck_assert_result(pair->server_result, TLSSHIM_E_NEGOTIATION);
    ck_assert_result(pair->client_result, TLSSHIM_E_NEGOTIATION);
    pair_connect(pair_new(client_context(0, certs()->trust, 0), server, PIPE_MOST));
}
END_TEST

/* --- what is old and weak --- */

static int32_t old_version(int64_t context)
{
    return tlsshim_context_set_versions(context, TLSSHIM_TLS_1_0, 0);
}

static int32_t old_versions(int64_t context)
{
    return tlsshim_context_set_versions(context, TLSSHIM_TLS_1_1, TLSSHIM_TLS_1_1);
}

static int32_t level_0(int64_t context)
{
    return tlsshim_context_set_security_level(context, 0);
}

static int32_t level_1(int64_t context)
{
    return tlsshim_context_set_security_level(context, 1);
}

static int32_t sha1_accepted(int64_t context)
{
    return tlsshim_context_set_signature_algorithms(context, "ECDSA+SHA256:ECDSA+SHA1", 23, "", 0);
}

static int32_t sha1_own(int64_t context)
{
    return tlsshim_context_set_signature_algorithms(context, "", 0, "rsa_pkcs1_sha1:ed25519", 22);
}

static const struct weak {
    int32_t (*set)(int64_t context);
    const char *still;
    const char *in_vain; /* at level 2 */
} weak[] = {
    {old_version, "TLS 1.0 is still the lowest version", "TLS 1.0 works at security level 0 only, and the level is 2"},
    {old_versions, "TLS 1.1 is still the lowest version", "TLS 1.1 works at security level 0 only"},
    {level_0, "the security level is still 0", NULL},
    {level_1, "the security level is still 1", NULL},
    {sha1_accepted, "scheme ECDSA+SHA1 is still in a list", "scheme ECDSA+SHA1 works at security level 0 only"},
    {sha1_own, "scheme rsa_pkcs1_sha1 is still in a list", "scheme rsa_pkcs1_sha1 works at security level 0 only"},
};
enum { WEAK = sizeof weak / sizeof weak[0] };

START_TEST(what_is_weak_needs_the_switch_and_keeps_it_on)
{
    const struct weak *w = &weak[_i % WEAK];
    int64_t context = a_context(_i < WEAK ? TLSSHIM_ROLE_CLIENT : TLSSHIM_ROLE_SERVER);
    int64_t usual = keep(tlsshim_copy(context));

    ck_assert_result(w->set(context), TLSSHIM_E_WEAK);
    ck_assert_ok(tlsshim_context_insecure_legacy(context, 1));
    ck_assert_ok(w->set(context));
    says(tlsshim_context_insecure_legacy(context, 0), TLSSHIM_E_WEAK, w->still);
    ck_assert_ok(tlsshim_context_set_versions(context, 0, 0));
    ck_assert_ok(tlsshim_context_set_security_level(context, 2));
    ck_assert_ok(tlsshim_context_set_signature_algorithms(context, "", 0, "", 0));
    ck_assert_ok(tlsshim_context_insecure_legacy(context, 0));
    ck_assert_result(w->set(context), TLSSHIM_E_WEAK);
    for (int32_t field = TLSSHIM_CONTEXT_CIPHERS; field <= TLSSHIM_CONTEXT_SIGNATURES; field++)
        ck_assert_str_eq(text(context, field), text(usual, field));
}
END_TEST

START_TEST(what_is_weak_and_would_silently_be_out_of_force_is_told_before_the_first_connection)
{
    const struct weak *w = &weak[_i];
    int64_t context = client_context(0, certs()->trust, 0);

    ck_assert_ok(tlsshim_context_insecure_legacy(context, 1));
    ck_assert_ok(w->set(context));
    if (w->in_vain != NULL)
        says(tlsshim_conn_new(context, "www.test", 8), TLSSHIM_E_WEAK, w->in_vain);
    else
        keep(tlsshim_conn_new(context, "www.test", 8));
}
END_TEST

START_TEST(an_old_version_needs_a_cipher_that_it_knows)
{
    int64_t context = client_context(0, certs()->trust, 0);

    ck_assert_ok(tlsshim_context_insecure_legacy(context, 1));
    ck_assert_ok(level_0(context));
    ck_assert_ok(old_version(context));
    says(tlsshim_conn_new(context, "www.test", 8), TLSSHIM_E_MISMATCH, "ECDHE-RSA-AES128-SHA");
    ck_assert_ok(tlsshim_context_set_ciphers(context, "ECDHE+AESGCM:ECDHE-RSA-AES128-SHA", 33));
    keep(tlsshim_conn_new(context, "www.test", 8));
}
END_TEST

START_TEST(the_switch_never_brings_back_ciphers_without_secrecy_or_peers)
{
    int64_t context = a_context(TLSSHIM_ROLE_CLIENT);

    ck_assert_ok(tlsshim_context_insecure_legacy(context, 1));
    ck_assert_result(tlsshim_context_set_ciphers(context, "NULL-SHA256", 11), TLSSHIM_E_WEAK);
    ck_assert_result(tlsshim_context_set_ciphers(context, "ADH-AES128-SHA", 14), TLSSHIM_E_WEAK);
    ck_assert_result(tlsshim_context_insecure_legacy(context, 2), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_context_insecure_legacy(context, -1), TLSSHIM_E_ARGUMENT);
}
END_TEST

/* --- level --- */

START_TEST(an_identity_and_a_level_are_held_against_each_other_in_either_order)
{
    static const char want[] = "the key of CN=rsa server has 2048 bits, security level 3 asks for 3072";
    int64_t before = a_context(TLSSHIM_ROLE_SERVER), after = a_context(TLSSHIM_ROLE_SERVER);
    int64_t deep = a_context(TLSSHIM_ROLE_SERVER);

    ck_assert_ok(tlsshim_context_set_security_level(before, 3));
    says(tlsshim_context_add_identity(before, certs()->server_rsa, "", 0), TLSSHIM_E_WEAK, want);
    ck_assert_ok(tlsshim_context_add_identity(after, certs()->server_rsa, "*.wild.test", 11));
    says(tlsshim_context_set_security_level(after, 3), TLSSHIM_E_WEAK, want);
    ck_assert_int_eq(number(after, TLSSHIM_CONTEXT_SECURITY_LEVEL), 2);
    ck_assert_ok(tlsshim_context_set_security_level(after, 2));
    ck_assert_ok(tlsshim_context_add_identity(deep, certs()->server_deep, "", 0));
    ck_assert_ok(tlsshim_context_set_security_level(deep, 3));
    says(tlsshim_context_set_security_level(deep, 4), TLSSHIM_E_WEAK, "has 256 bits, security level 4 asks for 384");
}
END_TEST

START_TEST(a_peer_below_the_level_is_named_with_the_limit)
{
    int64_t client = client_context(_i == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3, certs()->trust, 0);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_security_level(client, 3));
    pair = pair_new(client, server_context(0, certs()->server_rsa, 0, 0), PIPE_MOST);
    pair_handshake(pair);
    says(pair->client_result, TLSSHIM_E_WEAK, "CN=rsa server) has 2048 bits, security level 3 asks for 3072");
    ck_assert(pair->server_result < TLSSHIM_E_HANDLE);
}
END_TEST

START_TEST(a_level_that_nothing_reaches_is_told_before_the_first_connection)
{
    int64_t context = client_context(0, certs()->trust, 0);

    ck_assert_ok(tlsshim_context_set_ciphers(context, "ECDHE-RSA-AES128-GCM-SHA256", 27));
    ck_assert_ok(tlsshim_context_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256", 22));
    ck_assert_ok(tlsshim_context_set_security_level(context, 5));
    says(tlsshim_conn_new(context, "www.test", 8), TLSSHIM_E_WEAK,
         "none of the ciphers fits the versions and reaches security level 5");
    ck_assert_ok(tlsshim_context_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384", 22));
    ck_assert_ok(tlsshim_context_set_signature_algorithms(context, "ECDSA+SHA384", 12, "", 0));
    says(tlsshim_conn_new(context, "www.test", 8), TLSSHIM_E_WEAK,
         "none of the signature schemes reaches security level 5");
    ck_assert_ok(tlsshim_context_set_signature_algorithms(context, "ECDSA+SHA512", 12, "", 0));
    keep(tlsshim_conn_new(context, "www.test", 8));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("strength");
    TCase *tests = tcase_create("strength");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, a_profile_puts_everything_offered_as_it_says, 0, 2);
    tcase_add_test(tests, an_unknown_profile_is_told_which_there_are_and_changes_nothing);
    tcase_add_test(tests, a_profile_keeps_a_high_level_and_raises_a_low_one);
    tcase_add_test(tests, a_modern_server_speaks_to_no_client_below_tls_1_3);
    tcase_add_loop_test(tests, what_is_weak_needs_the_switch_and_keeps_it_on, 0, 2 * WEAK);
    tcase_add_loop_test(tests, what_is_weak_and_would_silently_be_out_of_force_is_told_before_the_first_connection, 0,
                        WEAK);
    tcase_add_test(tests, an_old_version_needs_a_cipher_that_it_knows);
    tcase_add_test(tests, the_switch_never_brings_back_ciphers_without_secrecy_or_peers);
    tcase_add_test(tests, an_identity_and_a_level_are_held_against_each_other_in_either_order);
    tcase_add_loop_test(tests, a_peer_below_the_level_is_named_with_the_limit, 0, 2);
    tcase_add_test(tests, a_level_that_nothing_reaches_is_told_before_the_first_connection);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
