/* One end of a connection for the interop scripts, through the public functions alone.
 *
 * peer_host certs DIR                   makes the authorities and certificates of all the tests
 * peer_host connect HOST PORT [K=V...]  sends, reads what comes back, says goodbye
 * peer_host serve HOST [K=V...]         prints "port N", then serves count connections, one after the other
 *
 * ca=FILE, cert=FILE, key=FILE, name=NAME, alpn=LIST, tls=1.0|1.1|1.2|1.3 (the first two with all that they need),
 * ask=1 (for a certificate, and require it), depth=N, talk=echo|reverse|http|wait|greet (a server speaks first, then
 * echoes), bytes=N (to be echoed), count=N, session_in=FILE, session_out=FILE, cache=N, keys=FILE (of tickets),
 * secret=TEXT with at=SECONDS (to derive them), staple=FILE (an OCSP answer to show), stapled=ask|require (of a
 * server), post=1 (certificates after the handshake: a client offers it, a server asks once the first bytes have come).
 * A server with ordered=1 takes orders on its input, a line each, until "end": "serve" (one connection), "keys FILE",
 * "replace K=V..." (by a context with these settings added). Each connection prints one line of facts, "version=TLSv1.3
 * ... end=OK", or "error=E_NAME sentence". */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlsshim.h"

enum { SOON = 20000, ROOM = 1 << 16 };

static char **settings;

/* The last that was set stands. */
static const char *setting(const char *name, const char *otherwise)
{
    size_t len = strlen(name);

    for (char **at = settings; *at != NULL; at++) {
        if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
            otherwise = *at + len + 1;
    }
    return otherwise;
}

/* The result's code by name, without its prefix, and its sentence. */
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

static int32_t length(const char *text)
{
    return (int32_t)strlen(text);
}

/* --- certificates --------------------------------------------------------------------------------------------------
 */

static void save(const char *folder, const char *name, const char *kind, const void *data, int32_t len)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s.%s", folder, name, kind);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, (size_t)len, file) != (size_t)len || fclose(file) != 0) {
        perror(path);
        exit(2);
    }
}

static void save_pair(const char *folder, const char *name, int64_t cert, int64_t key)
{
    char data[ROOM];

    save(folder, name, "crt", data, (int32_t)MUST(tlsshim_cert_export(cert, TLSSHIM_FORMAT_PEM, data, sizeof data)));
    save(folder, name, "key", data,
         (int32_t)MUST(tlsshim_key_export(key, TLSSHIM_FORMAT_PEM, "", 0, data, sizeof data)));
}

struct wish {
    const char *file;
    const char *algorithm;
    const char *subject;
    const char *names;
    int64_t begin; /* 0 = the default validity, else seconds since 1970 */
    int64_t end;
};

/* A certificate signed by `ca`, or a self-signed authority (0), or one below (ca_depth >= 0). Gives its identity. */
static int64_t make(const char *folder, const struct wish *wish, int64_t ca, int32_t ca_depth)
{
    int64_t key = MUST(tlsshim_key_generate(wish->algorithm, length(wish->algorithm)));
    int64_t tmpl = MUST(tlsshim_template_new());
    int64_t cert;

    MUST(tlsshim_template_set_subject(tmpl, wish->subject, length(wish->subject)));
    if (ca == 0 || ca_depth >= 0)
        MUST(tlsshim_template_set_ca(tmpl, ca_depth));
    for (const char *at = wish->names; *at != 0;) {
        size_t len = strcspn(at, ",");

        MUST(tlsshim_template_add_name(tmpl, at, (int32_t)len));
        at += len + (at[len] == ',');
    }
    if (wish->end != 0)
        MUST(tlsshim_template_set_validity(tmpl, wish->begin, wish->end));
    cert = ca == 0 ? MUST(tlsshim_template_self_sign(tmpl, key)) : MUST(tlsshim_template_issue(tmpl, key, ca));
    save_pair(folder, wish->file, cert, key);
    return MUST(tlsshim_identity_new(cert, key));
}

