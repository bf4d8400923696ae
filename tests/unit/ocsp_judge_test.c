#include "pki/ocsp_judge.h"

#include <string.h>

#include "base/backend.h"
#include "base/handle.h"
#include "pki/identity.h"
#include "support/answers.h"
#include "support/certs.h"
#include "support/pki.h"

static int64_t responder;       /* certified by the CA to answer for it */
static int64_t any_responder;   /* a leaf of the CA that may be used for anything */
static int64_t old_responder;   /* one whose certificate has expired */
static int64_t other_responder; /* one of the other CA */

static int64_t leaf_for(int64_t ca, int32_t usage, const char *oid, int64_t until)
{
    int64_t key = a_key("P-256"), tmpl = a_template(""), cert, identity;

    ck_assert_ok(tlsshim_template_set_subject(tmpl, str("CN=responder")));
    ck_assert_ok(tlsshim_template_set_usage(tmpl, usage));
    if (oid != NULL)
        ck_assert_ok(tlsshim_template_add_usage(tmpl, str(oid)));
    ck_assert_ok(tlsshim_template_set_validity(tmpl, the_time() - 10 * DAY, the_time() + until));
    cert = a_handle(tlsshim_template_issue(tmpl, key, ca));
    identity = a_handle(tlsshim_identity_new(cert, key));
    tlsshim_close(cert);
    tlsshim_close(tmpl);
    tlsshim_close(key);
    return identity;
}

static void make_responders(void)
{
    responder = leaf_for(certs()->ca, TLSSHIM_USAGE_OCSP, NULL, DAY);
    any_responder = leaf_for(certs()->ca, TLSSHIM_USAGE_SERVER, "2.5.29.37.0", DAY);
    old_responder = leaf_for(certs()->ca, TLSSHIM_USAGE_OCSP, NULL, -DAY);
    other_responder = leaf_for(certs()->other_ca, TLSSHIM_USAGE_OCSP, NULL, DAY);
}

/* Judges bytes as the answer about certs()->server. */
static struct ocsp_verdict judged(struct bytes bytes, bool own, bool issuer_known)
{
    struct judge_rules rules = {.at_time = JUDGE_NOW, .depth = -1, .security_level = -1};
    struct ocsp_case of = {.answer = bytes, .rules = &rules};
    struct ocsp_verdict verdict;
    struct identity *leaf, *ca;
    struct visit visit;

    ck_assert_int_eq(identity_pin(certs()->server, &leaf), TLSSHIM_OK);
    ck_assert_int_eq(identity_pin(certs()->ca, &ca), TLSSHIM_OK);
    of.leaf = leaf->cert->at[0];
    of.issuer = issuer_known ? ca->cert->at[0] : NULL;
    if (!own)
        ck_assert_int_eq(trust_pin(certs()->trust, &of.trust), TLSSHIM_OK);
    ck_assert_int_eq(visit_enter(&visit), TLSSHIM_OK);
    ck_assert_int_eq(ocsp_judge(&of, &verdict), TLSSHIM_OK);
    visit_leave(&visit);
    if (!own)
        handle_unpin(certs()->trust);
    handle_unpin(certs()->ca);
    handle_unpin(certs()->server);
    return verdict;
}

static struct ocsp_verdict judged_answer(const struct answer *answer, bool own, bool issuer_known)
{
    uint8_t der[4096];
    int32_t len = answer_der(answer, der, sizeof der);

    return judged((struct bytes){der, (size_t)len}, own, issuer_known);
}

/* What differs from a good answer; identities by their place in struct certs or by pointer. */
static const struct trial {
    const char *name;
    struct answer with;
    int64_t *signer;
    enum ocsp_fault fault;
    const char *says;
} trials[] = {
    {"good", {0}, NULL, OCSP_SOUND, ""},
    {"by SHA-256 hashes", {.hash = "SHA256"}, NULL, OCSP_SOUND, ""},
    {"by SHA-512 hashes", {.hash = "SHA512"}, NULL, OCSP_SOUND, ""},
    {"by MD5 hashes", {.hash = "MD5"}, NULL, OCSP_FOREIGN, "other certificates"},
    {"by a responder", {.brings_signer = true}, &responder, OCSP_SOUND, ""},
    {"by a responder that is not shown", {0}, &responder, OCSP_UNSIGNED, "nobody known"},
    {"by one who may be used for anything", {.brings_signer = true}, &any_responder, OCSP_UNSIGNED, "did not let"},
    {"by a responder that expired", {.brings_signer = true}, &old_responder, OCSP_UNSIGNED, "expired"},
    {"by another CA's responder", {.brings_signer = true}, &other_responder, OCSP_UNSIGNED, "did not let"},
    {"by SHA-1", {.digest = "SHA1"}, NULL, OCSP_UNSIGNED, "too weak"},
    {"expired", {.from = -7200, .until = -3600}, NULL, OCSP_UNTIMELY, "expired on"},
    {"expired within what clocks differ by", {.from = -7200, .until = -30}, NULL, OCSP_SOUND, ""},
    {"early", {.from = 3600, .until = 7200}, NULL, OCSP_UNTIMELY, "not valid before"},
    {"early within what clocks differ by", {.from = 30, .until = 7200}, NULL, OCSP_SOUND, ""},
    {"without an end", {.from = -3600, .until = INT64_MIN}, NULL, OCSP_SOUND, ""},
    {"without an end, of long ago", {.from = -2 * DAY, .until = INT64_MIN}, NULL, OCSP_UNTIMELY, "expired on"},
    {"revoked", {.status = TLSSHIM_OCSP_REVOKED}, NULL, OCSP_OF_REVOKED, "(keyCompromise)"},
    {"revoked and expired",
     {.status = TLSSHIM_OCSP_REVOKED, .from = -7200, .until = -3600},
     NULL,
     OCSP_OF_REVOKED,
     "was revoked on 20"},
    {"unknown", {.status = TLSSHIM_OCSP_UNKNOWN}, NULL, OCSP_OF_UNKNOWN, "does not know"},
};
enum { TRIALS = sizeof trials / sizeof trials[0] };

