/* Servers whose certificates are good, and what they staple to them is not. Tlsshim as a server would let none of this
 * be set. */
#include <string.h>

#include "support/answers.h"
#include "support/pair.h"
#include "support/pki.h"
#include "chains.h"

enum { ROOM = 8192 };

static struct answer about_a_good_one(struct shown *shown)
{
    int64_t cert = issue_from(shown, false, certs()->ca);

    return answer_of(keep(tlsshim_identity_new(cert, wrong_leaf_key)), certs()->ca);
}

static void staple(struct shown *shown, const struct answer *made)
{
    uint8_t der[ROOM];

    shown->staple_len = answer_der(made, der, ROOM);
    shown->staple = OPENSSL_memdup(der, (size_t)shown->staple_len);
    ck_assert_ptr_nonnull(shown->staple);
}

void staple_good(struct shown *shown, bool client)
{
    struct answer made = about_a_good_one(shown);

    (void)client;
    staple(shown, &made);
}

void staple_revoked(struct shown *shown, bool client)
{
    struct answer made = about_a_good_one(shown);

    (void)client;
    made.status = TLSSHIM_OCSP_REVOKED;
    staple(shown, &made);
}

void staple_unknown(struct shown *shown, bool client)
{
    struct answer made = about_a_good_one(shown);

    (void)client;
    made.status = TLSSHIM_OCSP_UNKNOWN;
    staple(shown, &made);
}

void staple_expired(struct shown *shown, bool client)
{
    struct answer made = about_a_good_one(shown);

    (void)client;
    made.from = -2 * DAY;
    made.until = -DAY;
    staple(shown, &made);
}

void staple_early(struct shown *shown, bool client)
{
    struct answer made = about_a_good_one(shown);

    (void)client;
    made.from = DAY;
    made.until = 2 * DAY;
    staple(shown, &made);
}

void staple_by_stranger(struct shown *shown, bool client)
{
    struct answer made = about_a_good_one(shown);

    (void)client;
    made.signer = certs()->other_ca;
    staple(shown, &made);
}

/* By the certificate itself: its authority has issued it, and not for answering. */
void staple_by_itself(struct shown *shown, bool client)
{
    struct answer made = about_a_good_one(shown);

    (void)client;
    made.signer = made.about;
    made.brings_signer = true;
    staple(shown, &made);
}

void staple_of_another(struct shown *shown, bool client)
{
    struct answer made = about_a_good_one(shown);

    (void)client;
    made.about = certs()->server;
    staple(shown, &made);
}

void staple_damaged(struct shown *shown, bool client)
{
    struct answer made = about_a_good_one(shown);

    (void)client;
    staple(shown, &made);
    shown->staple[shown->staple_len - 1] ^= 1;
}

void staple_cut(struct shown *shown, bool client)
{
    struct answer made = about_a_good_one(shown);

    (void)client;
    staple(shown, &made);
    shown->staple_len /= 2;
}

/* "Try later" (RFC 6960 section 4.2.1). */
void staple_is_excuse(struct shown *shown, bool client)
{
    good(shown, client);
    shown->staple_len = 5;
    shown->staple = OPENSSL_memdup("\x30\x03\x0a\x01\x03", 5);
}

void must_staple(struct shown *shown, bool client)
{
    int64_t tmpl = a_leaf_template(client, "www.test");

    ck_assert_ok(tlsshim_template_set_must_staple(tmpl, 1));
    issue(shown, tmpl, certs()->ca);
}
