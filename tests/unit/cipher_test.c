#include <string.h>

#include "support/pair.h"

static const char *describe(const char *name)
{
    static char text[512];
    int32_t len = tlsshim_cipher_text(name, (int32_t)strlen(name), text, sizeof text - 1);

    ck_assert_msg(len > 0, "%s: %s", name, support_text(len));
    text[len] = 0;
    return text;
}

static const struct cipher {
    const char *names[3];
    const char *text;
} ciphers[] = {
    {{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "0xc02f"},
     "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 (ECDHE-RSA-AES128-GCM-SHA256, 0xc02f): TLSv1.2, key exchange ECDHE, "
     "authentication RSA, encryption aes-128-gcm, MAC AEAD, 128 bits"},
    {{"TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", "0X1302"},
     "TLS_AES_256_GCM_SHA384 (TLS_AES_256_GCM_SHA384, 0x1302): TLSv1.3, key exchange any, authentication any, "
     "encryption aes-256-gcm, MAC AEAD, 256 bits"},
    {{"TLS_AES_128_CCM_8_SHA256", "TLS_AES_128_CCM_8_SHA256", "0x1305"},
     "TLS_AES_128_CCM_8_SHA256 (TLS_AES_128_CCM_8_SHA256, 0x1305): TLSv1.3, key exchange any, authentication any, "
     "encryption aes-128-ccm, MAC AEAD, 128 bits"},
    {{"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA", "0xC00A"},
     "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA (ECDHE-ECDSA-AES256-SHA, 0xc00a): TLSv1.0, key exchange ECDHE, "
     "authentication ECDSA or EdDSA, encryption aes-256-cbc, MAC sha1, 256 bits"},
    {{"TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-PSK-CHACHA20-POLY1305", "0xccac"},
     "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256 (ECDHE-PSK-CHACHA20-POLY1305, 0xccac): TLSv1.2, key exchange "
     "ECDHE-PSK, authentication PSK, encryption chacha20-poly1305, MAC AEAD, 256 bits"},
    {{"TLS_RSA_WITH_NULL_SHA256", "NULL-SHA256", "0x003b"},
     "TLS_RSA_WITH_NULL_SHA256 (NULL-SHA256, 0x003b): TLSv1.2, key exchange RSA, authentication RSA, encryption none, "
     "MAC sha256, 0 bits"},
    {{"TLS_DH_anon_WITH_AES_128_GCM_SHA256", "ADH-AES128-GCM-SHA256", "0x00A6"},
     "TLS_DH_anon_WITH_AES_128_GCM_SHA256 (ADH-AES128-GCM-SHA256, 0x00a6): TLSv1.2, key exchange DHE, authentication "
     "none, encryption aes-128-gcm, MAC AEAD, 128 bits"},
};
enum { CIPHERS = sizeof ciphers / sizeof ciphers[0] };

START_TEST(a_cipher_is_found_by_each_of_its_names_and_told_in_one_line)
{
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(describe(ciphers[_i].names[i]), ciphers[_i].text);
}
END_TEST

START_TEST(what_is_no_cipher_is_none)
{
    static const char *const names[] = {
        "",       "HIGH",   "tls_aes_128_gcm_sha256", "0x0000", "0x13011", "0x130", "001301", "0x", "0x-001",
        "0x 130", "0x+0a6", "TLS_AES_128_GCM_SHA256 "};
    char text[512] = "untouched", name[200];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        must_be(tlsshim_cipher_text(names[i], (int32_t)strlen(names[i]), text, sizeof text), TLSSHIM_NONE);
    ck_assert_str_eq(text, "untouched");
    memset(name, 'A', sizeof name);
    ck_assert_int_eq(tlsshim_cipher_text(name, 128, text, sizeof text), TLSSHIM_NONE);
    ck_assert_result(tlsshim_cipher_text(name, 129, text, sizeof text), TLSSHIM_E_LIMIT);
    ck_assert_result(tlsshim_cipher_text("A\0B", 3, text, sizeof text), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_cipher_text("0x1301", 6, NULL, 9), TLSSHIM_E_ARGUMENT);
}
END_TEST

/* A connection's own words for its cipher lead to its description. */
START_TEST(what_a_connection_uses_can_be_described)
{
    struct pair *pair = pair_connected(ways[_i == 0 ? 2 : 6]);
    const char *name = text_of(pair->client, TLSSHIM_CONN_CIPHER);

    ck_assert_msg(strncmp(describe(name), name, strlen(name)) == 0, "%s", describe(name));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cipher");
    TCase *tests = tcase_create("cipher");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, a_cipher_is_found_by_each_of_its_names_and_told_in_one_line, 0, CIPHERS);
    tcase_add_test(tests, what_is_no_cipher_is_none);
    tcase_add_loop_test(tests, what_a_connection_uses_can_be_described, 0, 2);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
