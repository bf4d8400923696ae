/* NIST's Public Key Interoperability Test Suite: each end entity judged with all its authorities and CRLs, in
 * sections 4.1 to 4.16 but for certificate policies, which tlsshim does not judge. A certificate's own name says
 * whether it is to be accepted: ValidNameChainingWhitespaceTest3EE, InvalidCASignatureTest2EE. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/corpus.h"

enum { MOST = 600, AT_2020 = 1590000000 };

struct member {
    int64_t cert;
    char file[128];
    char subject[256];
    char issuer[256];
};

static struct member members[MOST];
static int count;
static int64_t trust;

static const char *base_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

static void field(int64_t cert, int32_t which, char out[256])
{
    int32_t len = tlsshim_cert_text(cert, which, out, 255);

    char *to = out;

    ck_assert(len >= 0 && len < 256);
    out[len] = 0;
    /* Names are compared without regard to case and to how much space there is. */
    for (const char *from = out; *from != 0; from++)
        if (*from != ' ' && *from != '\\')
            *to++ = (char)tolower((unsigned char)*from);
    *to = 0;
}

static void add_member(const char *path, void *user)
{
    struct member *member = &members[count++];

    (void)user;
    ck_assert_int_lt(count, MOST);
    member->cert = a_handle(tlsshim_cert_load_file(str(path)));
    snprintf(member->file, sizeof member->file, "%s", base_name(path));
    field(member->cert, TLSSHIM_CERT_SUBJECT, member->subject);
    field(member->cert, TLSSHIM_CERT_ISSUER, member->issuer);
}

static void load(void)
{
    char path[CORPUS_PATH];

    if (count > 0)
        return;
    ck_assert_int_gt(corpus_each("x509/PKITS_data/certs", add_member, NULL), 400);
    trust = a_handle(tlsshim_trust_new());
    strcpy(path, corpus_path("x509/PKITS_data/certs/TrustAnchorRootCertificate.crt"));
    ck_assert_int_eq(tlsshim_trust_add_file(trust, str(path)), 1);
    strcpy(path, corpus_path("x509/PKITS_data/crls"));
    ck_assert_int_gt(tlsshim_trust_add_file(trust, str(path)), 150);
}

static bool is_end_entity(const struct member *member)
{
    return strstr(member->file, "EE.crt") != NULL;
}

/* The end entity with every authority that may stand above it. */
static int64_t chain_of(const struct member *leaf)
{
    int64_t chain = a_handle(tlsshim_cert_at(leaf->cert, 0));
    bool in[MOST] = {false};
    bool more = true;

    in[leaf - members] = true;
    while (more) {
        more = false;
        for (int i = 0; i < count; i++) {
            bool wanted = false;
            int64_t longer;

            if (in[i] || is_end_entity(&members[i]))
                continue;
            for (int j = 0; j < count && !wanted; j++)
                wanted = in[j] && strcmp(members[i].subject, members[j].issuer) == 0;
            if (!wanted)
                continue;
            longer = tlsshim_cert_join(chain, members[i].cert);
            if (longer < 0)
                continue;
            in[i] = more = true;
            tlsshim_close(chain);
            chain = longer;
        }
    }
    return chain;
}

/* Certificates of those who sign CRLs, but do not stand in the chain, are given with the CRLs. */
static void add_crl_signers(void)
{
    static const char *const words[] = {"CRL", "cRL", "SelfIssued"};

    for (int i = 0; i < count; i++)
        for (size_t j = 0; j < sizeof words / sizeof words[0] && !is_end_entity(&members[i]); j++)
            if (strstr(members[i].file, words[j]) != NULL)
                ck_assert_ok(tlsshim_trust_add_cert(trust, members[i].cert));
}

/* Its CRL is signed by somebody whom the same CRL is about; the suite's own notes leave it out. */
static const char circular[] = "ValidcRLIssuerTest30EE.crt";

static bool about_policies(const struct member *member)
{
    static const char *const words[] = {"olicy", "olicies"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(member->file, words[i]) != NULL)
            return true;
    return false;
}

START_TEST(every_case_outside_policies_is_judged_right)
{
    int judged = 0;
    int wrong = 0;

    load();
    add_crl_signers();
    for (int i = 0; i < count; i++) {
        bool valid = strncmp(members[i].file, "Valid", 5) == 0;
        int64_t chain;
        int32_t result;

        if (!is_end_entity(&members[i]) || strcmp(members[i].file, circular) == 0 ||
            (!valid && strncmp(members[i].file, "Invalid", 7) != 0) || (!valid && about_policies(&members[i])))
            continue;
        chain = chain_of(&members[i]);
        result = tlsshim_trust_verify(trust, chain, 0, NULL, 0, AT_2020, TLSSHIM_VERIFY_CRL_CHAIN);
        judged++;
        if (strncmp(members[i].file, "ValidDSA", 8) == 0) {
            ck_assert_result(result, TLSSHIM_E_WEAK); /* SHA-1 and 1,024 bits */
        } else if ((result == TLSSHIM_OK) != valid) {
            wrong++;
            fprintf(stderr, "%s: %s\n", members[i].file, support_text(result));
        }
        tlsshim_close(chain);
    }
    ck_assert_msg(wrong == 0 && judged > 150, "%d of %d are judged wrong", wrong, judged);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pkits");
    TCase *tcase = tcase_create("pkits");

    tcase_set_timeout(tcase, 100);
    tcase_add_test(tcase, every_case_outside_policies_is_judged_right);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
