/* Chains that are revoked, or about which nobody knows whether they are. */
#include <stdio.h>

#include "support/pair.h"
#include "support/pki.h"
#include "chains.h"

/* --- revocation --- */

static int64_t trust_for(struct shown *shown)
{
    if (shown->trust == 0)
        shown->trust = keep(tlsshim_copy(certs()->trust));
    return shown->trust;
}

static void add_crl(struct shown *shown, int64_t ca, const char *entries, int64_t begin, int64_t end)
{
    struct blob crl;

    blob_fill(&crl, tlsshim_crl_issue, ca, str(entries), the_time() + begin * DAY, the_time() + end * DAY,
              TLSSHIM_FORMAT_DER);
    ck_assert_int_eq(tlsshim_trust_add(trust_for(shown), of_blob(&crl)), 1);
}

static const char *serial_of(int64_t cert)
{
    static char serial[64];
    int32_t len = tlsshim_cert_text(cert, TLSSHIM_CERT_SERIAL, serial, sizeof serial - 1);

    serial[len > 0 ? len : 0] = 0;
    return serial;
}

void leaf_revoked(struct shown *shown, bool client)
{
    char entry[128];

    snprintf(entry, sizeof entry, "%s keyCompromise", serial_of(issue_from(shown, client, certs()->ca)));
    add_crl(shown, certs()->ca, entry, -1, 20);
}

void intermediate_revoked(struct shown *shown, bool client)
{
    issue_from(shown, client, wrong_intermediate);
    add_crl(shown, certs()->ca, serial_of(keep(tlsshim_identity_cert(wrong_intermediate))), -1, 20);
    add_crl(shown, wrong_intermediate, "", -1, 20);
}

void crl_outdated(struct shown *shown, bool client)
{
    good(shown, client);
    add_crl(shown, certs()->ca, "", -20, -1);
}

void crl_early(struct shown *shown, bool client)
{
    good(shown, client);
    add_crl(shown, certs()->ca, "", 1, 20);
}

void crl_missing(struct shown *shown, bool client)
{
    good(shown, client);
}

void crl_of_intermediates_missing(struct shown *shown, bool client)
{
    issue_from(shown, client, wrong_intermediate);
    add_crl(shown, wrong_intermediate, "", -1, 20);
}

void crl_of_another(struct shown *shown, bool client)
{
    good(shown, client);
    add_crl(shown, certs()->other_ca, "", -1, 20);
}

/* In the name of the authority, by the key of another. */
void crl_forged(struct shown *shown, bool client)
{
    EVP_PKEY *other = pkey_of(keep(tlsshim_identity_key(certs()->other_ca)));
    struct blob der;
    const uint8_t *at = der.data;
    uint8_t *forged = NULL;
    X509_CRL *crl;
    int len;

    good(shown, client);
    blob_fill(&der, tlsshim_crl_issue, certs()->ca, "", 0, the_time() - DAY, the_time() + DAY, TLSSHIM_FORMAT_DER);
    crl = d2i_X509_CRL(NULL, &at, der.len);
    ck_assert_int_gt(X509_CRL_sign(crl, other, EVP_sha256()), 0);
    len = i2d_X509_CRL(crl, &forged);
    ck_assert_int_eq(tlsshim_trust_add(trust_for(shown), forged, len), 1);
    OPENSSL_free(forged);
    X509_CRL_free(crl);
    EVP_PKEY_free(other);
}
