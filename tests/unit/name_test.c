#include "support/pki.h"

#include "base/backend.h"
#include "pki/name.h"

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

START_TEST(names_match_by_the_rules)
{
    static const struct {
        const char *names;
        const char *yes;
        const char *no;
    } cases[] = {
        {"www.test", "www.test", "test"},
        {"www.test", "WWW.Test", "www.test.more"},
        {"www.test", "www.test.", "wwwXtest"},
        {"WWW.TEST", "www.test", "ww.test"},
        {"*.a.test", "x.a.test", "a.test"},
        {"*.a.test", "xn--bcher-kva.a.test", "x.y.a.test"},
        {"b\xc3\xbc"
         "cher.test",
         "b\xc3\xbc"
         "cher.test",
         "bucher.test"},
        {"xn--bcher-kva.test",
         "B\xc3\x9c"
         "CHER.test",
         "bcher.test"},
        {"10.0.0.1", "10.0.0.1", "10.0.0.2"},
        {"::1", "::1", "::2"},
        {"2001:db8::1", "[2001:DB8:0::1]", "2001:db8::10"},
        {"10.0.0.1,1.test", "1.test", "10.0.0.1.test"},
        {"joe@a.test,b.test", "b.test", "a.test"},
        {"https://a.test/,b.test", "b.test", "a.test"},
    };
    int64_t key = a_key("P-256");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t cert = a_handle(tlsshim_cert_self_signed(key, str(cases[i].names), 1));

        ck_assert_msg(tlsshim_cert_matches_name(cert, str(cases[i].yes)) == 1, "%s", cases[i].yes);
        ck_assert_msg(tlsshim_cert_matches_name(cert, str(cases[i].no)) == 0, "%s", cases[i].no);
        ck_assert_ok(tlsshim_close(cert));
    }
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

START_TEST(a_common_name_does_not_count)
{
    int64_t key = a_key("P-256");
    int64_t tmpl = a_template("other.test");
    int64_t cert;

    ck_assert_ok(tlsshim_template_set_subject(tmpl, str("CN=www.test")));
    cert = a_handle(tlsshim_template_self_sign(tmpl, key));
    ck_assert_int_eq(tlsshim_cert_matches_name(cert, str("www.test")), 0);
    ck_assert_ok(tlsshim_close(cert));
    ck_assert_ok(tlsshim_close(tmpl));
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

START_TEST(an_address_is_not_matched_by_a_name_that_looks_like_it)
{
    int64_t key = a_key("P-256");
    int64_t cert = a_handle(tlsshim_cert_self_signed(key, str("a.test"), 1));

    ck_assert_int_eq(tlsshim_cert_matches_name(cert, str("10.0.0.1")), 0);
    /* Nobody can make such a certificate here. */
    ck_assert_result(tlsshim_cert_self_signed(key, str("DNS:10.0.0.1"), 1), TLSSHIM_E_ARGUMENT);
    ck_assert_ok(tlsshim_close(cert));
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

START_TEST(what_is_no_host_name_is_refused)
{
    static const char *const wrong[] = {"",
                                        ".",
                                        ".test",
                                        "a..test",
                                        "a b",
                                        "-a.test",
                                        "a-.test",
                                        "1.2.3",
                                        "10.0.0.256",
                                        "a.1",
                                        "*.test",
                                        "a/b",
                                        "a:80",
                                        "fe80::1%lo",
                                        "[10.0.0.1]",
                                        "[::1",
                                        "a\n.test",
                                        "a@b.test",
                                        "\xe2\x80\xae"
                                        "a.test"};
    int64_t key = a_key("P-256");
    int64_t cert = a_handle(tlsshim_cert_self_signed(key, str("a.test"), 1));
    char label[70];
    char host[300] = "";

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(support_has_code(tlsshim_cert_matches_name(cert, str(wrong[i])), TLSSHIM_E_ARGUMENT), "%s",
                      wrong[i]);
    memset(label, 'a', sizeof label);
    ck_assert_int_eq(tlsshim_cert_matches_name(cert, label, 63), 0);
    ck_assert_result(tlsshim_cert_matches_name(cert, label, 64), TLSSHIM_E_ARGUMENT);
    while (strlen(host) < 254)
        strcat(host, "ab.");
    ck_assert_int_eq(tlsshim_cert_matches_name(cert, host, 253), 0);
    ck_assert_result(tlsshim_cert_matches_name(cert, host, 254), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_cert_matches_name(cert, "a\0b", 3), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_cert_matches_name(cert, "\xff", 1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_cert_matches_name(cert, NULL, 1025), TLSSHIM_E_LIMIT);
    ck_assert_ok(tlsshim_close(cert));
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

START_TEST(addresses_are_known_by_their_form)
{
    static const char *const addresses[] = {"1.2.3.4", "::", "[::1]", "::ffff:1.2.3.4", "2001:db8::"};
    static const char *const others[] = {"1.2.3", "1.2.3.4.5", "01.2.3.400", "g::1", "[1.2.3.4]", "", "::1%lo", "[]"};

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        ck_assert_msg(name_is_ip(bytes_of(addresses[i])), "%s", addresses[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        ck_assert_msg(!name_is_ip(bytes_of(others[i])), "%s", others[i]);
}
END_TEST

START_TEST(host_names_take_the_form_that_certificates_hold)
{
    static const char *const pairs[][2] = {
        {"WWW.Test.", "www.test"},
        {"B\xc3\xbc"
         "cher.TEST",
         "xn--bcher-kva.test"},
        {"fa\xc3\x9f.test", "xn--fa-hia.test"},
        {"_dmarc.test", "_dmarc.test"},
        {"\xe4\xbe\x8b\xe3\x80\x82test", "xn--fsq.test"},
    };
    struct visit visit;
    char out[NAME_LIMIT];

    ck_assert_ok(visit_enter(&visit));
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        ck_assert_result(name_to_ascii(bytes_of(pairs[i][0]), out, sizeof out), TLSSHIM_OK);
        ck_assert_str_eq(out, pairs[i][1]);
    }
    visit_leave(&visit);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("name");
    TCase *tcase = tcase_create("name");

    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, names_match_by_the_rules);
    tcase_add_test(tcase, a_common_name_does_not_count);
    tcase_add_test(tcase, an_address_is_not_matched_by_a_name_that_looks_like_it);
    tcase_add_test(tcase, what_is_no_host_name_is_refused);
    tcase_add_test(tcase, addresses_are_known_by_their_form);
    tcase_add_test(tcase, host_names_take_the_form_that_certificates_hold);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
