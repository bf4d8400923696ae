#include <string.h>

#include "../meter.h"
#include "shim.h"

int64_t must(int64_t result)
{
    char text[1024];
    int32_t len;

    if (result >= 0)
        return result;
    len = tlsshim_error_text(result, text, sizeof text);
    die("%.*s", len > 0 && len <= (int32_t)sizeof text ? (int)len : 0, text);
}

static int32_t length(const char *text)
{
    return (int32_t)strlen(text);
}

static void set_common(int64_t context)
{
    const char *suite = option("suite", NULL), *tls12 = option("tls12", NULL);

    if (suite != NULL)
        must(tlsshim_context_set_ciphersuites(context, suite, length(suite)));
    if (tls12 != NULL)
        must(tlsshim_context_set_ciphers(context, tls12, length(tls12)));
    if (option_number("version", 13) == 12)
        must(tlsshim_context_set_versions(context, 0, TLSSHIM_TLS_1_2));
    if (option("cache", NULL) != NULL)
        must(tlsshim_context_set_chain_cache(context, option_number("cache", 0)));
    must(tlsshim_context_set_memory(context, option_number("release", 0) == 1 ? TLSSHIM_POLICY_IDLE_SMALL
                                                                              : TLSSHIM_POLICY_BUSY_FAST));
}

static void add_identity(int64_t context, const char *chain, const char *key)
{
    int64_t cert = must(tlsshim_cert_load_file(certs_file(chain), length(certs_file(chain))));
    int64_t own = must(tlsshim_key_load_file(certs_file(key), length(certs_file(key)), NULL, 0));
    int64_t identity = must(tlsshim_identity_new(cert, own));

    must(tlsshim_context_add_identity(context, identity, NULL, 0));
    tlsshim_close(identity);
    tlsshim_close(own);
    tlsshim_close(cert);
}

static void set_trust(int64_t context)
{
    int64_t trust = must(tlsshim_trust_new());

    must(tlsshim_trust_add_file(trust, certs_file("ca.pem"), length(certs_file("ca.pem"))));
    must(tlsshim_context_set_trust(context, trust));
    tlsshim_close(trust);
}

int64_t context_for_server(void)
{
    int64_t context = must(tlsshim_context_new(TLSSHIM_ROLE_SERVER));

    set_common(context);
    add_identity(context, "server.pem", "server.key");
    if (option("tickets", NULL) != NULL)
        must(tlsshim_context_set_tickets(context, (int32_t)option_number("tickets", 2)));
    if (option_number("mutual", 0) == 1) {
        set_trust(context);
        must(tlsshim_context_set_client_certificate(context, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE));
    }
    return context;
}

int64_t context_for_client(void)
{
    int64_t context = must(tlsshim_context_new(TLSSHIM_ROLE_CLIENT));

    set_common(context);
    set_trust(context);
    if (option_number("mutual", 0) == 1)
        add_identity(context, "client.pem", "client.key");
    return context;
}

struct ends ends_new(int64_t client, int64_t server)
{
    return (struct ends){.client = must(tlsshim_conn_new(client, "localhost", 9)),
                         .server = must(tlsshim_conn_new(server, NULL, 0))};
}

/* One step of one end: what the other sent goes in, what is to be sent comes out. */
static int32_t turn(int64_t conn, const uint8_t *in, int32_t in_len, uint8_t *out)
{
    int32_t result;

    if (in_len > 0 && must(tlsshim_conn_feed(conn, in, in_len)) != in_len)
        die("a flight does not fit");
    result = tlsshim_conn_handshake(conn);
    if (result != TLSSHIM_OK && result != TLSSHIM_WANT_FEED && result != TLSSHIM_WANT_DRAIN)
        must(result);
    return (int32_t)must(tlsshim_conn_drain(conn, out, ROOM));
}

static bool complete(int64_t conn)
{
    return (must(tlsshim_conn_state(conn)) & TLSSHIM_STATE_HANDSHAKE_DONE) != 0;
}

void ends_handshake(struct ends *ends)
{
    uint8_t forth[ROOM], back[ROOM];
    int32_t back_len = 0, forth_len;

    do {
        forth_len = turn(ends->client, back, back_len, forth);
        back_len = turn(ends->server, forth, forth_len, back);
    } while (!complete(ends->client) || !complete(ends->server));
    if (back_len > 0 && must(tlsshim_conn_feed(ends->client, back, back_len)) != back_len)
        die("a flight does not fit");
}

void move_byte(int64_t from, int64_t to)
{
    uint8_t wire[ROOM], byte = 'x';
    int32_t taken, len = (int32_t)must(tlsshim_conn_seal(from, &byte, 1, wire, sizeof wire, &taken));

    if (tlsshim_conn_open(to, wire, len, &byte, 1, &taken) != 1 || taken != len)
        die("a byte was lost");
}

void ends_close(struct ends *ends)
{
    tlsshim_close(ends->client);
    tlsshim_close(ends->server);
}

struct ends ends_connected(void)
{
    int64_t client = context_for_client(), server = context_for_server();
    struct ends made = ends_new(client, server);

    ends_handshake(&made);
    move_byte(made.server, made.client); /* the tickets come with it */
    tlsshim_close(client);
    tlsshim_close(server);
    return made;
}
