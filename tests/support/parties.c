#include "parties.h"

#include <string.h>

#include "socket.h"
#include "support.h"

static int64_t a_p256(void)
{
    return a_handle(tlsshim_key_generate("P-256", 5));
}

static void close_all(const int64_t *handles, int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_ok(tlsshim_close(handles[i]));
}

void a_root(const char *subject, int64_t *cert, int64_t *identity)
{
    int64_t key = a_p256();
    int64_t tmpl = a_handle(tlsshim_template_new());

    ck_assert_ok(tlsshim_template_set_subject(tmpl, subject, (int32_t)strlen(subject)));
    ck_assert_ok(tlsshim_template_set_ca(tmpl, -1));
    *cert = a_handle(tlsshim_template_self_sign(tmpl, key));
    *identity = a_handle(tlsshim_identity_new(*cert, key));
    close_all((int64_t[]){key, tmpl}, 2);
}

int64_t an_identity(int64_t ca, const char *subject, const char *names)
{
    int64_t key = a_p256();
    int64_t tmpl = a_handle(tlsshim_template_new());
    int64_t cert, identity;

    ck_assert_ok(tlsshim_template_set_subject(tmpl, subject, (int32_t)strlen(subject)));
    ck_assert_ok(tlsshim_template_set_usage(tmpl, TLSSHIM_USAGE_SERVER | TLSSHIM_USAGE_CLIENT));
    while (*names != 0) {
        size_t len = strcspn(names, ",");

        ck_assert_ok(tlsshim_template_add_name(tmpl, names, (int32_t)len));
        names += len + (names[len] == ',');
    }
    cert = a_handle(tlsshim_template_issue(tmpl, key, ca));
    identity = a_handle(tlsshim_identity_new(cert, key));
    close_all((int64_t[]){key, tmpl, cert}, 3);
    return identity;
}

static int64_t a_context(int32_t role, int64_t trust, int32_t version_min, int32_t version_max)
{
    int64_t context = a_handle(tlsshim_context_new(role));

    ck_assert_ok(tlsshim_context_set_trust(context, trust));
    ck_assert_ok(tlsshim_context_set_versions(context, version_min, version_max));
    return context;
}

struct parties one_sided_parties(int32_t version_min, int32_t version_max)
{
    struct parties p;
    int64_t ca;

    a_root("CN=Parties' root", &p.root, &ca);
    p.trust = a_handle(tlsshim_trust_new());
    ck_assert_ok(tlsshim_trust_add_cert(p.trust, p.root));
    p.server_identity = an_identity(ca, "CN=server.test", "localhost,127.0.0.1,::1");
    p.client_identity = an_identity(ca, "CN=client.test", "client.test");
    p.client = a_context(TLSSHIM_ROLE_CLIENT, p.trust, version_min, version_max);
    p.server = a_context(TLSSHIM_ROLE_SERVER, p.trust, version_min, version_max);
    ck_assert_ok(tlsshim_context_add_identity(p.server, p.server_identity, "", 0));
    close_all(&ca, 1);
    return p;
}

struct parties mutual_parties(int32_t version_min, int32_t version_max)
{
    struct parties p = one_sided_parties(version_min, version_max);

    ck_assert_ok(tlsshim_context_add_identity(p.client, p.client_identity, "", 0));
    ck_assert_ok(tlsshim_context_set_client_certificate(p.server, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE));
    return p;
}

void parties_close(const struct parties *p)
{
    close_all((int64_t[]){p->root, p->trust, p->server_identity, p->client_identity, p->client, p->server}, 6);
}

void offer_alpn(int64_t context, const char *list, int32_t mode)
{
    char wire[256];
    int32_t len = tlsshim_alpn_encode(list, (int32_t)strlen(list), wire, sizeof wire);

    ck_assert_ok(len);
    ck_assert_ok(tlsshim_context_set_alpn(context, wire, len, mode));
}

void shake(int64_t client, int64_t server)
{
    int32_t mine = TLSSHIM_TIMEOUT, theirs = TLSSHIM_TIMEOUT;
    int64_t until = now_ms() + SOON;

    while ((mine != TLSSHIM_OK || theirs != TLSSHIM_OK) && now_ms() < until) {
        if (mine != TLSSHIM_OK)
            mine = tlsshim_stream_handshake(client, 1);
        if (theirs != TLSSHIM_OK)
            theirs = tlsshim_stream_handshake(server, 1);
        ck_assert_msg(mine >= TLSSHIM_TIMEOUT, "client: %s", support_text(mine));
        ck_assert_msg(theirs >= TLSSHIM_TIMEOUT, "server: %s", support_text(theirs));
    }
    ck_assert_int_eq(mine, TLSSHIM_OK);
    ck_assert_int_eq(theirs, TLSSHIM_OK);
}

void shaken_streams(const struct parties *p, int64_t *client, int64_t *server)
{
    connected_streams(p->client, p->server, client, server);
    shake(*client, *server);
}
