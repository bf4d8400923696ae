#include "support/pki.h"

#include <openssl/x509.h>

#include "base/backend.h"
#include "base/handle.h"
#include "pki/cert.h"
#include "pki/judge.h"

static struct authority root;
static struct authority below;
static int64_t leaf;
static int64_t trust;

static void make_chain(void)
{
    root = an_authority("CN=Root", -1, NULL);
    below = an_authority("CN=Below", 0, &root);
    leaf = a_leaf(&below, "www.test,10.0.0.1");
    trust = a_trust(root.cert);
}

static int32_t verify(int64_t cert, int32_t purpose, const char *name, int64_t at, int32_t flags)
{
    return tlsshim_trust_verify(trust, cert, purpose, str(name), at, flags);
}

static int64_t number_of(int32_t result, int32_t field)
{
    int64_t n = -99;

    ck_assert_result(tlsshim_error_number(result, field, &n), TLSSHIM_OK);
    return n;
}

static bool part_is(int32_t result, int32_t field, const char *text)
{
    struct blob out;

    ck_assert_ok(blob_fill(&out, tlsshim_error_part, result, field));
    return blob_is(&out, text);
}

START_TEST(a_good_chain_passes_in_strict_mode_with_name_and_purpose)
{
    ck_assert_ok(verify(leaf, TLSSHIM_USAGE_SERVER, "www.test", NOW, TLSSHIM_VERIFY_STRICT));
    ck_assert_ok(verify(leaf, 0, "10.0.0.1", NOW, 0));
    ck_assert_ok(verify(leaf, 0, "", NOW, 0));
}
END_TEST

START_TEST(a_wrong_name_tells_what_was_wanted_and_there)
{
    int32_t result = verify(leaf, TLSSHIM_USAGE_SERVER, "api.test", NOW, 0);

    ck_assert_result(result, TLSSHIM_E_NAME);
    ck_assert_msg(error_says(result, "name \"api.test\" is not in the certificate: DNS:www.test, IP:10.0.0.1"), "%s",
                  support_text(result));
    ck_assert(part_is(result, TLSSHIM_ERROR_WANTED_NAME, "api.test"));
    ck_assert(part_is(result, TLSSHIM_ERROR_NAMES, "DNS:www.test, IP:10.0.0.1"));
    ck_assert_int_eq(number_of(result, TLSSHIM_ERROR_VERIFY_CODE), X509_V_ERR_HOSTNAME_MISMATCH);
    ck_assert_int_eq(number_of(result, TLSSHIM_ERROR_DEPTH), 0);
    ck_assert_result(verify(leaf, 0, "10.0.0.2", NOW, 0), TLSSHIM_E_NAME);
}
END_TEST