static int certs(const char *folder)
{
    static const char here[] = "localhost,127.0.0.1,::1";
    static const struct wish root = {"root", "P-256", "CN=Interop root,O=tlsshim", "", 0, 0};
    static const struct wish below = {"below", "P-384", "CN=Interop intermediate,O=tlsshim", "", 0, 0};
    static const struct wish other = {"other-root", "P-256", "CN=Other root", "", 0, 0};
    static const struct wish other_client = {"other-client", "P-256", "CN=client of the other root", "", 0, 0};
    static const struct wish leaves[] = {
        {"server", "P-256", "CN=server.test", here, 0, 0},
        {"server-rsa", "RSA-2048", "CN=server.test", here, 0, 0},
        {"server-ed25519", "ED25519", "CN=server.test", here, 0, 0},
        {"server-p384", "P-384", "CN=server.test", here, 0, 0},
        {"wrong-host", "P-256", "CN=other.test", "other.test", 0, 0},
        {"expired", "P-256", "CN=server.test", here, 1577836800, 1580515200},
        {"client", "P-256", "CN=client.test", "", 0, 0},
        {"client-rsa", "RSA-2048", "CN=client.test", "", 0, 0},
    };
    int64_t root_identity = make(folder, &root, 0, -1);
    int64_t below_identity = make(folder, &below, root_identity, 0);
    int64_t other_identity = make(folder, &other, 0, -1);

    for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++)
        make(folder, &leaves[i], below_identity, -1);
    make(folder, &other_client, other_identity, -1);
    return 0;
}

/* --- connections ---------------------------------------------------------------------------------------------------
 */

static int64_t the_identity(void)
{
    const char *cert = setting("cert", ""), *key = setting("key", "");
    int64_t c = MUST(tlsshim_cert_load_file(cert, length(cert)));
    int64_t k = MUST(tlsshim_key_load_file(key, length(key), "", 0));

    return MUST(tlsshim_identity_new(c, k));
}

static void give_keys(int64_t context, const char *path)
{
    char keys[16 * 80];
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        exit(2);
    }
    MUST(tlsshim_context_set_ticket_keys(context, keys, (int32_t)fread(keys, 1, sizeof keys, file)));
    fclose(file);
}

enum { PERIOD = 3600 };

static void derive_keys(int64_t context, const char *secret)
{
    char keys[3 * 80];

    MUST(tlsshim_ticket_keys_derive(secret, length(secret), atoll(setting("at", "0")), PERIOD, keys, sizeof keys));
    MUST(tlsshim_context_set_ticket_keys(context, keys, sizeof keys));
}

static void set_staples(int64_t context, int64_t identity)
{
    const char *path = setting("staple", ""), *stapled = setting("stapled", "");
    char data[ROOM];
    FILE *file = *path != 0 ? fopen(path, "rb") : NULL;

    if (file != NULL) {
        MUST(tlsshim_context_set_staple(context, identity, data, (int32_t)fread(data, 1, sizeof data, file)));
        fclose(file);
    }
    if (*stapled != 0)
        MUST(tlsshim_context_set_staple_mode(context, strcmp(stapled, "ask") == 0 ? TLSSHIM_STAPLE_ASK
                                                                                  : TLSSHIM_STAPLE_REQUIRE));
}

static void set_sessions(int64_t context)
{
    if (*setting("cache", "") != 0)
        MUST(tlsshim_context_set_session_cache(context, atoi(setting("cache", ""))));
    if (*setting("keys", "") != 0)
        give_keys(context, setting("keys", ""));
    if (*setting("secret", "") != 0)
        derive_keys(context, setting("secret", ""));
}

static void set_version(int64_t context, const char *tls)
{
    static const char old_ciphers[] = "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA";
    int32_t version = TLSSHIM_TLS_1_0 + tls[2] - '0';

    if (version < TLSSHIM_TLS_1_2) {
        MUST(tlsshim_context_insecure_legacy(context, 1));
        MUST(tlsshim_context_set_security_level(context, 0));
        MUST(tlsshim_context_set_ciphers(context, old_ciphers, length(old_ciphers)));
    }
    MUST(tlsshim_context_set_versions(context, version, version));
}

static void add_psk(int64_t context, const char *psk)
{
    char key[64];
    const char *hex = strchr(psk, ':') + 1;
    int32_t len = 0;

    for (unsigned byte; len < (int32_t)sizeof key && sscanf(hex + len * 2, "%2x", &byte) == 1; len++)
        key[len] = (char)byte;
    MUST(tlsshim_context_add_psk(context, psk, (int32_t)(hex - 1 - psk), key, len));
}

