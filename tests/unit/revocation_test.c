#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/pki.h"

static struct authority root;
static struct authority below;
static int64_t leaf;
static int64_t trust;

static void make_chain(void)
{
    root = an_authority("CN=Root", -1, NULL);
    below = an_authority("CN=Below", 0, &root);
    leaf = a_leaf(&below, "www.test");
    trust = a_trust(root.cert);
}

static void a_crl(struct blob *out, const struct authority *ca, const char *entries, int64_t from, int64_t until)
{
    ck_assert_ok(blob_fill(out, tlsshim_crl_issue, ca->identity, str(entries), from, until, TLSSHIM_FORMAT_DER));
}

static void add_crl(const struct authority *ca, const char *entries, int64_t from, int64_t until)
{
    struct blob crl;

    a_crl(&crl, ca, entries, from, until);
    ck_assert_int_eq(tlsshim_trust_add(trust, of_blob(&crl)), 1);
}

static const char *serial_of(int64_t cert)
{
    static char text[64];
    int32_t len = tlsshim_cert_text(cert, TLSSHIM_CERT_SERIAL, text, sizeof text - 1);

    ck_assert_int_gt(len, 0);
    text[len] = 0;
    return text;
}

static const char *entry(int64_t cert, const char *rest)
{
    static char text[128];

    snprintf(text, sizeof text, "%s %s\n", serial_of(cert), rest);
    return text;
}

static int32_t verify(int32_t flags)
{
    return tlsshim_trust_verify(trust, leaf, TLSSHIM_USAGE_SERVER, str("www.test"), NOW, flags);
}

START_TEST(an_empty_list_lets_pass)
{
    int64_t now = the_time();

    add_crl(&below, "", now - 60, now + DAY);
    ck_assert_int_eq(tlsshim_trust_count(trust, TLSSHIM_TRUST_CRLS), 1);
    ck_assert_ok(verify(TLSSHIM_VERIFY_CRL_LEAF | TLSSHIM_VERIFY_STRICT));
    ck_assert_result(verify(TLSSHIM_VERIFY_CRL_CHAIN), TLSSHIM_E_VERIFY);
    add_crl(&root, "", now - 60, now + DAY);
    ck_assert_ok(verify(TLSSHIM_VERIFY_CRL_CHAIN | TLSSHIM_VERIFY_STRICT));
}
END_TEST

START_TEST(a_revoked_leaf_is_refused_with_reason_and_date)
{
    int64_t now = the_time();
    int32_t result;

    add_crl(&below, entry(leaf, "keyCompromise 1700000000"), now - 60, now + DAY);
    ck_assert_ok(verify(0));
    for (int soft = 0; soft < 2; soft++) {
        result = verify(TLSSHIM_VERIFY_CRL_LEAF | (soft ? TLSSHIM_VERIFY_CRL_SOFT : 0));
        ck_assert_result(result, TLSSHIM_E_REVOKED);
        ck_assert_msg(error_says(result, "keyCompromise") && error_says(result, "2023-11-14T22:13:20Z"), "%s",
                      support_text(result));
    }
}
END_TEST

START_TEST(a_revoked_intermediate_is_found_only_by_judging_the_chain)
{
    int64_t now = the_time();
    int64_t depth = 0;
    int32_t result;

    add_crl(&below, "", now - 60, now + DAY);
    add_crl(&root, entry(below.cert, ""), now - 60, now + DAY);
    ck_assert_ok(verify(TLSSHIM_VERIFY_CRL_LEAF));
    result = verify(TLSSHIM_VERIFY_CRL_CHAIN);
    ck_assert_result(result, TLSSHIM_E_REVOKED);
    ck_assert_ok(tlsshim_error_number(result, TLSSHIM_ERROR_DEPTH, &depth));
    ck_assert_int_eq(depth, 1);
}
END_TEST

START_TEST(an_outdated_list_is_let_pass_only_softly)
{
    int64_t now = the_time();
    int32_t result;

    add_crl(&below, "", now - 2 * DAY, now - DAY);
    result = verify(TLSSHIM_VERIFY_CRL_LEAF);
    ck_assert_result(result, TLSSHIM_E_VERIFY);
    ck_assert_msg(error_says(result, "outdated"), "%s", support_text(result));
    ck_assert_ok(verify(TLSSHIM_VERIFY_CRL_LEAF | TLSSHIM_VERIFY_CRL_SOFT));
}
END_TEST

