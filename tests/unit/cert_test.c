#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/pki.h"

static struct authority root;
static struct authority below;
static int64_t leaf;

static void make_chain(void)
{
    root = an_authority("CN=Root,O=Example", -1, NULL);
    below = an_authority("CN=Below,O=Example", 0, &root);
    leaf = a_leaf(&below, "www.test,10.0.0.1,::1,joe@mail.test,spiffe://test/x,*.more.test");
}

static bool text_is(int64_t cert, int32_t field, const char *text)
{
    struct blob out;

    ck_assert_ok(blob_fill(&out, tlsshim_cert_text, cert, field));
    return blob_is(&out, text);
}

static int64_t number(int64_t cert, int32_t field)
{
    int64_t n = -77;

    ck_assert_result(tlsshim_cert_number(cert, field, &n), TLSSHIM_OK);
    return n;
}

static bool entry_is(int64_t cert, int32_t list, int32_t index, int32_t part, const char *text)
{
    struct blob out;

    ck_assert_ok(blob_fill(&out, tlsshim_cert_list_at, cert, list, index, part));
    return blob_is(&out, text);
}

/* The PEM of chain and root, in the order of `places` (0 leaf, 1 below, 2 root). */
static void bundle(struct blob *out, const char *places)
{
    int64_t whole = a_handle(tlsshim_cert_join(leaf, root.cert));

    out->len = 0;
    for (; *places != 0; places++) {
        int64_t one = a_handle(tlsshim_cert_at(whole, *places - '0'));
        int32_t len =
            tlsshim_cert_export(one, TLSSHIM_FORMAT_PEM, out->data + out->len, (int32_t)sizeof out->data - out->len);

        ck_assert_int_gt(len, 0);
        out->len += len;
        ck_assert_ok(tlsshim_close(one));
    }
    ck_assert_ok(tlsshim_close(whole));
}

START_TEST(a_chain_comes_back_in_order_from_any_order)
{
    static const char *const orders[] = {"012", "021", "102", "120", "201", "210", "0012210"};
    struct blob right;
    struct blob data;

    bundle(&right, "012");
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        int64_t cert;

        bundle(&data, orders[i]);
        cert = a_handle(tlsshim_cert_load(of_blob(&data)));
        ck_assert_int_eq(tlsshim_cert_count(cert), 3);
        ck_assert_ok(blob_fill(&data, tlsshim_cert_export, cert, TLSSHIM_FORMAT_PEM));
        ck_assert_int_eq(data.len, right.len);
        ck_assert_mem_eq(data.data, right.data, (size_t)data.len);
        ck_assert_ok(tlsshim_close(cert));
    }
}
END_TEST

START_TEST(the_certificate_without_a_place_is_named)
{
    struct authority other = an_authority("CN=Stranger", -1, NULL);
    struct blob data;
    struct blob more;
    int64_t result;

    bundle(&data, "01");
    blob_fill(&more, tlsshim_cert_export, other.cert, TLSSHIM_FORMAT_PEM);
    memcpy(data.data + data.len, more.data, (size_t)more.len);
    data.len += more.len;
    result = tlsshim_cert_load(of_blob(&data));
    ck_assert_result(result, TLSSHIM_E_MISMATCH);
    ck_assert_msg(error_says(result, "CN=Stranger"), "%s", support_text(result));
    ck_assert_result(tlsshim_cert_join(leaf, other.cert), TLSSHIM_E_MISMATCH);
}
END_TEST