static int64_t the_context(int32_t role)
{
    int64_t context = MUST(tlsshim_context_new(role)), identity = 0, trust;
    const char *ca = setting("ca", ""), *alpn = setting("alpn", ""), *tls = setting("tls", "");
    char wire[256];

    if (*ca != 0) {
        trust = MUST(tlsshim_trust_new());
        MUST(tlsshim_trust_add_file(trust, ca, length(ca)));
        MUST(tlsshim_context_set_trust(context, trust));
    }
    if (*setting("cert", "") != 0) {
        identity = the_identity();
        MUST(tlsshim_context_add_identity(context, identity, "", 0));
    }
    if (*alpn != 0) {
        int32_t len = (int32_t)MUST(tlsshim_alpn_encode(alpn, length(alpn), wire, sizeof wire));

        MUST(tlsshim_context_set_alpn(context, wire, len, TLSSHIM_ALPN_CONTINUE));
    }
    if (*tls != 0)
        set_version(context, tls);
    if (*setting("ask", "") != 0)
        MUST(tlsshim_context_set_client_certificate(context, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE));
    if (*setting("depth", "") != 0)
        MUST(tlsshim_context_set_verify_depth(context, atoi(setting("depth", ""))));
    if (*setting("keylog", "") != 0)
        MUST(tlsshim_context_set_keylog_file(context, setting("keylog", ""), length(setting("keylog", ""))));
    if (*setting("psk", "") != 0)
        add_psk(context, setting("psk", ""));
    if (*setting("post", "") != 0)
        MUST(tlsshim_context_set_post_handshake(context, 1));
    set_sessions(context);
    set_staples(context, identity);
    return context;
}

static void print_text(int64_t conn, const char *name, int32_t field)
{
    char text[256];
    int32_t len = tlsshim_conn_text(conn, field, text, sizeof text);

    printf("%s=%.*s ", name, len > 0 && len <= (int32_t)sizeof text ? len : 0, text);
}

static void print_facts(int64_t stream)
{
    int64_t conn = MUST(tlsshim_stream_conn(stream)), n = 0;
    int64_t cert = tlsshim_conn_peer_cert(conn);
    char text[256];

    print_text(conn, "version", TLSSHIM_CONN_VERSION);
    print_text(conn, "cipher", TLSSHIM_CONN_CIPHER);
    print_text(conn, "alpn", TLSSHIM_CONN_ALPN);
    print_text(conn, "server_name", TLSSHIM_CONN_SERVER_NAME);
    print_text(conn, "psk", TLSSHIM_CONN_PSK_IDENTITY);
    tlsshim_conn_number(conn, TLSSHIM_CONN_RESUMED, &n);
    printf("resumed=%lld ", (long long)n);
    if (tlsshim_conn_number(conn, TLSSHIM_CONN_CERTIFICATE_REQUESTED, &n) == TLSSHIM_OK)
        printf("requested=%lld ", (long long)n);
    if (tlsshim_conn_number(conn, TLSSHIM_CONN_VERIFIED, &n) == TLSSHIM_OK)
        printf("verified=%lld ", (long long)n);
    n = tlsshim_conn_bytes(conn, TLSSHIM_CONN_STAPLE, NULL, 0);
    printf("staple=%lld ", (long long)(n < 0 ? 0 : n));
    if (cert > 0) {
        int32_t len = tlsshim_cert_text(cert, TLSSHIM_CERT_COMMON_NAME, text, sizeof text);

        printf("peer=%.*s ", len > 0 ? len : 0, text);
    }
    tlsshim_close(cert);
    tlsshim_close(conn);
}

static void session_in(int64_t stream)
{
    const char *path = setting("session_in", "");
    char data[ROOM];
    FILE *file = *path != 0 ? fopen(path, "rb") : NULL;

    if (file == NULL)
        return;
    MUST(tlsshim_conn_set_session(MUST(tlsshim_stream_conn(stream)),
                                  MUST(tlsshim_session_load(data, (int32_t)fread(data, 1, sizeof data, file)))));
    fclose(file);
}

static void session_out(int64_t stream)
{
    const char *path = setting("session_out", "");
    char data[ROOM];
    int64_t session;
    FILE *file;

    if (*path == 0)
        return;
    session = tlsshim_conn_take_session(MUST(tlsshim_stream_conn(stream)));
    if (session == TLSSHIM_NONE) {
        remove(path);
        return;
    }
    MUST(session);
    file = fopen(path, "wb");
    fwrite(data, 1, (size_t)MUST(tlsshim_session_export(session, data, sizeof data)), file);
    fclose(file);
}

