#include <stdio.h>
#include <stdlib.h>

#include "support/pki.h"

static struct authority root;

static void make_root(void)
{
    root = an_authority("CN=Root", -1, NULL);
}

static int64_t number(int64_t cert, int32_t field)
{
    int64_t n = -77;

    ck_assert_result(tlsshim_cert_number(cert, field, &n), TLSSHIM_OK);
    return n;
}

static bool text_is(int64_t cert, int32_t field, const char *text)
{
    struct blob out;

    ck_assert_ok(blob_fill(&out, tlsshim_cert_text, cert, field));
    return blob_is(&out, text);
}

static int64_t signed_by_itself(int64_t tmpl)
{
    return a_handle(tlsshim_template_self_sign(tmpl, root.key));
}

START_TEST(kinds_of_names_are_inferred_or_told)
{
    static const char *const cases[][3] = {
        {"a.test", "DNS", "a.test"},
        {"*.A.test", "DNS", "*.a.test"},
        {"10.0.0.1", "IP", "10.0.0.1"},
        {"[fe80::1]", "IP", "fe80::1"},
        {"joe@A.test", "EMAIL", "joe@a.test"},
        {"https://a.test/x", "URI", "https://a.test/x"},
        {"uri:urn:uuid:1", "URI", "urn:uuid:1"},
        {"dns:localhost", "DNS", "localhost"},
        {"b\xc3\xbc"
         "cher.test",
         "DNS", "xn--bcher-kva.test"},
    };
    int64_t tmpl = a_handle(tlsshim_template_new());
    int64_t cert;
    struct blob out;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_ok(tlsshim_template_add_name(tmpl, str(cases[i][0])));
        ck_assert_ok(tlsshim_template_add_name(tmpl, str(cases[i][0])));
    }
    cert = signed_by_itself(tmpl);
    ck_assert_int_eq(tlsshim_cert_list_count(cert, TLSSHIM_CERT_LIST_NAMES), sizeof cases / sizeof cases[0]);
    for (int32_t i = 0; i < (int32_t)(sizeof cases / sizeof cases[0]); i++) {
        blob_fill(&out, tlsshim_cert_list_at, cert, TLSSHIM_CERT_LIST_NAMES, i, TLSSHIM_PART_KIND);
        ck_assert(blob_is(&out, cases[i][1]));
        blob_fill(&out, tlsshim_cert_list_at, cert, TLSSHIM_CERT_LIST_NAMES, i, TLSSHIM_PART_VALUE);
        ck_assert(blob_is(&out, cases[i][2]));
    }
}
END_TEST

START_TEST(names_that_cannot_be_are_refused)
{
    static const char *const wrong[] = {"",          "*",        "*.test",  "a.*.test", "w*.a.test",
                                        "IP:a.test", "a b",      "@a.test", "joe@",     "j e@a.test",
                                        "URI:none",  "URI:1a:x", "1.2.3",   "DNS:::1",  "http://a b"};
    int64_t tmpl = a_handle(tlsshim_template_new());

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(support_has_code(tlsshim_template_add_name(tmpl, str(wrong[i])), TLSSHIM_E_ARGUMENT), "%s",
                      wrong[i]);
}
END_TEST