START_TEST(time_is_judged_at_the_moment_asked_for)
{
    int32_t result = verify(leaf, 0, "", the_time() + 400 * (int64_t)DAY, 0);

    ck_assert_result(result, TLSSHIM_E_EXPIRED);
    ck_assert(error_says(result, "expired on"));
    ck_assert(part_is(result, TLSSHIM_ERROR_SUBJECT, "CN=www.test"));
    ck_assert_int_eq(number_of(result, TLSSHIM_ERROR_VERIFY_CODE), X509_V_ERR_CERT_HAS_EXPIRED);
    result = verify(leaf, 0, "", the_time() - 2 * DAY, 0);
    ck_assert_result(result, TLSSHIM_E_EXPIRED);
    ck_assert(error_says(result, "not valid before"));
    ck_assert_result(verify(leaf, 0, "", 0, 0), TLSSHIM_E_EXPIRED);
    ck_assert_result(verify(leaf, 0, "", -1000000000, 0), TLSSHIM_E_EXPIRED);
    ck_assert_result(verify(leaf, 0, "", INT64_MAX, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(verify(leaf, 0, "", INT64_MIN + 1, 0), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(a_wrong_purpose_is_named)
{
    static const int32_t others[] = {TLSSHIM_USAGE_CLIENT, TLSSHIM_USAGE_CODE_SIGNING, TLSSHIM_USAGE_EMAIL,
                                     TLSSHIM_USAGE_OCSP, TLSSHIM_USAGE_TIMESTAMP};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        int32_t result = verify(leaf, others[i], "", NOW, 0);

        ck_assert_result(result, TLSSHIM_E_VERIFY);
        ck_assert_msg(error_says(result, "only for: server"), "%s", support_text(result));
        ck_assert_int_eq(number_of(result, TLSSHIM_ERROR_VERIFY_CODE), X509_V_ERR_INVALID_PURPOSE);
    }
}
END_TEST

START_TEST(each_purpose_is_granted_by_its_usage)
{
    static const int32_t usages[] = {TLSSHIM_USAGE_SERVER, TLSSHIM_USAGE_CLIENT, TLSSHIM_USAGE_CODE_SIGNING,
                                     TLSSHIM_USAGE_EMAIL,  TLSSHIM_USAGE_OCSP,   TLSSHIM_USAGE_TIMESTAMP};

    for (size_t i = 0; i < sizeof usages / sizeof usages[0]; i++) {
        int64_t tmpl = a_template("joe@a.test");
        int64_t cert;

        ck_assert_ok(tlsshim_template_set_usage(tmpl, usages[i]));
        cert = a_handle(tlsshim_template_issue(tmpl, root.key, below.identity));
        ck_assert_ok(verify(cert, usages[i], "", NOW, TLSSHIM_VERIFY_STRICT));
        ck_assert_ok(tlsshim_close(cert));
        ck_assert_ok(tlsshim_close(tmpl));
    }
}
END_TEST

START_TEST(an_unknown_authority_is_named_with_what_would_mend_it)
{
    int64_t alone = a_handle(tlsshim_cert_at(leaf, 0));
    struct authority other = an_authority("CN=Other", -1, NULL);
    int64_t foreign = a_leaf(&other, "www.test");
    int64_t whole = a_handle(tlsshim_cert_join(foreign, other.cert));
    int32_t result = verify(alone, 0, "", NOW, 0);

    ck_assert_result(result, TLSSHIM_E_VERIFY);
    ck_assert_msg(error_says(result, "CN=Below") && error_says(result, "intermediate"), "%s", support_text(result));
    ck_assert(part_is(result, TLSSHIM_ERROR_ISSUER, "CN=Below"));
    ck_assert_result(verify(foreign, 0, "", NOW, 0), TLSSHIM_E_VERIFY);
    result = verify(whole, 0, "", NOW, 0);
    ck_assert_result(result, TLSSHIM_E_VERIFY);
    ck_assert_int_eq(number_of(result, TLSSHIM_ERROR_DEPTH), 1);
    ck_assert(error_says(result, "CN=Other"));
    result = verify(other.cert, 0, "", NOW, 0);
    ck_assert_result(result, TLSSHIM_E_VERIFY);
    ck_assert(error_says(result, "signed by itself"));
}
END_TEST

START_TEST(an_authority_of_the_same_name_with_another_key_is_no_help)
{
    struct authority twin = an_authority("CN=Root", -1, NULL);
    int64_t wrong = a_trust(twin.cert);

    ck_assert_result(tlsshim_trust_verify(wrong, leaf, 0, NULL, 0, NOW, 0), TLSSHIM_E_VERIFY);
}
END_TEST

/* Making such a chain is refused, so its CA is joined with a certificate for the same key and name that may not. */
START_TEST(a_chain_that_is_too_long_tells_whose_limit_it_breaks)
{
    struct authority open = an_authority("CN=Middle", -1, &root);
    struct authority last = an_authority("CN=Last", -1, &open);
    int64_t cert = a_leaf(&last, "a.test");
    int64_t tmpl = a_template("");
    int64_t narrow;
    int64_t last_alone = a_handle(tlsshim_cert_at(last.cert, 0));
    int64_t leaf_alone = a_handle(tlsshim_cert_at(cert, 0));
    int64_t chain;
    int32_t result;

    ck_assert_ok(verify(cert, TLSSHIM_USAGE_SERVER, "a.test", NOW, TLSSHIM_VERIFY_STRICT));
    ck_assert_ok(tlsshim_template_set_subject(tmpl, str("CN=Middle")));
    ck_assert_ok(tlsshim_template_set_ca(tmpl, 0));
    narrow = a_handle(tlsshim_template_issue(tmpl, open.key, root.identity));
    chain = a_handle(tlsshim_cert_join(a_handle(tlsshim_cert_join(leaf_alone, last_alone)), narrow));
    result = verify(chain, TLSSHIM_USAGE_SERVER, "a.test", NOW, 0);
    ck_assert_result(result, TLSSHIM_E_VERIFY);
    ck_assert_msg(error_says(result, "CN=Middle allows 0 intermediate certificates below it, there are 1"), "%s",
                  support_text(result));
}
END_TEST

START_TEST(partial_chains_end_at_any_anchor_only_when_asked)
{
    int64_t middle = a_trust(a_handle(tlsshim_cert_at(below.cert, 0)));

    ck_assert_result(tlsshim_trust_verify(middle, leaf, 0, NULL, 0, NOW, 0), TLSSHIM_E_VERIFY);
    ck_assert_ok(tlsshim_trust_verify(middle, leaf, 0, NULL, 0, NOW, TLSSHIM_VERIFY_PARTIAL_CHAIN));
}
END_TEST

START_TEST(name_constraints_hold)
{
    static const struct {
        const char *name;
        int32_t code;
    } cases[] = {{"a.corp.test", 0},
                 {"corp.test", 0},
                 {"other.test", TLSSHIM_E_VERIFY},
                 {"secret.corp.test", TLSSHIM_E_VERIFY},
                 {"10.1.2.3", TLSSHIM_E_VERIFY},
                 {"192.168.0.1", 0}};
    int64_t tmpl = a_template("");
    int64_t key = a_key("P-256");
    int64_t cert;
    struct authority narrow = {key, 0, 0};

    ck_assert_ok(tlsshim_template_set_subject(tmpl, str("CN=Narrow")));
    ck_assert_ok(tlsshim_template_set_ca(tmpl, 0));
    ck_assert_ok(tlsshim_template_add_constraint(tmpl, 1, str("corp.test")));
    ck_assert_ok(tlsshim_template_add_constraint(tmpl, 0, str("secret.corp.test")));
    ck_assert_ok(tlsshim_template_add_constraint(tmpl, 0, str("10.0.0.0/8")));
    cert = a_handle(tlsshim_template_issue(tmpl, key, root.identity));
    narrow.identity = a_handle(tlsshim_identity_new(cert, key));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_result(verify(a_leaf(&narrow, cases[i].name), 0, cases[i].name, NOW, 0), cases[i].code);
}
END_TEST

START_TEST(a_missing_crl_is_refused_unless_judged_softly)
{
    int32_t result = verify(leaf, 0, "", NOW, TLSSHIM_VERIFY_CRL_LEAF);

    ck_assert_result(result, TLSSHIM_E_VERIFY);
    ck_assert(error_says(result, "CRL"));
    ck_assert_result(verify(leaf, 0, "", NOW, TLSSHIM_VERIFY_CRL_CHAIN), TLSSHIM_E_VERIFY);
    ck_assert_ok(verify(leaf, 0, "", NOW, TLSSHIM_VERIFY_CRL_CHAIN | TLSSHIM_VERIFY_CRL_SOFT));
    ck_assert_result(verify(leaf, 0, "", NOW, TLSSHIM_VERIFY_CRL_SOFT), TLSSHIM_E_ARGUMENT);
    ck_assert_result(verify(leaf, 0, "", NOW, 32), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(arguments_are_checked)
{
    ck_assert_result(verify(leaf, 3, "", NOW, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(verify(leaf, -1, "", NOW, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(verify(leaf, 0, "no host", NOW, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_trust_verify(a_handle(tlsshim_trust_new()), leaf, 0, NULL, 0, NOW, 0), TLSSHIM_E_EMPTY);
    ck_assert_result(tlsshim_trust_verify(leaf, leaf, 0, NULL, 0, NOW, 0), TLSSHIM_E_HANDLE);
}
END_TEST

/* --- the insecure switches, which only contexts have --- */

struct hearing {
    struct verdict verdict;
    bool verified;
};

static struct hearing hear(int64_t cert, uint32_t insecure, const char *name, int64_t at, int32_t purpose)
{
    struct judge_rules rules = {.purpose = purpose,
                                .name = {(const uint8_t *)name, strlen(name)},
                                .at_time = at,
                                .depth = -1,
                                .insecure = insecure,
                                .security_level = -1};
    STACK_OF(X509) *verified = NULL;
    STACK_OF(X509) * untrusted;
    struct hearing hearing;
    struct visit visit;
    struct trust *t;
    struct cert *c;

    ck_assert_ok(visit_enter(&visit));
    ck_assert_ok(trust_pin(trust, &t));
    ck_assert_ok(cert_pin(cert, &c));
    untrusted = cert_chain_stack(c);
    ck_assert_ok(judge(t, c->at[0], untrusted, &rules, &hearing.verdict, &verified));
    hearing.verified = verified != NULL;
    sk_X509_pop_free(verified, X509_free);
    sk_X509_free(untrusted);
    handle_unpin(cert);
    handle_unpin(trust);
    visit_leave(&visit);
    return hearing;
}

START_TEST(each_switch_lets_its_own_fault_pass_and_no_other)
{
    struct authority other = an_authority("CN=Other", -1, NULL);
    int64_t foreign = a_leaf(&other, "www.test");
    int64_t later = the_time() + 400 * (int64_t)DAY;
    const struct {
        int64_t cert;
        const char *name;
        int64_t at;
        int32_t purpose;
        uint32_t switch_for_it;
        int32_t code;
    } cases[] = {
        {foreign, "www.test", NOW, TLSSHIM_USAGE_SERVER, JUDGE_SKIP_CHAIN, TLSSHIM_E_VERIFY},
        {leaf, "api.test", NOW, TLSSHIM_USAGE_SERVER, JUDGE_SKIP_NAME, TLSSHIM_E_NAME},
        {leaf, "www.test", later, TLSSHIM_USAGE_SERVER, JUDGE_SKIP_TIME, TLSSHIM_E_EXPIRED},
        {leaf, "www.test", NOW, TLSSHIM_USAGE_CLIENT, JUDGE_SKIP_PURPOSE, TLSSHIM_E_VERIFY},
        {leaf, "www.test", NOW, TLSSHIM_USAGE_OCSP, JUDGE_SKIP_PURPOSE, TLSSHIM_E_VERIFY},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (uint32_t insecure = 0; insecure < 16; insecure++) {
            struct hearing heard = hear(cases[i].cert, insecure, cases[i].name, cases[i].at, cases[i].purpose);

            ck_assert_int_eq(heard.verdict.code, cases[i].code);
            ck_assert_int_eq(heard.verdict.accepted, (insecure & cases[i].switch_for_it) != 0);
            ck_assert(!heard.verified);
            ck_assert(heard.verdict.detail.text[0] != 0);
        }
}
END_TEST

START_TEST(a_fault_that_passes_does_not_hide_one_that_does_not)
{
    struct authority other = an_authority("CN=Other", -1, NULL);
    int64_t foreign = a_leaf(&other, "www.test");
    int64_t later = the_time() + 400 * (int64_t)DAY;
    struct hearing heard = hear(foreign, JUDGE_SKIP_CHAIN, "api.test", NOW, 0);

    ck_assert_int_eq(heard.verdict.code, TLSSHIM_E_NAME);
    ck_assert(!heard.verdict.accepted);
    heard = hear(foreign, JUDGE_SKIP_CHAIN | JUDGE_SKIP_NAME, "api.test", later, 0);
    ck_assert_int_eq(heard.verdict.code, TLSSHIM_E_EXPIRED);
    ck_assert(!heard.verdict.accepted);
    heard = hear(foreign, JUDGE_SKIP_CHAIN, "www.test", NOW, TLSSHIM_USAGE_CLIENT);
    ck_assert_int_eq(heard.verdict.verify_code, X509_V_ERR_INVALID_PURPOSE);
    ck_assert(!heard.verdict.accepted);
    heard = hear(foreign, 15, "api.test", later, TLSSHIM_USAGE_CLIENT);
    ck_assert(heard.verdict.accepted);
    ck_assert_int_ne(heard.verdict.code, TLSSHIM_OK);
}
END_TEST

START_TEST(a_good_verdict_gives_the_chain_and_how_long_it_holds)
{
    struct hearing heard = hear(leaf, 0, "www.test", NOW, TLSSHIM_USAGE_SERVER);
    int64_t until = 0;

    ck_assert_int_eq(heard.verdict.code, TLSSHIM_OK);
    ck_assert(heard.verdict.accepted);
    ck_assert(heard.verified);
    ck_assert_ok(tlsshim_cert_number(leaf, TLSSHIM_CERT_NOT_AFTER, &until));
    ck_assert_int_eq(heard.verdict.until, until);
    ck_assert_int_le(heard.verdict.from, the_time());
}
END_TEST

START_TEST(weak_keys_are_refused_by_the_level)
{
    struct judge_rules rules = {.at_time = JUDGE_NOW, .depth = -1, .security_level = 4};
    struct verdict verdict;
    struct visit visit;
    struct trust *t;
    struct cert *c;

    ck_assert_ok(visit_enter(&visit));
    ck_assert_ok(trust_pin(trust, &t));
    ck_assert_ok(cert_pin(root.cert, &c));
    ck_assert_ok(judge(t, c->at[0], NULL, &rules, &verdict, NULL));
    ck_assert_int_eq(verdict.code, TLSSHIM_E_WEAK);
    ck_assert_msg(strstr(verdict.detail.text, "has 256 bits, security level 4 asks for 384") != NULL, "%s",
                  verdict.detail.text);
    rules.security_level = 3;
    ck_assert_ok(judge(t, c->at[0], NULL, &rules, &verdict, NULL));
    ck_assert_int_eq(verdict.code, TLSSHIM_OK);
    handle_unpin(root.cert);
    handle_unpin(trust);
    visit_leave(&visit);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("judge");
    TCase *tcase = tcase_create("judge");

    tcase_add_checked_fixture(tcase, make_chain, NULL);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, a_good_chain_passes_in_strict_mode_with_name_and_purpose);
    tcase_add_test(tcase, a_wrong_name_tells_what_was_wanted_and_there);
    tcase_add_test(tcase, time_is_judged_at_the_moment_asked_for);
    tcase_add_test(tcase, a_wrong_purpose_is_named);
    tcase_add_test(tcase, each_purpose_is_granted_by_its_usage);
    tcase_add_test(tcase, an_unknown_authority_is_named_with_what_would_mend_it);
    tcase_add_test(tcase, an_authority_of_the_same_name_with_another_key_is_no_help);
    tcase_add_test(tcase, a_chain_that_is_too_long_tells_whose_limit_it_breaks);
    tcase_add_test(tcase, partial_chains_end_at_any_anchor_only_when_asked);
    tcase_add_test(tcase, name_constraints_hold);
    tcase_add_test(tcase, a_missing_crl_is_refused_unless_judged_softly);
    tcase_add_test(tcase, arguments_are_checked);
    tcase_add_test(tcase, each_switch_lets_its_own_fault_pass_and_no_other);
    tcase_add_test(tcase, a_fault_that_passes_does_not_hide_one_that_does_not);
    tcase_add_test(tcase, a_good_verdict_gives_the_chain_and_how_long_it_holds);
    tcase_add_test(tcase, weak_keys_are_refused_by_the_level);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
