#include "certs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support.h"

/* Certificates are made before any test runs, where Check takes no assertion. */
static int64_t made(int64_t result)
{
    if (result >= 0)
        return result;
    fprintf(stderr, "a certificate for the tests cannot be made: %s\n", support_text(result));
    exit(EXIT_FAILURE);
}

static int64_t template_of(const char *subject, const char *names, int64_t from, int64_t until)
{
    int64_t tmpl = made(tlsshim_template_new());
    int64_t now = time(NULL);

    if (subject[0] != 0)
        made(tlsshim_template_set_subject(tmpl, subject, (int32_t)strlen(subject)));
    for (const char *at = names; *at != 0; at += strcspn(at, ","), at += *at == ',')
        made(tlsshim_template_add_name(tmpl, at, (int32_t)strcspn(at, ",")));
    made(tlsshim_template_set_validity(tmpl, now + from, now + until));
    return tmpl;
}

static int64_t identity_of(int64_t cert, int64_t key)
{
    int64_t identity = made(tlsshim_identity_new(cert, key));

    made(tlsshim_close(cert));
    made(tlsshim_close(key));
    return identity;
}

int64_t certs_ca(const char *subject)
{
    int64_t key = made(tlsshim_key_generate("P-256", 5));
    int64_t tmpl = template_of(subject, "", -400 * (int64_t)CERTS_DAY, 400 * (int64_t)CERTS_DAY);
    int64_t cert;

    made(tlsshim_template_set_ca(tmpl, -1));
    cert = made(tlsshim_template_self_sign(tmpl, key));
    made(tlsshim_close(tmpl));
    return identity_of(cert, key);
}

int64_t certs_intermediate(int64_t ca, const char *subject)
{
    int64_t key = made(tlsshim_key_generate("P-256", 5));
    int64_t tmpl = template_of(subject, "", -10 * CERTS_DAY, 300 * CERTS_DAY);
    int64_t cert;

    made(tlsshim_template_set_ca(tmpl, -1));
    cert = made(tlsshim_template_issue(tmpl, key, ca));
    made(tlsshim_close(tmpl));
    return identity_of(cert, key);
}

int64_t certs_leaf(int64_t ca, const char *algorithm, const char *subject, const char *names, int64_t from,
                   int64_t until)
{
    int64_t key = made(tlsshim_key_generate(algorithm, (int32_t)strlen(algorithm)));
    int64_t tmpl = template_of(subject, names, from, until);
    int64_t cert = made(tlsshim_template_issue(tmpl, key, ca));

    made(tlsshim_close(tmpl));
    return identity_of(cert, key);
}

static void trust_ca(int64_t trust, int64_t ca)
{
    int64_t cert = made(tlsshim_identity_cert(ca));

    made(tlsshim_trust_add_cert(trust, cert));
    made(tlsshim_close(cert));
}

int64_t certs_trust(int64_t ca)
{
    int64_t trust = made(tlsshim_trust_new());

    trust_ca(trust, ca);
    return trust;
}

static void make(struct certs *all)
{
    static const char names[] = "www.test,*.wild.test,10.0.0.1,::1";
    const int64_t year = 300 * CERTS_DAY;
    int64_t intermediate;

    all->ca = certs_ca("CN=Test CA");
    all->other_ca = certs_ca("CN=Other CA");
    all->trust = certs_trust(all->ca);
    all->other_trust = certs_trust(all->other_ca);
    all->both_trust = certs_trust(all->ca);
    trust_ca(all->both_trust, all->other_ca);
    all->server = certs_leaf(all->ca, "P-256", "CN=server", names, -CERTS_DAY, year);
    all->server_rsa = certs_leaf(all->ca, "RSA-2048", "CN=rsa server", names, -CERTS_DAY, year);
    all->server_other = certs_leaf(all->other_ca, "P-256", "CN=other server", names, -CERTS_DAY, year);
    all->server_old = certs_leaf(all->ca, "P-256", "CN=old server", names, -20 * CERTS_DAY, -2 * CERTS_DAY);
    all->server_early = certs_leaf(all->ca, "P-256", "CN=early server", names, 2 * CERTS_DAY, year);
    intermediate = certs_intermediate(all->ca, "CN=Test Intermediate");
    all->server_deep = certs_leaf(intermediate, "P-256", "CN=deep server", names, -CERTS_DAY, year);
    made(tlsshim_close(intermediate));
    all->client = certs_leaf(all->ca, "P-256", "CN=client", "", -CERTS_DAY, year);
    all->client_rsa = certs_leaf(all->ca, "RSA-2048", "CN=rsa client", "", -CERTS_DAY, year);
    all->client_other = certs_leaf(all->other_ca, "P-256", "CN=other client", "", -CERTS_DAY, year);
    all->client_old = certs_leaf(all->ca, "P-256", "CN=old client", "", -20 * CERTS_DAY, -2 * CERTS_DAY);
}

const struct certs *certs(void)
{
    static struct certs all;

    if (all.client_old == 0)
        make(&all);
    return &all;
}
