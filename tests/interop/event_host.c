/* One end whose decisions are events, for interop/event_test.py: its keys are elsewhere, and its host is asked which
 * context serves, which certificate is shown, and whether the peer is wanted.
 *
 * event_host serve HOST [K=V...]          prints "port N" and serves count connections, one after the other
 * event_host connect HOST PORT [K=V...]   sends "hello", wants the answer of answer=TEXT, says goodbye
 *
 * ca=FILE, cert=FILE, key=FILE, tls=1.2|1.3, refuse=NAME (the peer whose common name this is; alert=N is sent); of a
 * server ask=1 (for a certificate), talk=echo|http, and two more contexts: for the server name sni=NAME with sni_cert
 * and sni_key, for the protocol alpn=NAME with alpn_cert and alpn_key. Each connection prints one line of facts:
 * "events" are those that were answered, by their initials, "scheme" is of the last signature. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlsshim.h"

enum { SOON = 20000, ROOM = 16384, CONTEXTS = 3 };

/* A context, and the identity that it shows: the private key stays with the host. */
struct desk {
    const char *name;
    int64_t context;
    int64_t identity;
    int64_t private_key;
};

static struct desk desks[CONTEXTS]; /* the front one, by server name, by protocol */
static char **settings;

static struct {
    const struct desk *desk; /* who serves now */
    char events[16];
    char scheme[64];
    int32_t authorities; /* that the server named to a client */
} now;

static const char *setting(const char *name, const char *otherwise)
{
    size_t len = strlen(name);

    for (char **at = settings; *at != NULL; at++) {
        if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
            return *at + len + 1;
    }
    return otherwise;
}

static int32_t length(const char *text)
{
    return (int32_t)strlen(text);
}

/* The result's code by name, and its sentence. */
static void say_error(int64_t result)
{
    char name[64], text[1024];
    int32_t name_len = tlsshim_error_name(result, name, sizeof name);
    int32_t text_len = tlsshim_error_text(result, text, sizeof text);

    printf("error=%.*s %.*s\n", name_len, name, text_len < (int32_t)sizeof text ? text_len : 0, text);
    fflush(stdout);
}

static int64_t must(int64_t result, const char *what)
{
    if (result >= 0)
        return result;
    printf("%s: ", what);
    say_error(result);
    exit(2);
}

#define MUST(call) must((call), #call)

/* --- contexts --- */

static void read_identity(struct desk *desk, const char *cert_file, const char *key_file)
{
    int64_t cert = MUST(tlsshim_cert_load_file(cert_file, length(cert_file)));
    int64_t public_key = MUST(tlsshim_cert_public_key(cert)), external = MUST(tlsshim_key_external(public_key));

    desk->private_key = MUST(tlsshim_key_load_file(key_file, length(key_file), "", 0));
    desk->identity = MUST(tlsshim_identity_new(cert, external));
    tlsshim_close(cert);
    tlsshim_close(public_key);
    tlsshim_close(external);
}

static int64_t the_context(int32_t role, int32_t events)
{
    int64_t context = MUST(tlsshim_context_new(role)), trust = MUST(tlsshim_trust_new());
    const char *ca = setting("ca", ""), *tls = setting("tls", "");

    MUST(tlsshim_trust_add_file(trust, ca, length(ca)));
    MUST(tlsshim_context_set_trust(context, trust));
    if (*tls != 0) {
        int32_t version = strcmp(tls, "1.2") == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;

        MUST(tlsshim_context_set_versions(context, version, version));
    }
    if (*setting("ask", "") != 0)
        MUST(tlsshim_context_set_client_certificate(context, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE));
    MUST(tlsshim_context_set_events(context, events));
    return context;
}

static void open_desk(struct desk *desk, const char *name, const char *cert, const char *key)
{
    desk->name = name;
    desk->context = the_context(TLSSHIM_ROLE_SERVER, TLSSHIM_EVENT_HELLO | TLSSHIM_EVENT_VERIFY | TLSSHIM_EVENT_SIGN);
    read_identity(desk, cert, key);
    MUST(tlsshim_context_add_identity(desk->context, desk->identity, "", 0));
}

static void open_desks(void)
{
    const char *alpn = setting("alpn", "");
    char wire[256];

    open_desk(&desks[0], "front", setting("cert", ""), setting("key", ""));
    if (*setting("sni", "") != 0)
        open_desk(&desks[1], "sni", setting("sni_cert", ""), setting("sni_key", ""));
    if (*alpn == 0)
        return;
    open_desk(&desks[2], "alpn", setting("alpn_cert", ""), setting("alpn_key", ""));
    MUST(tlsshim_context_set_alpn(desks[2].context, wire,
                                  (int32_t)MUST(tlsshim_alpn_encode(alpn, length(alpn), wire, sizeof wire)),
                                  TLSSHIM_ALPN_FAIL));
}