START_TEST(text_keys_and_line_ends_around_pem_do_not_matter)
{
    struct blob data;
    struct blob key;
    char *mixed = calloc(1, 200000);
    int32_t len = 0;
    int64_t cert;

    bundle(&data, "0");
    blob_fill(&key, tlsshim_key_export, below.key, TLSSHIM_FORMAT_PEM, str("sealed"));
    len += sprintf(mixed, "subject: somebody\r\n%.*s 0 s:text\n", key.len, (char *)key.data);
    for (int32_t i = 0; i < data.len; i++) {
        if (data.data[i] == '\n')
            mixed[len++] = '\r';
        mixed[len++] = (char)data.data[i];
    }
    cert = a_handle(tlsshim_cert_load(mixed, len));
    ck_assert_int_eq(tlsshim_cert_count(cert), 1);
    ck_assert(text_is(cert, TLSSHIM_CERT_SUBJECT, "CN=www.test"));
    ck_assert_ok(tlsshim_close(cert));
    free(mixed);
}
END_TEST

START_TEST(der_is_the_leaf_alone)
{
    struct blob data;
    int64_t cert;

    blob_fill(&data, tlsshim_cert_export, leaf, TLSSHIM_FORMAT_DER);
    cert = a_handle(tlsshim_cert_load(of_blob(&data)));
    ck_assert_int_eq(tlsshim_cert_count(leaf), 2);
    ck_assert_int_eq(tlsshim_cert_count(cert), 1);
    ck_assert_ok(tlsshim_close(cert));
    data.data[data.len++] = 0;
    ck_assert_result(tlsshim_cert_load(of_blob(&data)), TLSSHIM_E_FORMAT);
}
END_TEST

START_TEST(what_is_no_certificate_says_what_it_is_instead)
{
    struct blob data;
    int64_t result;

    ck_assert_result(tlsshim_cert_load("", 0), TLSSHIM_E_EMPTY);
    ck_assert_result(tlsshim_cert_load(str("hello")), TLSSHIM_E_FORMAT);
    blob_fill(&data, tlsshim_key_export, root.key, TLSSHIM_FORMAT_PEM, NULL, 0);
    ck_assert_result(tlsshim_cert_load(of_blob(&data)), TLSSHIM_E_EMPTY);
    bundle(&data, "01");
    memcpy(data.data + 40, "?!?!", 4);
    result = tlsshim_cert_load(of_blob(&data));
    ck_assert_result(result, TLSSHIM_E_FORMAT);
    ck_assert_msg(error_says(result, "line "), "%s", support_text(result));
    blob_fill(&data, tlsshim_cert_export, leaf, TLSSHIM_FORMAT_DER);
    for (int32_t len = 1; len < data.len; len++)
        ck_assert_result(tlsshim_cert_load(data.data, len), TLSSHIM_E_FORMAT);
}
END_TEST

