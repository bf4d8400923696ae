#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"

static const char *version(int32_t field)
{
    static char text[600];
    int32_t len = tlsshim_version(field, text, sizeof text - 1);

    ck_assert_ok(len);
    ck_assert_int_lt(len, (int32_t)sizeof text);
    text[len] = 0;
    return text;
}

START_TEST(versions_are_told)
{
    ck_assert_int_eq(tlsshim_abi_version(), 1);
    ck_assert_str_eq(version(TLSSHIM_VERSION_SHIM), TLSSHIM_VERSION_TEXT);
    ck_assert_str_eq(version(TLSSHIM_VERSION_BUILT_WITH), OPENSSL_VERSION_TEXT);
    ck_assert_str_eq(version(TLSSHIM_VERSION_LOADED), OpenSSL_version(OPENSSL_VERSION));
    ck_assert_result(tlsshim_version(0, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_version(5, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_version(TLSSHIM_VERSION_SHIM, NULL, -1), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(the_systems_anchors_are_where_the_environment_or_the_machine_says)
{
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    if (access("/etc/ssl/certs/ca-certificates.crt", R_OK) == 0)
        ck_assert_str_eq(version(TLSSHIM_VERSION_SYSTEM_TRUST), "/etc/ssl/certs/ca-certificates.crt");
    setenv("SSL_CERT_FILE", "/tmp/some.pem", 1);
    ck_assert_str_eq(version(TLSSHIM_VERSION_SYSTEM_TRUST), "/tmp/some.pem");
    setenv("SSL_CERT_DIR", "/tmp/some", 1);
    ck_assert_str_eq(version(TLSSHIM_VERSION_SYSTEM_TRUST), "/tmp/some.pem:/tmp/some");
    setenv("SSL_CERT_FILE", "", 1);
    ck_assert_str_eq(version(TLSSHIM_VERSION_SYSTEM_TRUST), "/tmp/some");
    setenv("SSL_CERT_DIR", "", 1);
    ck_assert_int_eq(tlsshim_version(TLSSHIM_VERSION_SYSTEM_TRUST, NULL, 0), TLSSHIM_NONE);
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
}
END_TEST

START_TEST(features_are_told_and_unknown_ones_denied)
{
    static const char *const unknown[] = {"", "TLS", "tls ", "http/3", "ktls"};

    ck_assert_int_eq(tlsshim_has("tls", 3), 1);
#ifdef TLSSHIM_BACKEND_STATIC
    ck_assert_int_eq(tlsshim_has("legacy", 6), 0);
#else
    ck_assert_int_eq(tlsshim_has("legacy", 6), 1);
#endif
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        ck_assert_int_eq(tlsshim_has(unknown[i], (int32_t)strlen(unknown[i])), 0);
    ck_assert_result(tlsshim_has("t\0s", 3), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_has("tls", -1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_has(NULL, 3), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_has((void *)1, 65), TLSSHIM_E_LIMIT);
}
END_TEST

START_TEST(constants_are_known_by_their_full_names)
{
    int64_t value = 4711;

    ck_assert_int_eq(tlsshim_constant("TLSSHIM_E_NAME", 14, &value), TLSSHIM_OK);
    ck_assert_int_eq(value, TLSSHIM_E_NAME);
    value = 4711;
    ck_assert_int_eq(tlsshim_constant("E_NAME", 6, &value), TLSSHIM_NONE);
    ck_assert_int_eq(tlsshim_constant("TLSSHIM_E_NAM", 13, &value), TLSSHIM_NONE);
    ck_assert_int_eq(tlsshim_constant("", 0, &value), TLSSHIM_NONE);
    ck_assert_result(tlsshim_constant("TLSSHIM_E_NAME", 14, NULL), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_constant((void *)1, 65, &value), TLSSHIM_E_LIMIT);
    ck_assert_int_eq(value, 4711);
}
END_TEST

START_TEST(random_bytes_fill_the_whole_buffer_and_differ)
{
    uint8_t first[64] = {0}, second[64] = {0}, guard = 0xa5;
    int zeros = 0;

    ck_assert_int_eq(tlsshim_random(first, 64), 64);
    ck_assert_int_eq(tlsshim_random(second, 63), 63);
    ck_assert_mem_ne(first, second, 63);
    ck_assert_int_eq(second[63], 0);
    for (int i = 0; i < 64; i++)
        zeros += first[i] == 0;
    ck_assert_int_lt(zeros, 8);
    ck_assert_result(tlsshim_random(&guard, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_random(&guard, -1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_random(NULL, 1), TLSSHIM_E_ARGUMENT);
    ck_assert_int_eq(guard, 0xa5);
}
END_TEST

START_TEST(a_configuration_is_refused_after_first_use)
{
    uint8_t byte;

    ck_assert_ok(tlsshim_random(&byte, 1));
    ck_assert_result(tlsshim_library_config("/tmp/x", 6), TLSSHIM_E_FROZEN);
    ck_assert_result(tlsshim_library_config("", 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_library_config("/tmp\0x", 6), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_library_config((void *)1, 4096), TLSSHIM_E_LIMIT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("library");
    TCase *tcase = tcase_create("library");

    tcase_add_test(tcase, versions_are_told);
    tcase_add_test(tcase, the_systems_anchors_are_where_the_environment_or_the_machine_says);
    tcase_add_test(tcase, features_are_told_and_unknown_ones_denied);
    tcase_add_test(tcase, constants_are_known_by_their_full_names);
    tcase_add_test(tcase, random_bytes_fill_the_whole_buffer_and_differ);
    tcase_add_test(tcase, a_configuration_is_refused_after_first_use);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