/* --- the host's answers --- */

static bool names_the_server(int64_t conn, const char *name)
{
    char text[256];
    int32_t len = tlsshim_conn_event_text(conn, TLSSHIM_DETAIL_SERVER_NAME, text, sizeof text);

    return len == length(name) && memcmp(text, name, (size_t)len) == 0;
}

static bool offers_protocol(int64_t conn, const char *name)
{
    char wire[1024];
    int32_t len = tlsshim_conn_event_bytes(conn, TLSSHIM_DETAIL_ALPN, wire, sizeof wire);

    for (int32_t at = 0; at < len; at += 1 + (unsigned char)wire[at]) {
        if ((unsigned char)wire[at] == strlen(name) && memcmp(wire + at + 1, name, strlen(name)) == 0)
            return true;
    }
    return false;
}

static void answer_hello(int64_t conn)
{
    if (desks[2].name != NULL && offers_protocol(conn, setting("alpn", "")))
        now.desk = &desks[2];
    else if (desks[1].name != NULL && names_the_server(conn, setting("sni", "")))
        now.desk = &desks[1];
    if (now.desk != &desks[0])
        MUST(tlsshim_conn_use_context(conn, now.desk->context));
    MUST(tlsshim_conn_event_done(conn));
}

static int32_t peer_name(int64_t conn, char *text, int32_t cap)
{
    int64_t cert = tlsshim_conn_peer_cert(conn);
    int32_t len = cert > 0 ? tlsshim_cert_text(cert, TLSSHIM_CERT_COMMON_NAME, text, cap) : 0;

    tlsshim_close(cert);
    return len > 0 && len <= cap ? len : 0;
}

static void answer_verify(int64_t conn)
{
    const char *unwanted = setting("refuse", "");
    char name[256];
    int32_t len = peer_name(conn, name, sizeof name);

    if (len == length(unwanted) && memcmp(name, unwanted, (size_t)len) == 0)
        MUST(tlsshim_conn_refuse(conn, atoi(setting("alert", "46"))));
    else
        MUST(tlsshim_conn_accept_peer(conn));
}

static void answer_certificate(int64_t conn)
{
    char names[ROOM];
    int32_t len = tlsshim_conn_event_text(conn, TLSSHIM_DETAIL_CA_NAMES, names, sizeof names);

    for (int32_t at = 0; at < len; at++)
        now.authorities += names[at] == '\n' || at + 1 == len;
    if (now.desk->identity != 0)
        MUST(tlsshim_conn_use_identity(conn, now.desk->identity));
    MUST(tlsshim_conn_event_done(conn));
}

static void answer_sign(int64_t conn)
{
    uint8_t message[ROOM], signature[1024];
    int32_t scheme =
        (int32_t)MUST(tlsshim_conn_event_text(conn, TLSSHIM_DETAIL_SIGN_SCHEME, now.scheme, sizeof now.scheme - 1));
    int32_t len = (int32_t)MUST(tlsshim_conn_event_bytes(conn, TLSSHIM_DETAIL_SIGN_MESSAGE, message, sizeof message));

    now.scheme[scheme] = 0;
    len = (int32_t)MUST(
        tlsshim_key_sign(now.desk->private_key, now.scheme, scheme, message, len, signature, sizeof signature));
    MUST(tlsshim_conn_sign_with(conn, signature, len));
}

static const struct {
    int32_t event;
    char initial;
    void (*answer)(int64_t conn);
} answers[] = {
    {TLSSHIM_EVENT_HELLO, 'H', answer_hello},
    {TLSSHIM_EVENT_VERIFY, 'V', answer_verify},
    {TLSSHIM_EVENT_CERTIFICATE, 'C', answer_certificate},
    {TLSSHIM_EVENT_SIGN, 'S', answer_sign},
};

static void answer(int64_t conn)
{
    int32_t event = tlsshim_conn_event(conn);
    size_t at = 0, count = strlen(now.events);

    while (answers[at].event != event)
        if (++at == sizeof answers / sizeof answers[0])
            exit(2);
    if (count + 1 < sizeof now.events)
        now.events[count] = answers[at].initial;
    answers[at].answer(conn);
}

static int32_t answered_handshake(int64_t stream)
{
    int64_t conn = MUST(tlsshim_stream_conn(stream));
    int32_t result;

    while ((result = tlsshim_stream_handshake(stream, SOON)) == TLSSHIM_WANT_EVENT)
        answer(conn);
    tlsshim_close(conn);
    return result;
}