START_TEST(a_list_by_somebody_else_of_the_same_name_does_not_count)
{
    int64_t now = the_time();
    struct authority twin = an_authority("CN=Below", 0, &root);

    add_crl(&twin, entry(leaf, ""), now - 60, now + DAY);
    ck_assert_result(verify(TLSSHIM_VERIFY_CRL_LEAF), TLSSHIM_E_VERIFY);
}
END_TEST

START_TEST(entries_are_read_and_told)
{
    static const char entries[] =
        "number 77\r\n\n0a superseded 5\n0B\n0c 1700000000\n  ff   certificateHold\nfe unspecified";
    struct blob crl;
    struct blob text;

    for (int32_t format = TLSSHIM_FORMAT_PEM; format <= TLSSHIM_FORMAT_DER; format++) {
        int32_t bound = tlsshim_crl_issue(root.identity, str(entries), 0, 1, format, NULL, 0);

        crl.len = tlsshim_crl_issue(root.identity, str(entries), 0, 1, format, crl.data, bound);
        ck_assert_int_gt(crl.len, 0);
        ck_assert_int_le(crl.len, bound);
        ck_assert_ok(blob_fill(&text, tlsshim_crl_text, of_blob(&crl)));
        ck_assert(blob_holds(&text, "Serial Number: 0A") && blob_holds(&text, "Serial Number: FF"));
        ck_assert(blob_holds(&text, "Superseded") && blob_holds(&text, "Certificate Hold"));
        ck_assert(blob_holds(&text, "77") && blob_holds(&text, "Issuer: CN=Root"));
    }
}
END_TEST

START_TEST(wrong_entries_are_told_with_their_line)
{
    static const char *const wrong[] = {"xyz",
                                        "0a why",
                                        "0a superseded later",
                                        "0a superseded 5 6",
                                        "number",
                                        "number x",
                                        "number -1",
                                        "0a 999999999999999",
                                        "00112233445566778899aabbccddeeff001122334455"};
    char entries[100];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int32_t result;

        snprintf(entries, sizeof entries, "01\n%s\n", wrong[i]);
        result = tlsshim_crl_issue(root.identity, str(entries), 0, 1, TLSSHIM_FORMAT_DER, NULL, 0);
        ck_assert_result(result, TLSSHIM_E_ARGUMENT);
        ck_assert_msg(error_says(result, "line 2"), "%s", support_text(result));
    }
    ck_assert_result(tlsshim_crl_issue(root.identity, str("0a\n0A\n"), 0, 1, TLSSHIM_FORMAT_DER, NULL, 0),
                     TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_crl_issue(root.identity, NULL, 0, 2, 1, TLSSHIM_FORMAT_DER, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_crl_issue(root.identity, NULL, 0, 0, 1, TLSSHIM_FORMAT_PUBLIC_DER, NULL, 0),
                     TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_crl_issue(root.identity, NULL, 0, INT64_MIN, 1, TLSSHIM_FORMAT_DER, NULL, 0),
                     TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_crl_text(str("hello"), NULL, 0), TLSSHIM_E_FORMAT);
    ck_assert_result(tlsshim_crl_text(NULL, 0, NULL, 0), TLSSHIM_E_EMPTY);
}
END_TEST

/* Judges an answer by `openssl ocsp`; true if that said what was looked for. */
static bool openssl_says(const struct blob *answer, const char *wanted)
{
    char folder[] = "/tmp/tlsshim-ocsp-XXXXXX";
    char command[600];
    struct blob data;
    FILE *file;
    bool said;

    ck_assert(mkdtemp(folder) != NULL);
    ck_assert_int_eq(chdir(folder), 0);
    file = fopen("answer", "w");
    ck_assert_uint_eq(fwrite(answer->data, 1, (size_t)answer->len, file), (size_t)answer->len);
    fclose(file);
    file = fopen("chain", "w");
    blob_fill(&data, tlsshim_cert_export, below.cert, TLSSHIM_FORMAT_PEM);
    fwrite(data.data, 1, (size_t)data.len, file);
    fclose(file);
    file = fopen("root", "w");
    blob_fill(&data, tlsshim_cert_export, root.cert, TLSSHIM_FORMAT_PEM);
    fwrite(data.data, 1, (size_t)data.len, file);
    fclose(file);
    file = fopen("leaf", "w");
    blob_fill(&data, tlsshim_cert_export, leaf, TLSSHIM_FORMAT_PEM);
    fwrite(data.data, 1, (size_t)data.len, file);
    fclose(file);
    snprintf(command, sizeof command,
             "openssl ocsp -respin answer -issuer chain -cert leaf -CAfile root -verify_other chain 2>&1");
    file = popen(command, "r");
    data.len = (int32_t)fread(data.data, 1, sizeof data.data, file);
    pclose(file);
    said = blob_holds(&data, wanted) && blob_holds(&data, "Response verify OK");
    if (!said)
        fprintf(stderr, "%.*s\n", data.len, (char *)data.data);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    return said;
}