static struct answer answer_for(const struct trial *trial)
{
    struct answer answer = answer_of(certs()->server, certs()->ca);

    answer.signer = trial->signer != NULL ? *trial->signer : answer.signer;
    answer.brings_signer = trial->with.brings_signer;
    answer.hash = trial->with.hash;
    answer.digest = trial->with.digest;
    answer.status = trial->with.status != 0 ? trial->with.status : answer.status;
    if (trial->with.until != 0) {
        answer.from = trial->with.from;
        answer.until = trial->with.until;
    }
    return answer;
}

START_TEST(an_answer_is_judged_by_signer_subject_time_and_status)
{
    const struct trial *trial = &trials[_i];
    struct answer answer = answer_for(trial);
    struct ocsp_verdict verdict = judged_answer(&answer, false, true);

    ck_assert_msg(verdict.fault == trial->fault, "%s: %d, not %d: %s", trial->name, verdict.fault, trial->fault,
                  verdict.detail.text);
    ck_assert_msg(strstr(verdict.detail.text, trial->says) != NULL, "%s: %s", trial->name, verdict.detail.text);
    if (trial->fault == OCSP_SOUND && answer.until != INT64_MIN)
        ck_assert_int_le(llabs(verdict.until - (the_time() + answer.until)), 5);
}
END_TEST

START_TEST(an_answer_about_another_certificate_does_not_count)
{
    struct answer other_serial = answer_of(certs()->server_rsa, certs()->ca);
    struct answer other_issuer = answer_of(certs()->server, certs()->ca);
    struct answer by_stranger = answer_of(certs()->server, certs()->ca);

    other_issuer.issuer = certs()->other_ca;
    by_stranger.signer = certs()->other_ca;
    ck_assert_int_eq(judged_answer(&other_serial, false, true).fault, OCSP_FOREIGN);
    ck_assert_int_eq(judged_answer(&other_issuer, false, true).fault, OCSP_FOREIGN);
    ck_assert_int_eq(judged_answer(&by_stranger, false, true).fault, OCSP_UNSIGNED);
}
END_TEST

START_TEST(without_the_issuer_only_an_answer_of_our_own_is_taken)
{
    struct answer good = answer_of(certs()->server, certs()->ca);
    struct answer stranger = answer_of(certs()->server, certs()->ca);
    struct ocsp_verdict verdict = judged_answer(&good, false, false);

    ck_assert_int_eq(verdict.fault, OCSP_UNSIGNED);
    ck_assert_ptr_nonnull(strstr(verdict.detail.text, "nobody can tell"));
    ck_assert_int_eq(judged_answer(&good, true, false).fault, OCSP_SOUND);
    ck_assert_int_eq(judged_answer(&good, true, true).fault, OCSP_SOUND);
    stranger.signer = certs()->other_ca;
    ck_assert_int_eq(judged_answer(&stranger, true, true).fault, OCSP_UNSIGNED);
}
END_TEST

START_TEST(no_altered_byte_and_no_cut_is_taken_for_good)
{
    struct answer good = answer_of(certs()->server, certs()->ca);
    uint8_t der[4096];
    int32_t len = answer_der(&good, der, sizeof der);

    ck_assert_int_eq(judged((struct bytes){der, (size_t)len}, false, true).fault, OCSP_SOUND);
    for (int32_t i = 0; i < len; i++) {
        der[i] ^= 1;
        must_be(judged((struct bytes){der, (size_t)len}, false, true).fault != OCSP_SOUND, 1);
        der[i] ^= 1;
        must_be(judged((struct bytes){der, (size_t)i}, false, true).fault, OCSP_DAMAGED);
    }
    der[len] = 0;
    ck_assert_int_eq(judged((struct bytes){der, (size_t)len + 1}, false, true).fault, OCSP_DAMAGED);
}
END_TEST

START_TEST(an_excuse_is_no_answer)
{
    static const uint8_t try_later[] = {0x30, 0x03, 0x0a, 0x01, 0x03};
    struct ocsp_verdict verdict = judged((struct bytes){try_later, sizeof try_later}, false, true);

    ck_assert_int_eq(verdict.fault, OCSP_DAMAGED);
    ck_assert_ptr_nonnull(strstr(verdict.detail.text, "trylater"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ocsp_judge");
    TCase *tcase = tcase_create("ocsp_judge");

    certs();
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, make_responders, NULL);
    tcase_add_loop_test(tcase, an_answer_is_judged_by_signer_subject_time_and_status, 0, TRIALS);
    tcase_add_test(tcase, an_answer_about_another_certificate_does_not_count);
    tcase_add_test(tcase, without_the_issuer_only_an_answer_of_our_own_is_taken);
    tcase_add_test(tcase, no_altered_byte_and_no_cut_is_taken_for_good);
    tcase_add_test(tcase, an_excuse_is_no_answer);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