static char pattern(int64_t at)
{
    return (char)('a' + at * 7 % 26);
}

struct sending {
    int64_t stream;
    int64_t bytes;
};

/* Lines, for peers that look for their ends. */
static void *send_pattern(void *argument)
{
    struct sending *sending = argument;
    char data[4096];

    for (int64_t at = 0; at < sending->bytes;) {
        int32_t len = 0;

        for (; len < (int32_t)sizeof data && at + len < sending->bytes; len++)
            data[len] = (at + len) % 64 == 63 || at + len + 1 == sending->bytes ? '\n' : pattern(at + len);
        if (tlsshim_stream_write(sending->stream, data, len, SOON) != len)
            return NULL;
        at += len;
    }
    return sending;
}

/* Reads the pattern back while another thread sends it. */
static int64_t exchange_echo(int64_t stream, int64_t bytes)
{
    struct sending sending = {stream, bytes};
    pthread_t thread;
    char data[4096];
    int64_t got = 0;
    int32_t some = 0;

    if (pthread_create(&thread, NULL, send_pattern, &sending) != 0)
        exit(2);
    while (got < bytes && (some = tlsshim_stream_read(stream, data, sizeof data, SOON)) > 0) {
        for (int32_t i = 0; i < some; i++) {
            char wanted = (got + i) % 64 == 63 || got + i + 1 == bytes ? '\n' : pattern(got + i);

            if (data[i] != wanted) {
                printf("byte %lld differs ", (long long)(got + i));
                exit(2);
            }
        }
        got += some;
    }
    pthread_join(thread, NULL);
    return some < 0 ? some : got;
}

static int64_t exchange_line(int64_t stream, const char *line, const char *wanted)
{
    char data[256];
    int32_t have = 0, some = tlsshim_stream_write(stream, line, length(line), SOON);

    if (some < 0)
        return some;
    while (have < length(wanted)) {
        some = tlsshim_stream_read(stream, data + have, (int32_t)sizeof data - have, SOON);
        if (some <= 0)
            return some;
        have += some;
    }
    return memcmp(data, wanted, strlen(wanted)) == 0 ? have : TLSSHIM_E_FORMAT;
}

static int64_t read_to_the_end(int64_t stream)
{
    char data[4096];
    int64_t got = 0;
    int32_t some;

    while ((some = tlsshim_stream_read(stream, data, sizeof data, SOON)) > 0)
        got += some;
    return some < 0 ? some : got;
}

static int64_t client_talk(int64_t stream)
{
    const char *talk = setting("talk", "echo");

    if (strcmp(talk, "reverse") == 0)
        return exchange_line(stream, "hello\n", "olleh\n");
    if (strcmp(talk, "http") == 0)
        return exchange_line(stream, "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 ");
    if (strcmp(talk, "wait") == 0)
        return read_to_the_end(stream);
    return exchange_echo(stream, atoll(setting("bytes", "6")));
}

static int client_end(int64_t stream, int64_t result)
{
    char name[64];
    int32_t len;

    if (result < 0) {
        say_error(result);
        return 1;
    }
    session_out(stream);
    print_facts(stream);
    printf("bytes=%lld ", (long long)result);
    result = tlsshim_stream_shutdown(stream, SOON);
    if (result == TLSSHIM_OK && strcmp(setting("talk", "echo"), "wait") != 0)
        result = read_to_the_end(stream);
    len = tlsshim_error_name(result < 0 ? result : 0, name, sizeof name);
    printf("end=%.*s\n", len, name);
    tlsshim_close(stream);
    return 0;
}

static int connect_once(int64_t context, const char *host, int32_t port)
{
    const char *name = setting("name", "");
    int64_t stream = tlsshim_stream_connect(host, length(host), port, context, SOON), result = 0;

    if (stream < 0) {
        say_error(stream);
        return 1;
    }
    if (*name != 0) {
        int64_t conn = MUST(tlsshim_stream_conn(stream));

        MUST(tlsshim_conn_set_verify_name(conn, name, length(name)));
        MUST(tlsshim_conn_set_server_name(conn, name, length(name)));
    }
    session_in(stream);
    result = tlsshim_stream_handshake(stream, SOON);
    return client_end(stream, result < 0 ? result : client_talk(stream));
}