START_TEST(fields_tell_what_the_certificate_says)
{
    int64_t now = the_time();
    struct blob out;
    int64_t n = 5;

    ck_assert(text_is(leaf, TLSSHIM_CERT_SUBJECT, "CN=www.test"));
    ck_assert(text_is(leaf, TLSSHIM_CERT_ISSUER, "CN=Below,O=Example"));
    ck_assert(text_is(leaf, TLSSHIM_CERT_COMMON_NAME, "www.test"));
    ck_assert(text_is(leaf, TLSSHIM_CERT_KEY_ALGORITHM, "P-256"));
    ck_assert(text_is(leaf, TLSSHIM_CERT_SIGNATURE_ALGORITHM, "ecdsa-with-SHA256"));
    ck_assert_int_eq(blob_fill(&out, tlsshim_cert_text, leaf, TLSSHIM_CERT_SERIAL), 32);
    ck_assert_int_eq(blob_fill(&out, tlsshim_cert_text, leaf, TLSSHIM_CERT_FINGERPRINT), 64);
    ck_assert_int_eq(blob_fill(&out, tlsshim_cert_text, leaf, TLSSHIM_CERT_SPKI_SHA256), 64);
    ck_assert_int_eq(blob_fill(&out, tlsshim_cert_text, below.cert, TLSSHIM_CERT_SUBJECT_KEY_ID), 40);
    out.data[out.len] = 0;
    ck_assert(text_is(leaf, TLSSHIM_CERT_AUTHORITY_KEY_ID, (char *)out.data));
    ck_assert_ok(blob_fill(&out, tlsshim_cert_text, leaf, TLSSHIM_CERT_FULL));
    ck_assert(blob_holds(&out, "DNS:www.test"));
    ck_assert_int_eq(number(leaf, TLSSHIM_CERT_VERSION), 3);
    ck_assert_int_eq(number(leaf, TLSSHIM_CERT_IS_CA), 0);
    ck_assert_int_eq(number(below.cert, TLSSHIM_CERT_IS_CA), 1);
    ck_assert_int_eq(number(below.cert, TLSSHIM_CERT_PATH_LENGTH), 0);
    ck_assert_result(tlsshim_cert_number(root.cert, TLSSHIM_CERT_PATH_LENGTH, &n), TLSSHIM_NONE);
    ck_assert_int_eq(n, 5);
    ck_assert_int_eq(number(leaf, TLSSHIM_CERT_USAGE), TLSSHIM_USAGE_SERVER);
    ck_assert_result(tlsshim_cert_number(root.cert, TLSSHIM_CERT_USAGE, &n), TLSSHIM_NONE);
    ck_assert_int_eq(number(leaf, TLSSHIM_CERT_KEY_USAGE), TLSSHIM_KEY_USAGE_DIGITAL_SIGNATURE);
    ck_assert_int_eq(number(root.cert, TLSSHIM_CERT_KEY_USAGE),
                     TLSSHIM_KEY_USAGE_KEY_CERT_SIGN | TLSSHIM_KEY_USAGE_CRL_SIGN);
    ck_assert_int_eq(number(leaf, TLSSHIM_CERT_KEY_BITS), 256);
    ck_assert_int_eq(number(leaf, TLSSHIM_CERT_SELF_SIGNED), 0);
    ck_assert_int_eq(number(root.cert, TLSSHIM_CERT_SELF_SIGNED), 1);
    ck_assert_int_eq(number(leaf, TLSSHIM_CERT_MUST_STAPLE), 0);
    ck_assert_int_lt(number(leaf, TLSSHIM_CERT_NOT_BEFORE), now);
    ck_assert_int_gt(number(leaf, TLSSHIM_CERT_NOT_AFTER), now);
    for (int32_t field = -1; field < 30; field += 31)
        ck_assert_result(tlsshim_cert_text(leaf, field, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_cert_text(leaf, TLSSHIM_CERT_IS_CA, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_cert_number(leaf, TLSSHIM_CERT_SUBJECT, &n), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_cert_number(leaf, TLSSHIM_CERT_VERSION, NULL), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(times_go_beyond_2038_and_before_1970)
{
    static const struct {
        int64_t from;
        int64_t until;
        const char *from_text;
        const char *until_text;
    } cases[] = {
        {-1000000000, 4294967296, "1938-04-24T22:13:20Z", "2106-02-07T06:28:16Z"},
        {-62167219200, 253402300799, "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"},
        {-631152000, 2524607999, "1950-01-01T00:00:00Z", "2049-12-31T23:59:59Z"},
        {951782400, 2524608000, "2000-02-29T00:00:00Z", "2050-01-01T00:00:00Z"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t tmpl = a_template("a.test");
        int64_t cert;

        ck_assert_ok(tlsshim_template_set_validity(tmpl, cases[i].from, cases[i].until));
        cert = a_handle(tlsshim_template_self_sign(tmpl, root.key));
        ck_assert_int_eq(number(cert, TLSSHIM_CERT_NOT_BEFORE), cases[i].from);
        ck_assert_int_eq(number(cert, TLSSHIM_CERT_NOT_AFTER), cases[i].until);
        ck_assert(text_is(cert, TLSSHIM_CERT_NOT_BEFORE, cases[i].from_text));
        ck_assert(text_is(cert, TLSSHIM_CERT_NOT_AFTER, cases[i].until_text));
        ck_assert_ok(tlsshim_close(cert));
        ck_assert_ok(tlsshim_close(tmpl));
    }
}
END_TEST

START_TEST(lists_give_structure)
{
    static const char *const names[][2] = {
        {"DNS", "www.test"},        {"IP", "10.0.0.1"},         {"IP", "::1"},
        {"EMAIL", "joe@mail.test"}, {"URI", "spiffe://test/x"}, {"DNS", "*.more.test"}};
    struct blob out;

    ck_assert_int_eq(tlsshim_cert_list_count(leaf, TLSSHIM_CERT_LIST_NAMES), 6);
    for (int32_t i = 0; i < 6; i++) {
        ck_assert(entry_is(leaf, TLSSHIM_CERT_LIST_NAMES, i, TLSSHIM_PART_KIND, names[i][0]));
        ck_assert(entry_is(leaf, TLSSHIM_CERT_LIST_NAMES, i, TLSSHIM_PART_VALUE, names[i][1]));
    }
    ck_assert_int_eq(tlsshim_cert_list_count(leaf, TLSSHIM_CERT_LIST_ISSUER), 2);
    ck_assert(entry_is(leaf, TLSSHIM_CERT_LIST_ISSUER, 0, TLSSHIM_PART_KIND, "O"));
    ck_assert(entry_is(leaf, TLSSHIM_CERT_LIST_ISSUER, 1, TLSSHIM_PART_VALUE, "Below"));
    ck_assert(entry_is(leaf, TLSSHIM_CERT_LIST_ISSUER, 1, TLSSHIM_PART_NAME, "commonName"));
    ck_assert(entry_is(leaf, TLSSHIM_CERT_LIST_ISSUER, 1, TLSSHIM_PART_OID, "2.5.4.3"));
    ck_assert(entry_is(leaf, TLSSHIM_CERT_LIST_ISSUER, 1, TLSSHIM_PART_SET, "1"));
    ck_assert_int_eq(tlsshim_cert_list_count(leaf, TLSSHIM_CERT_LIST_USAGES), 1);
    ck_assert(entry_is(leaf, TLSSHIM_CERT_LIST_USAGES, 0, TLSSHIM_PART_OID, "1.3.6.1.5.5.7.3.1"));
    ck_assert_int_eq(tlsshim_cert_list_count(leaf, TLSSHIM_CERT_LIST_EXTENSIONS), 6);
    ck_assert(entry_is(leaf, TLSSHIM_CERT_LIST_EXTENSIONS, 0, TLSSHIM_PART_KIND, "critical"));
    ck_assert_ok(blob_fill(&out, tlsshim_cert_list_at, leaf, TLSSHIM_CERT_LIST_EXTENSIONS, 5, TLSSHIM_PART_VALUE));
    ck_assert(blob_holds(&out, "DNS:www.test"));
    ck_assert_int_eq(tlsshim_cert_list_count(leaf, TLSSHIM_CERT_LIST_CRL_URLS), 0);
    ck_assert_result(tlsshim_cert_list_at(leaf, TLSSHIM_CERT_LIST_NAMES, 6, TLSSHIM_PART_VALUE, NULL, 0), TLSSHIM_NONE);
    ck_assert_result(tlsshim_cert_list_at(leaf, TLSSHIM_CERT_LIST_NAMES, 0, TLSSHIM_PART_SET, NULL, 0), TLSSHIM_NONE);
    ck_assert_result(tlsshim_cert_list_at(leaf, TLSSHIM_CERT_LIST_NAMES, -1, TLSSHIM_PART_VALUE, NULL, 0),
                     TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_cert_list_at(leaf, TLSSHIM_CERT_LIST_NAMES, 0, 6, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_cert_list_at(leaf, 10, 0, 1, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_cert_list_count(leaf, 0), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(urls_are_listed)
{
    int64_t tmpl = a_template("a.test");
    int64_t cert;

    ck_assert_ok(
        tlsshim_template_set_urls(tmpl, str("http://c.test/1.crl  http://c.test/2.crl"), str("http://o.test")));
    cert = a_handle(tlsshim_template_self_sign(tmpl, root.key));
    ck_assert_int_eq(tlsshim_cert_list_count(cert, TLSSHIM_CERT_LIST_CRL_URLS), 2);
    ck_assert(entry_is(cert, TLSSHIM_CERT_LIST_CRL_URLS, 1, TLSSHIM_PART_VALUE, "http://c.test/2.crl"));
    ck_assert_int_eq(tlsshim_cert_list_count(cert, TLSSHIM_CERT_LIST_OCSP_URLS), 1);
    ck_assert(entry_is(cert, TLSSHIM_CERT_LIST_OCSP_URLS, 0, TLSSHIM_PART_VALUE, "http://o.test"));
    ck_assert_int_eq(tlsshim_cert_list_count(cert, TLSSHIM_CERT_LIST_CA_ISSUER_URLS), 0);
    ck_assert_ok(tlsshim_close(cert));
    ck_assert_ok(tlsshim_close(tmpl));
}
END_TEST

START_TEST(digests_are_taken_of_the_leaf)
{
    struct blob digest;
    struct blob text;
    char hex[65];

    ck_assert_int_eq(blob_fill(&digest, tlsshim_cert_digest, leaf, NULL, 0), 32);
    for (int i = 0; i < 32; i++)
        sprintf(hex + 2 * i, "%02x", digest.data[i]);
    blob_fill(&text, tlsshim_cert_text, leaf, TLSSHIM_CERT_FINGERPRINT);
    ck_assert(blob_is(&text, hex));
    ck_assert_int_eq(tlsshim_cert_digest(leaf, str("SHA512"), NULL, 0), 64);
    ck_assert_result(tlsshim_cert_digest(leaf, str("none such"), NULL, 0), TLSSHIM_E_UNSUPPORTED);
}
END_TEST

START_TEST(keys_and_certificates_find_each_other)
{
    int64_t own = a_handle(tlsshim_cert_public_key(root.cert));

    ck_assert_int_eq(tlsshim_cert_matches_key(root.cert, root.key), 1);
    ck_assert_int_eq(tlsshim_cert_matches_key(root.cert, own), 1);
    ck_assert_int_eq(tlsshim_cert_matches_key(leaf, root.key), 0);
    ck_assert_result(tlsshim_cert_matches_key(root.cert, root.cert), TLSSHIM_E_HANDLE);
    ck_assert_ok(tlsshim_close(own));
}
END_TEST

START_TEST(a_chain_is_taken_apart_and_put_together)
{
    int64_t first = a_handle(tlsshim_cert_at(leaf, 0));
    int64_t second = a_handle(tlsshim_cert_at(leaf, 1));
    int64_t both = a_handle(tlsshim_cert_join(first, second));

    ck_assert_int_eq(tlsshim_cert_count(first), 1);
    ck_assert(text_is(second, TLSSHIM_CERT_SUBJECT, "CN=Below,O=Example"));
    ck_assert_int_eq(tlsshim_cert_count(both), 2);
    ck_assert_result(tlsshim_cert_at(leaf, 2), TLSSHIM_NONE);
    ck_assert_result(tlsshim_cert_at(leaf, -1), TLSSHIM_E_ARGUMENT);
    ck_assert_ok(tlsshim_close(first));
    ck_assert_ok(tlsshim_close(second));
    ck_assert_int_eq(tlsshim_cert_count(both), 2);
    ck_assert_ok(tlsshim_close(both));
}
END_TEST

START_TEST(a_file_that_is_wrong_is_named)
{
    char path[] = "/tmp/tlsshim-cert-XXXXXX";
    int fd = mkstemp(path);
    struct blob data;
    int64_t result;

    bundle(&data, "012");
    ck_assert_int_eq(write(fd, data.data, (size_t)data.len), data.len);
    ck_assert_ok(tlsshim_close(a_handle(tlsshim_cert_load_file(str(path)))));
    ck_assert_int_eq(ftruncate(fd, 5), 0);
    result = tlsshim_cert_load_file(str(path));
    ck_assert_result(result, TLSSHIM_E_FORMAT);
    ck_assert(error_says(result, path));
    ck_assert_int_eq(ftruncate(fd, 16777217), 0);
    ck_assert_result(tlsshim_cert_load_file(str(path)), TLSSHIM_E_LIMIT);
    close(fd);
    unlink(path);
    ck_assert_result(tlsshim_cert_load_file(str(path)), TLSSHIM_E_SYSTEM);
}
END_TEST

START_TEST(ten_megabytes_of_other_text_are_passed_over)
{
    enum { SIZE = 10 * 1024 * 1024 };
    char *data = malloc(SIZE);
    struct blob pem;
    int64_t cert;

    bundle(&pem, "0");
    memset(data, 'x', SIZE);
    for (int i = 100; i < SIZE; i += 100)
        data[i] = '\n';
    memcpy(data + SIZE - pem.len, pem.data, (size_t)pem.len);
    data[SIZE - pem.len - 1] = '\n';
    cert = a_handle(tlsshim_cert_load(data, SIZE));
    ck_assert(text_is(cert, TLSSHIM_CERT_SUBJECT, "CN=www.test"));
    ck_assert_ok(tlsshim_close(cert));
    free(data);
}
END_TEST

START_TEST(a_self_signed_certificate_is_one_call)
{
    int64_t key = a_key("ED25519");
    int64_t cert = a_handle(tlsshim_cert_self_signed(key, str("localhost, 127.0.0.1,::1"), 30));
    int64_t trust = a_trust(cert);

    ck_assert_int_eq(number(cert, TLSSHIM_CERT_IS_CA), 0);
    ck_assert_int_eq(number(cert, TLSSHIM_CERT_USAGE), TLSSHIM_USAGE_SERVER);
    ck_assert_int_eq(number(cert, TLSSHIM_CERT_NOT_AFTER) - number(cert, TLSSHIM_CERT_NOT_BEFORE), 30 * DAY - 1);
    ck_assert_int_eq(tlsshim_cert_matches_name(cert, str("127.0.0.1")), 1);
    ck_assert_ok(tlsshim_trust_verify(trust, cert, TLSSHIM_USAGE_SERVER, str("localhost"), NOW, TLSSHIM_VERIFY_STRICT));
    ck_assert_result(tlsshim_cert_self_signed(key, str("localhost"), 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_cert_self_signed(key, str("localhost"), 36501), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_cert_self_signed(key, str(""), 1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_cert_self_signed(key, str("a,,b"), 1), TLSSHIM_E_ARGUMENT);
    ck_assert_ok(tlsshim_close(trust));
    ck_assert_ok(tlsshim_close(cert));
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cert");
    TCase *tcase = tcase_create("cert");

    tcase_add_checked_fixture(tcase, make_chain, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_chain_comes_back_in_order_from_any_order);
    tcase_add_test(tcase, the_certificate_without_a_place_is_named);
    tcase_add_test(tcase, text_keys_and_line_ends_around_pem_do_not_matter);
    tcase_add_test(tcase, der_is_the_leaf_alone);
    tcase_add_test(tcase, what_is_no_certificate_says_what_it_is_instead);
    tcase_add_test(tcase, fields_tell_what_the_certificate_says);
    tcase_add_test(tcase, times_go_beyond_2038_and_before_1970);
    tcase_add_test(tcase, lists_give_structure);
    tcase_add_test(tcase, urls_are_listed);
    tcase_add_test(tcase, digests_are_taken_of_the_leaf);
    tcase_add_test(tcase, keys_and_certificates_find_each_other);
    tcase_add_test(tcase, a_chain_is_taken_apart_and_put_together);
    tcase_add_test(tcase, a_file_that_is_wrong_is_named);
    tcase_add_test(tcase, ten_megabytes_of_other_text_are_passed_over);
    tcase_add_test(tcase, a_self_signed_certificate_is_one_call);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