/* --- connections --- */

static void begin(const struct desk *desk)
{
    memset(&now, 0, sizeof now);
    now.desk = desk;
}

static void print_text(int64_t conn, const char *name, int32_t field)
{
    char text[256];
    int32_t len = tlsshim_conn_text(conn, field, text, sizeof text);

    printf("%s=%.*s ", name, len > 0 && len <= (int32_t)sizeof text ? len : 0, text);
}

static void print_facts(int64_t stream)
{
    int64_t conn = MUST(tlsshim_stream_conn(stream));
    char peer[256];

    print_text(conn, "version", TLSSHIM_CONN_VERSION);
    print_text(conn, "alpn", TLSSHIM_CONN_ALPN);
    printf("peer=%.*s ", peer_name(conn, peer, sizeof peer), peer);
    printf("desk=%s events=%s scheme=%s authorities=%d ", now.desk->name, now.events, now.scheme, now.authorities);
    tlsshim_close(conn);
}

static void end(int64_t stream, int64_t result)
{
    print_facts(stream);
    if (result >= 0) {
        printf("bytes=%lld ", (long long)result);
        result = tlsshim_stream_shutdown(stream, SOON);
    }
    if (result < 0)
        say_error(result);
    else
        puts("end=OK");
    fflush(stdout);
    tlsshim_close(stream);
}

/* Echoes to the end, or answers one request. */
static int64_t server_talk(int64_t stream)
{
    static const char page[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";
    bool http = strcmp(setting("talk", "echo"), "http") == 0;
    char data[4096];
    int64_t got = 0;
    int32_t some;

    while ((some = tlsshim_stream_read(stream, data, sizeof data, SOON)) > 0) {
        got += some;
        if (http && some >= 4 && memcmp(data + some - 4, "\r\n\r\n", 4) == 0) {
            some = tlsshim_stream_write(stream, page, length(page), SOON);
            return some < 0 ? some : got;
        }
        if (!http && tlsshim_stream_write(stream, data, some, SOON) != some)
            return TLSSHIM_E_INTERNAL;
    }
    return some < 0 ? some : got;
}

static int serve(const char *host)
{
    int64_t listener = MUST(tlsshim_listener_new(host, length(host), 0, 0));

    open_desks();
    printf("port %d\n", tlsshim_listener_port(listener));
    fflush(stdout);
    for (int i = atoi(setting("count", "1")); i > 0; i--) {
        int64_t stream = MUST(tlsshim_listener_accept(listener, desks[0].context, SOON));
        int64_t result;

        begin(&desks[0]);
        result = answered_handshake(stream);
        end(stream, result < 0 ? result : server_talk(stream));
    }
    return 0;
}

static int64_t client_talk(int64_t stream)
{
    const char *wanted = setting("answer", "hello");
    char data[64];
    int32_t have = 0, some = tlsshim_stream_write(stream, "hello\n", 6, SOON);

    while (some > 0 && have < length(wanted)) {
        some = tlsshim_stream_read(stream, data + have, (int32_t)sizeof data - have, SOON);
        have += some > 0 ? some : 0;
    }
    if (some <= 0)
        return some;
    return memcmp(data, wanted, strlen(wanted)) == 0 ? have : TLSSHIM_E_FORMAT;
}

static int connect_to(const char *host, int32_t port)
{
    int64_t stream, result;

    desks[0].name = "front";
    desks[0].context =
        the_context(TLSSHIM_ROLE_CLIENT, TLSSHIM_EVENT_VERIFY | TLSSHIM_EVENT_CERTIFICATE | TLSSHIM_EVENT_SIGN);
    if (*setting("cert", "") != 0)
        read_identity(&desks[0], setting("cert", ""), setting("key", ""));
    begin(&desks[0]);
    stream = MUST(tlsshim_stream_connect(host, length(host), port, desks[0].context, SOON));
    result = answered_handshake(stream);
    end(stream, result < 0 ? result : client_talk(stream));
    return 0;
}

int main(int count, char **words)
{
    settings = words + (count > 3 ? 3 : count);
    if (count >= 3 && strcmp(words[1], "serve") == 0)
        return serve(words[2]);
    if (count >= 4 && strcmp(words[1], "connect") == 0) {
        settings = words + 4;
        return connect_to(words[2], atoi(words[3]));
    }
    fprintf(stderr, "usage: event_host serve HOST [K=V...] | connect HOST PORT [K=V...]\n");
    return 2;
}