START_TEST(ocsp_answers_say_what_they_should_and_openssl_believes_them)
{
    static const struct {
        int32_t status;
        const char *wanted;
    } cases[] = {{TLSSHIM_OCSP_GOOD, "leaf: good"},
                 {TLSSHIM_OCSP_REVOKED, "leaf: revoked"},
                 {TLSSHIM_OCSP_UNKNOWN, "leaf: unknown"}};
    int64_t now = the_time();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t bound =
            tlsshim_ocsp_issue(leaf, below.identity, cases[i].status, now - DAY, now - 60, now + DAY, NULL, 0);
        struct blob answer;
        struct blob text;

        answer.len = tlsshim_ocsp_issue(leaf, below.identity, cases[i].status, now - DAY, now - 60, now + DAY,
                                        answer.data, bound);
        ck_assert_int_gt(answer.len, 0);
        ck_assert_int_le(answer.len, bound);
        ck_assert(openssl_says(&answer, cases[i].wanted));
        ck_assert_ok(blob_fill(&text, tlsshim_ocsp_text, of_blob(&answer)));
        ck_assert(blob_holds(&text, "Cert Status: "));
    }
}
END_TEST

START_TEST(only_the_issuer_answers_for_a_certificate)
{
    int32_t result = tlsshim_ocsp_issue(leaf, root.identity, TLSSHIM_OCSP_GOOD, 0, 0, 1, NULL, 0);

    ck_assert_result(result, TLSSHIM_E_MISMATCH);
    ck_assert(error_says(result, "CN=www.test was not issued by CN=Root"));
    ck_assert_result(tlsshim_ocsp_issue(leaf, below.identity, 0, 0, 0, 1, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_ocsp_issue(leaf, below.identity, 4, 0, 0, 1, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_ocsp_issue(leaf, below.identity, TLSSHIM_OCSP_GOOD, 0, 2, 1, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_ocsp_issue(leaf, below.identity, TLSSHIM_OCSP_REVOKED, INT64_MAX, 0, 1, NULL, 0),
                     TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_ocsp_text(str("hello"), NULL, 0), TLSSHIM_E_FORMAT);
}
END_TEST

START_TEST(who_may_not_sign_lists_does_not)
{
    int64_t cert = a_handle(tlsshim_cert_self_signed(root.key, str("a.test"), 1));
    int64_t no_ca = a_handle(tlsshim_identity_new(cert, root.key));

    ck_assert_result(tlsshim_crl_issue(no_ca, NULL, 0, 0, 1, TLSSHIM_FORMAT_DER, NULL, 0), TLSSHIM_E_MISMATCH);
    ck_assert_result(tlsshim_crl_issue(cert, NULL, 0, 0, 1, TLSSHIM_FORMAT_DER, NULL, 0), TLSSHIM_E_HANDLE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("revocation");
    TCase *tcase = tcase_create("revocation");

    tcase_add_checked_fixture(tcase, make_chain, NULL);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, an_empty_list_lets_pass);
    tcase_add_test(tcase, a_revoked_leaf_is_refused_with_reason_and_date);
    tcase_add_test(tcase, a_revoked_intermediate_is_found_only_by_judging_the_chain);
    tcase_add_test(tcase, an_outdated_list_is_let_pass_only_softly);
    tcase_add_test(tcase, a_list_by_somebody_else_of_the_same_name_does_not_count);
    tcase_add_test(tcase, entries_are_read_and_told);
    tcase_add_test(tcase, wrong_entries_are_told_with_their_line);
    tcase_add_test(tcase, ocsp_answers_say_what_they_should_and_openssl_believes_them);
    tcase_add_test(tcase, only_the_issuer_answers_for_a_certificate);
    tcase_add_test(tcase, who_may_not_sign_lists_does_not);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