static int connect_to(const char *host, int32_t port)
{
    int64_t context = the_context(TLSSHIM_ROLE_CLIENT);
    int status = 0;

    for (int i = atoi(setting("count", "1")); i > 0 && status == 0; i--)
        status = connect_once(context, host, port);
    return status;
}

static int32_t ask_once(int64_t stream, int64_t got, int32_t some)
{
    int64_t conn;
    int32_t result;

    if (*setting("post", "") == 0 || got != some)
        return TLSSHIM_OK;
    conn = MUST(tlsshim_stream_conn(stream));
    result = tlsshim_conn_request_certificate(conn);
    tlsshim_close(conn);
    return result;
}

static int64_t server_talk(int64_t stream)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";
    bool http = strcmp(setting("talk", "echo"), "http") == 0;
    char data[4096];
    int64_t got = 0;
    int32_t some;

    while ((some = tlsshim_stream_read(stream, data, sizeof data, SOON)) > 0) {
        int32_t asked = ask_once(stream, got += some, some);

        if (asked < 0)
            return asked;
        if (http && got >= 4 && memcmp(data + (some < 4 ? 0 : some - 4), "\r\n\r\n", 4) == 0) {
            some = tlsshim_stream_write(stream, answer, length(answer), SOON);
            return some < 0 ? some : got;
        }
        if (!http && tlsshim_stream_write(stream, data, some, SOON) != some)
            return TLSSHIM_E_INTERNAL;
    }
    return some < 0 ? some : got;
}

static void serve_one(int64_t stream)
{
    int64_t result = tlsshim_stream_handshake(stream, SOON);

    if (result == TLSSHIM_OK && strcmp(setting("talk", "echo"), "greet") == 0)
        result = tlsshim_stream_write(stream, "welcome\n", 8, SOON) < 0 ? TLSSHIM_E_RESET : TLSSHIM_OK;
    if (result == TLSSHIM_OK) {
        result = server_talk(stream);
        print_facts(stream);
    }
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

/* The settings from now on: those before, and the words of a line. Kept for good. */
static void add_settings(const char *line)
{
    char *copy = strdup(line), **more = calloc(64, sizeof *more);
    int count = 0;

    if (copy == NULL || more == NULL)
        exit(2);
    for (char **at = settings; *at != NULL; at++)
        more[count++] = *at;
    for (char *word = strtok(copy, " "); word != NULL && count < 63; word = strtok(NULL, " "))
        more[count++] = word;
    settings = more;
}

static void replace(int64_t context, const char *line)
{
    int64_t successor;

    add_settings(line);
    successor = the_context(TLSSHIM_ROLE_SERVER);
    MUST(tlsshim_context_replace(context, successor));
    MUST(tlsshim_close(successor));
}

static void take_orders(int64_t listener, int64_t context)
{
    char line[4096];

    while (fgets(line, sizeof line, stdin) != NULL && strcmp(line, "end\n") != 0) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "keys ", 5) == 0)
            give_keys(context, line + 5);
        else if (strncmp(line, "replace ", 8) == 0)
            replace(context, line + 8);
        else
            serve_one(MUST(tlsshim_listener_accept(listener, context, SOON)));
    }
}

static int serve(const char *host)
{
    int64_t context = the_context(TLSSHIM_ROLE_SERVER);
    int64_t listener = MUST(tlsshim_listener_new(host, length(host), 0, 0));

    printf("port %d\n", tlsshim_listener_port(listener));
    fflush(stdout);
    if (*setting("ordered", "") != 0)
        take_orders(listener, context);
    else
        for (int i = atoi(setting("count", "1")); i > 0; i--)
            serve_one(MUST(tlsshim_listener_accept(listener, context, SOON)));
    return 0;
}

int main(int count, char **words)
{
    settings = words + count;
    if (count == 3 && strcmp(words[1], "certs") == 0)
        return certs(words[2]);
    settings = words + 3;
    if (count >= 4 && strcmp(words[1], "connect") == 0) {
        settings = words + 4;
        return connect_to(words[2], atoi(words[3]));
    }
    if (count >= 3 && strcmp(words[1], "serve") == 0)
        return serve(words[2]);
    fprintf(stderr, "usage: peer_host certs DIR | connect HOST PORT [K=V...] | serve HOST [K=V...]\n");
    return 2;
}