START_TEST(subjects_are_written_and_read_back_as_rfc_4514_says)
{
    static const char *const good[] = {"CN=a",
                                       "CN=www.test,O=Example,C=DE",
                                       "CN=a\\,b\\+c,O=\\ x\\ ,OU=\\#1",
                                       "CN=b\xc3\xbc"
                                       "cher",
                                       "1.2.3.4=x",
                                       "CN=\\\"q\\\"\\<\\>\\;\\\\"};
    static const char *const wrong[] = {"CN", "CN=", "=x", "Nope=x", "C=DEU", "CN=a,", "CN=a\\", "CN=#0401", ",CN=a"};
    int64_t tmpl = a_handle(tlsshim_template_new());

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_ok(tlsshim_template_set_subject(tmpl, str(good[i])));
        ck_assert_msg(text_is(signed_by_itself(tmpl), TLSSHIM_CERT_SUBJECT, good[i]), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(support_has_code(tlsshim_template_set_subject(tmpl, str(wrong[i])), TLSSHIM_E_ARGUMENT), "%s",
                      wrong[i]);
    ck_assert_ok(tlsshim_template_set_subject(tmpl, str("CN=a, O=b + OU=c")));
    ck_assert_int_eq(tlsshim_cert_list_count(signed_by_itself(tmpl), TLSSHIM_CERT_LIST_SUBJECT), 3);
}
END_TEST

START_TEST(what_is_not_set_follows_from_the_rest)
{
    static const struct {
        const char *names;
        int64_t usage;
    } cases[] = {{"a.test", TLSSHIM_USAGE_SERVER},
                 {"10.0.0.1", TLSSHIM_USAGE_SERVER},
                 {"joe@a.test", TLSSHIM_USAGE_CLIENT},
                 {"spiffe://a/b", TLSSHIM_USAGE_CLIENT}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t cert = a_leaf(&root, cases[i].names);
        struct blob serial;

        ck_assert_int_eq(number(cert, TLSSHIM_CERT_USAGE), cases[i].usage);
        ck_assert(text_is(cert, TLSSHIM_CERT_COMMON_NAME, cases[i].names));
        ck_assert_int_le(number(cert, TLSSHIM_CERT_NOT_AFTER) - number(cert, TLSSHIM_CERT_NOT_BEFORE), 825 * DAY);
        ck_assert_int_eq(blob_fill(&serial, tlsshim_cert_text, cert, TLSSHIM_CERT_SERIAL), 32);
    }
}
END_TEST

START_TEST(a_name_too_long_for_a_common_name_leaves_the_subject_empty)
{
    char name[80];
    int64_t cert;

    memset(name, 'a', sizeof name);
    name[40] = '.';
    memcpy(name + 70, ".test", 6);
    cert = a_leaf(&root, name);
    ck_assert(text_is(cert, TLSSHIM_CERT_SUBJECT, ""));
    ck_assert_int_eq(tlsshim_cert_matches_name(cert, str(name)), 1);
    ck_assert_ok(
        tlsshim_trust_verify(a_trust(root.cert), cert, TLSSHIM_USAGE_SERVER, str(name), NOW, TLSSHIM_VERIFY_STRICT));
    ck_assert_result(tlsshim_template_self_sign(a_template(name), root.key), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_self_sign(a_template(""), root.key), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(a_leaf_does_not_outlive_its_issuer_by_itself)
{
    int64_t tmpl = a_template("");
    int64_t until = the_time() + 10 * DAY;
    int64_t cert;
    struct authority brief = {root.key, 0, 0};

    ck_assert_ok(tlsshim_template_set_subject(tmpl, str("CN=Brief")));
    ck_assert_ok(tlsshim_template_set_ca(tmpl, -1));
    ck_assert_ok(tlsshim_template_set_validity(tmpl, the_time() - 5, until));
    cert = signed_by_itself(tmpl);
    brief.identity = a_handle(tlsshim_identity_new(cert, root.key));
    ck_assert_int_eq(number(a_leaf(&brief, "a.test"), TLSSHIM_CERT_NOT_AFTER), until);
}
END_TEST

START_TEST(settings_come_out_in_the_certificate)
{
    int64_t tmpl = a_template("a.test");
    int64_t cert;

    ck_assert_ok(tlsshim_template_set_serial(tmpl, "\x01\x02\xff", 3));
    ck_assert_ok(tlsshim_template_set_digest(tmpl, str("sha-384")));
    ck_assert_ok(tlsshim_template_set_must_staple(tmpl, 1));
    ck_assert_ok(tlsshim_template_set_usage(tmpl, TLSSHIM_USAGE_SERVER | TLSSHIM_USAGE_CLIENT));
    ck_assert_ok(tlsshim_template_add_usage(tmpl, str("1.2.3.4")));
    cert = signed_by_itself(tmpl);
    ck_assert(text_is(cert, TLSSHIM_CERT_SERIAL, "0102ff"));
    ck_assert(text_is(cert, TLSSHIM_CERT_SIGNATURE_ALGORITHM, "ecdsa-with-SHA384"));
    ck_assert_int_eq(number(cert, TLSSHIM_CERT_MUST_STAPLE), 1);
    ck_assert_int_eq(number(cert, TLSSHIM_CERT_USAGE), TLSSHIM_USAGE_SERVER | TLSSHIM_USAGE_CLIENT);
    ck_assert_int_eq(tlsshim_cert_list_count(cert, TLSSHIM_CERT_LIST_USAGES), 3);
    ck_assert_ok(tlsshim_template_set_serial(tmpl, NULL, 0));
    ck_assert(!text_is(signed_by_itself(tmpl), TLSSHIM_CERT_SERIAL, "0102ff"));
    ck_assert_ok(tlsshim_template_set_serial(tmpl, "\x80", 1));
    ck_assert(text_is(signed_by_itself(tmpl), TLSSHIM_CERT_SERIAL, "80"));
}
END_TEST

START_TEST(setters_check_at_once)
{
    static const uint8_t long_serial[21] = {0x80};
    int64_t tmpl = a_template("a.test");
    int64_t edwards = a_key("ED25519");

    ck_assert_result(tlsshim_template_set_validity(tmpl, 5, 4), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_set_validity(tmpl, 0, 253402300800), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_set_validity(tmpl, INT64_MIN, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_set_ca(tmpl, -2), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_set_usage(tmpl, 64), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_add_usage(tmpl, str("serverAuth?")), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_set_serial(tmpl, "\0\0", 2), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_set_serial(tmpl, long_serial, 20), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_set_serial(tmpl, long_serial, 21), TLSSHIM_E_LIMIT);
    ck_assert_result(tlsshim_template_set_digest(tmpl, str("SHA1")), TLSSHIM_E_WEAK);
    ck_assert_result(tlsshim_template_set_digest(tmpl, str("MD5")), TLSSHIM_E_WEAK);
    ck_assert_result(tlsshim_template_set_digest(tmpl, str("none")), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_set_must_staple(tmpl, 2), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_set_urls(tmpl, str("no url"), NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_add_constraint(tmpl, 2, str("a.test")), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_add_constraint(tmpl, 1, str("10.0.0.1/8")), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_add_constraint(tmpl, 1, str("10.0.0.0/33")), TLSSHIM_E_ARGUMENT);
    ck_assert_ok(tlsshim_template_set_digest(tmpl, str("SHA256")));
    ck_assert_result(tlsshim_template_self_sign(tmpl, edwards), TLSSHIM_E_ARGUMENT);
    ck_assert_ok(tlsshim_template_add_constraint(tmpl, 1, str("a.test")));
    ck_assert_result(tlsshim_template_self_sign(tmpl, root.key), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(an_issued_certificate_carries_the_chain_without_the_root)
{
    struct authority below = an_authority("CN=Below", 0, &root);
    int64_t leaf = a_leaf(&below, "a.test");

    ck_assert_int_eq(tlsshim_cert_count(below.cert), 1);
    ck_assert_int_eq(tlsshim_cert_count(leaf), 2);
    ck_assert(text_is(a_handle(tlsshim_cert_at(leaf, 1)), TLSSHIM_CERT_SUBJECT, "CN=Below"));
}
END_TEST

START_TEST(who_may_not_issue_does_not)
{
    int64_t leaf = a_handle(tlsshim_cert_self_signed(root.key, str("a.test"), 1));
    int64_t no_ca = a_handle(tlsshim_identity_new(leaf, root.key));
    struct authority last = an_authority("CN=Last", 0, &root);
    int64_t tmpl = a_template("b.test");
    int64_t result = tlsshim_template_issue(tmpl, root.key, no_ca);

    ck_assert_result(result, TLSSHIM_E_MISMATCH);
    ck_assert(error_says(result, "no CA"));
    ck_assert_result(tlsshim_template_issue(tmpl, 0, last.identity), TLSSHIM_E_EMPTY);
    ck_assert_ok(tlsshim_template_set_ca(tmpl, -1));
    result = tlsshim_template_issue(tmpl, root.key, last.identity);
    ck_assert_result(result, TLSSHIM_E_MISMATCH);
    ck_assert(error_says(result, "path length"));
}
END_TEST

START_TEST(a_certificate_is_issued_for_a_public_key_alone)
{
    int64_t key = a_key("RSA-2048");
    int64_t public_key = a_handle(tlsshim_cert_public_key(a_handle(tlsshim_cert_self_signed(key, str("x.test"), 1))));
    int64_t cert = a_handle(tlsshim_template_issue(a_template("a.test"), public_key, root.identity));

    ck_assert_int_eq(tlsshim_cert_matches_key(cert, key), 1);
    ck_assert_int_eq(number(cert, TLSSHIM_CERT_KEY_USAGE),
                     TLSSHIM_KEY_USAGE_DIGITAL_SIGNATURE | TLSSHIM_KEY_USAGE_KEY_ENCIPHERMENT);
    ck_assert_result(tlsshim_template_self_sign(a_template("a.test"), public_key), TLSSHIM_E_MISMATCH);
}
END_TEST

/* An X25519 key agrees and never signs: it is certified by others, for that use alone. */
START_TEST(a_key_that_cannot_sign_is_certified_for_what_it_can)
{
    FILE *pipe = popen("openssl genpkey -algorithm x25519", "r");
    struct blob data;
    int64_t key;
    int64_t cert;

    data.len = (int32_t)fread(data.data, 1, sizeof data.data, pipe);
    ck_assert_int_eq(pclose(pipe), 0);
    key = a_handle(tlsshim_key_load(of_blob(&data), NULL, 0));
    cert = a_handle(tlsshim_template_issue(a_template("a.test"), key, root.identity));
    ck_assert_int_eq(number(cert, TLSSHIM_CERT_KEY_USAGE), TLSSHIM_KEY_USAGE_KEY_AGREEMENT);
    ck_assert_int_eq(tlsshim_cert_matches_key(cert, key), 1);
    ck_assert_result(tlsshim_template_self_sign(a_template("a.test"), key), TLSSHIM_E_MISMATCH);
    ck_assert_result(blob_fill(&data, tlsshim_key_sign, key, NULL, 0, "x", 1), TLSSHIM_E_MISMATCH);
}
END_TEST

START_TEST(a_request_carries_wishes_and_the_ca_decides)
{
    int64_t key = a_key("ED25519");
    int64_t tmpl = a_template("a.test,10.0.0.1,joe@a.test");
    struct blob csr;
    struct blob text;

    ck_assert_ok(tlsshim_template_set_subject(tmpl, str("CN=Wish,O=Example")));
    ck_assert_ok(tlsshim_template_set_ca(tmpl, -1));
    ck_assert_ok(tlsshim_template_set_usage(tmpl, TLSSHIM_USAGE_CLIENT));
    ck_assert_ok(tlsshim_template_add_usage(tmpl, str("1.2.3.4")));
    ck_assert_ok(tlsshim_template_set_must_staple(tmpl, 1));
    for (int32_t format = TLSSHIM_FORMAT_PEM; format <= TLSSHIM_FORMAT_DER; format++) {
        int32_t bound = tlsshim_template_request(tmpl, key, format, NULL, 0);
        int64_t wish;
        int64_t cert;

        csr.len = tlsshim_template_request(tmpl, key, format, csr.data, bound);
        ck_assert_int_gt(csr.len, 0);
        ck_assert_int_le(csr.len, bound);
        wish = a_handle(tlsshim_template_from_request(of_blob(&csr)));
        ck_assert_int_eq(tlsshim_key_equal(a_handle(tlsshim_template_key(wish)), key), 1);
        cert = a_handle(tlsshim_template_issue(wish, 0, root.identity));
        ck_assert(text_is(cert, TLSSHIM_CERT_SUBJECT, "CN=Wish,O=Example"));
        ck_assert_int_eq(tlsshim_cert_list_count(cert, TLSSHIM_CERT_LIST_NAMES), 3);
        ck_assert_int_eq(number(cert, TLSSHIM_CERT_IS_CA), 0);
        ck_assert_int_eq(number(cert, TLSSHIM_CERT_USAGE), TLSSHIM_USAGE_CLIENT);
        ck_assert_int_eq(tlsshim_cert_list_count(cert, TLSSHIM_CERT_LIST_USAGES), 2);
        ck_assert_int_eq(number(cert, TLSSHIM_CERT_MUST_STAPLE), 1);
        ck_assert_int_eq(tlsshim_cert_matches_key(cert, key), 1);
        ck_assert_ok(blob_fill(&text, tlsshim_request_text, of_blob(&csr)));
        ck_assert(blob_holds(&text, "CN=Wish"));
    }
    csr.data[csr.len - 1] ^= 1;
    ck_assert_result(tlsshim_template_from_request(of_blob(&csr)), TLSSHIM_E_MISMATCH);
    ck_assert_result(tlsshim_template_request(tmpl, key, TLSSHIM_FORMAT_PUBLIC_PEM, NULL, 0), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(what_is_no_request_is_refused)
{
    struct blob data;

    blob_fill(&data, tlsshim_cert_export, root.cert, TLSSHIM_FORMAT_PEM);
    ck_assert_result(tlsshim_template_from_request(of_blob(&data)), TLSSHIM_E_EMPTY);
    blob_fill(&data, tlsshim_cert_export, root.cert, TLSSHIM_FORMAT_DER);
    ck_assert_int_lt(tlsshim_template_from_request(of_blob(&data)), 0);
    ck_assert_result(tlsshim_template_from_request(str("hello")), TLSSHIM_E_FORMAT);
    ck_assert_result(tlsshim_template_from_request(NULL, 0), TLSSHIM_E_EMPTY);
    ck_assert_result(tlsshim_request_text(str("hello"), NULL, 0), TLSSHIM_E_FORMAT);
    blob_fill(&data, tlsshim_template_request, a_template("a.test"), root.key, TLSSHIM_FORMAT_DER);
    for (int32_t len = 1; len < data.len; len++)
        ck_assert_int_lt(tlsshim_template_from_request(data.data, len), 0);
}
END_TEST

START_TEST(a_template_tells_what_it_says_so_far)
{
    int64_t tmpl = a_handle(tlsshim_template_new());
    struct blob text;
    int64_t n = 0;

    ck_assert_result(tlsshim_template_text(tmpl, TLSSHIM_CERT_SUBJECT, NULL, 0), TLSSHIM_NONE);
    ck_assert_result(tlsshim_template_text(tmpl, TLSSHIM_CERT_SERIAL, NULL, 0), TLSSHIM_NONE);
    ck_assert_result(tlsshim_template_text(tmpl, TLSSHIM_CERT_ISSUER, NULL, 0), TLSSHIM_NONE);
    ck_assert_result(tlsshim_template_number(tmpl, TLSSHIM_CERT_NOT_AFTER, &n), TLSSHIM_NONE);
    ck_assert_result(tlsshim_template_key(tmpl), TLSSHIM_NONE);
    ck_assert_ok(tlsshim_template_add_name(tmpl, str("a.test")));
    ck_assert_ok(tlsshim_template_set_ca(tmpl, 3));
    ck_assert_ok(tlsshim_template_set_validity(tmpl, 0, 1));
    blob_fill(&text, tlsshim_template_text, tmpl, TLSSHIM_CERT_SUBJECT);
    ck_assert(blob_is(&text, "CN=a.test"));
    blob_fill(&text, tlsshim_template_text, tmpl, TLSSHIM_CERT_NOT_AFTER);
    ck_assert(blob_is(&text, "1970-01-01T00:00:01Z"));
    ck_assert_ok(tlsshim_template_number(tmpl, TLSSHIM_CERT_PATH_LENGTH, &n));
    ck_assert_int_eq(n, 3);
    blob_fill(&text, tlsshim_template_text, tmpl, TLSSHIM_CERT_FULL);
    ck_assert(blob_holds(&text, "names: DNS:a.test"));
    ck_assert_result(tlsshim_template_text(tmpl, 99, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_template_number(tmpl, 99, &n), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(a_copy_goes_its_own_way)
{
    int64_t tmpl = a_template("a.test");
    int64_t copy = a_handle(tlsshim_copy(tmpl));
    struct blob text;

    ck_assert_ok(tlsshim_template_add_name(copy, str("b.test")));
    blob_fill(&text, tlsshim_template_text, tmpl, TLSSHIM_CERT_FULL);
    ck_assert(!blob_holds(&text, "b.test"));
    blob_fill(&text, tlsshim_template_text, copy, TLSSHIM_CERT_FULL);
    ck_assert(blob_holds(&text, "a.test, DNS:b.test"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("template");
    TCase *tcase = tcase_create("template");

    tcase_add_checked_fixture(tcase, make_root, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, kinds_of_names_are_inferred_or_told);
    tcase_add_test(tcase, names_that_cannot_be_are_refused);
    tcase_add_test(tcase, subjects_are_written_and_read_back_as_rfc_4514_says);
    tcase_add_test(tcase, what_is_not_set_follows_from_the_rest);
    tcase_add_test(tcase, a_name_too_long_for_a_common_name_leaves_the_subject_empty);
    tcase_add_test(tcase, a_leaf_does_not_outlive_its_issuer_by_itself);
    tcase_add_test(tcase, settings_come_out_in_the_certificate);
    tcase_add_test(tcase, setters_check_at_once);
    tcase_add_test(tcase, an_issued_certificate_carries_the_chain_without_the_root);
    tcase_add_test(tcase, who_may_not_issue_does_not);
    tcase_add_test(tcase, a_certificate_is_issued_for_a_public_key_alone);
    tcase_add_test(tcase, a_key_that_cannot_sign_is_certified_for_what_it_can);
    tcase_add_test(tcase, a_request_carries_wishes_and_the_ca_decides);
    tcase_add_test(tcase, what_is_no_request_is_refused);
    tcase_add_test(tcase, a_template_tells_what_it_says_so_far);
    tcase_add_test(tcase, a_copy_goes_its_own_way);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
