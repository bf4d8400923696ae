/* Chains that are wrong in time, or in who issued what. */
#include "support/pair.h"
#include "support/pki.h"
#include "chains.h"

static int64_t an_authority_from(const char *subject, int64_t above, int64_t begin, int64_t end)
{
    int64_t tmpl = keep(a_template("")), key = keep(a_key("P-256")), cert;

    ck_assert_ok(tlsshim_template_set_subject(tmpl, str(subject)));
    ck_assert_ok(tlsshim_template_set_ca(tmpl, -1));
    ck_assert_ok(tlsshim_template_set_validity(tmpl, the_time() + begin * DAY, the_time() + end * DAY));
    cert = keep(above == 0 ? tlsshim_template_self_sign(tmpl, key) : tlsshim_template_issue(tmpl, key, above));
    return keep(tlsshim_identity_new(cert, key));
}

/* --- time --- */

static void from_until(struct shown *shown, bool client, int64_t begin, int64_t end)
{
    int64_t tmpl = a_leaf_template(client, "www.test");

    ck_assert_ok(tlsshim_template_set_validity(tmpl, the_time() + begin * DAY, the_time() + end * DAY));
    issue(shown, tmpl, certs()->ca);
}

void expired_leaf(struct shown *shown, bool client)
{
    from_until(shown, client, -20, -2);
}

void early_leaf(struct shown *shown, bool client)
{
    from_until(shown, client, 2, 20);
}

/* A leaf that is good itself, below an authority that is not; its time is set past what the shim would issue. */
static void below_from_until(struct shown *shown, bool client, int64_t begin, int64_t end)
{
    X509 *above;

    issue_from(shown, client, wrong_intermediate);
    above = the_intermediate(shown);
    X509_gmtime_adj(X509_getm_notBefore(above), (long)(begin * DAY));
    X509_gmtime_adj(X509_getm_notAfter(above), (long)(end * DAY));
    sign_again(above, certs()->ca);
}

void expired_intermediate(struct shown *shown, bool client)
{
    below_from_until(shown, client, -20, -2);
}

void early_intermediate(struct shown *shown, bool client)
{
    below_from_until(shown, client, 2, 20);
}

void expired_root(struct shown *shown, bool client)
{
    int64_t old = an_authority_from("CN=Old Root", 0, -400, -2);
    int64_t tmpl = a_leaf_template(client, "www.test");

    ck_assert_ok(tlsshim_template_set_validity(tmpl, the_time() - 20 * DAY, the_time() - 2 * DAY));
    issue(shown, tmpl, old);
    X509_gmtime_adj(X509_getm_notAfter(shown->leaf), 20 * DAY);
    sign_again(shown->leaf, old);
    shown->trust = keep(a_trust(keep(tlsshim_identity_cert(old))));
}

/* --- who issued --- */

void self_signed(struct shown *shown, bool client)
{
    show(shown, keep(tlsshim_template_self_sign(a_leaf_template(client, "www.test"), wrong_leaf_key)), wrong_leaf_key);
}

void unknown_ca(struct shown *shown, bool client)
{
    issue_from(shown, client, certs()->other_ca);
}

void unknown_root_sent(struct shown *shown, bool client)
{
    issue_from(shown, client, certs()->other_ca);
    sk_X509_push(shown->rest, x509_of(keep(tlsshim_identity_cert(certs()->other_ca))));
}

void no_intermediate(struct shown *shown, bool client)
{
    issue_from(shown, client, wrong_intermediate);
    X509_free(sk_X509_pop(shown->rest));
}

void other_intermediate(struct shown *shown, bool client)
{
    no_intermediate(shown, client);
    sk_X509_push(shown->rest,
                 x509_of(keep(tlsshim_identity_cert(keep(certs_intermediate(certs()->ca, "CN=Other Intermediate"))))));
}

/* The same name and key identifier, another key. */
void twin_intermediate(struct shown *shown, bool client)
{
    EVP_PKEY *other = pkey_of(keep(tlsshim_identity_key(certs()->other_ca)));

    issue_from(shown, client, wrong_intermediate);
    X509_set_pubkey(the_intermediate(shown), other);
    sign_again(the_intermediate(shown), certs()->ca);
    EVP_PKEY_free(other);
}

static void with_intermediate(struct shown *shown, bool client, const char *oid, const void *data, size_t len)
{
    issue_from(shown, client, wrong_intermediate);
    put_extension(the_intermediate(shown), oid, 1, data, len);
    sign_again(the_intermediate(shown), certs()->ca);
}

void intermediate_is_no_ca(struct shown *shown, bool client)
{
    with_intermediate(shown, client, "2.5.29.19", "\x30\x00", 2);
}

void intermediate_may_not_sign(struct shown *shown, bool client)
{
    with_intermediate(shown, client, "2.5.29.15", "\x03\x02\x07\x80", 4);
}

/* The first intermediate allows none below it, and there is one. */
void path_too_long(struct shown *shown, bool client)
{
    int64_t second = keep(certs_intermediate(wrong_intermediate, "CN=Second Intermediate"));
    X509 *first;

    issue_from(shown, client, second);
    ck_assert_int_eq(sk_X509_num(shown->rest), 2);
    first = sk_X509_value(shown->rest, 1);
    put_extension(first, "2.5.29.19", 1, "\x30\x06\x01\x01\xff\x02\x01\x00", 8);
    sign_again(first, certs()->ca);
}

void deep(struct shown *shown, bool client)
{
    issue_from(shown, client, wrong_intermediate);
}
