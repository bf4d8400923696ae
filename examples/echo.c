/* Echo over mutual TLS, both ends, straight on the C ABI.
 *
 *   echo server CA IDENTITY [PORT]   prints its port and echoes until it is stopped
 *   echo client CA IDENTITY PORT     has 1 MiB echoed, then once more over a resumed connection
 *
 * CA is a file of anchors; IDENTITY.pem and IDENTITY.key say who this end is, "-" is nobody.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsshim.h>

#define TEXT(s) (s), (int32_t)strlen(s)
enum { PIECE = 65536, PIECES = 16, WAIT_MS = 30000, LONG_MS = 1000000000 };

/* Gives a result back; an error is told. */
static int64_t told(int64_t result)
{
    char name[64] = "", text[1024] = "";

    if (result < 0) {
        tlsshim_error_name(result, name, sizeof name - 1);
        tlsshim_error_text(result, text, sizeof text - 1);
        printf("refused=%s: %s\n", name, text);
    }
    return result;
}

static int64_t must(int64_t result)
{
    if (told(result) < 0)
        exit(1);
    return result;
}

static int64_t make_context(int32_t role, const char *ca, const char *identity)
{
    int64_t context = must(tlsshim_context_new(role)), trust = must(tlsshim_trust_new());
    char cert_file[4096], key_file[4096], wire[64];

    must(tlsshim_trust_add_file(trust, TEXT(ca)));
    must(tlsshim_context_set_trust(context, trust));
    must(tlsshim_context_set_versions(context, TLSSHIM_TLS_1_3, 0));
    int32_t wire_len = (int32_t)must(tlsshim_alpn_encode(TEXT("h2,http/1.1"), wire, sizeof wire));
    must(tlsshim_context_set_alpn(context, wire, wire_len, TLSSHIM_ALPN_FAIL));
    if (role == TLSSHIM_ROLE_SERVER)
        must(tlsshim_context_set_client_certificate(context, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE));
    if (strcmp(identity, "-") != 0) {
        snprintf(cert_file, sizeof cert_file, "%s.pem", identity);
        snprintf(key_file, sizeof key_file, "%s.key", identity);
        int64_t cert = must(tlsshim_cert_load_file(TEXT(cert_file)));
        int64_t key = must(tlsshim_key_load_file(TEXT(key_file), NULL, 0));
        must(tlsshim_context_add_identity(context, must(tlsshim_identity_new(cert, key)), NULL, 0));
    }
    return context;
}

/* Prints "name=text" of a connection. */
static void print_text(int64_t conn, const char *name, int32_t field)
{
    char text[256] = "";

    tlsshim_conn_text(conn, field, text, sizeof text - 1);
    printf("%s=%s ", name, text);
}

static void print_peer(int64_t conn)
{
    int64_t cert = tlsshim_conn_peer_cert(conn), resumed = 0;
    char name[256] = "";

    tlsshim_cert_text(cert, TLSSHIM_CERT_COMMON_NAME, name, sizeof name - 1);
    tlsshim_close(cert);
    tlsshim_conn_number(conn, TLSSHIM_CONN_RESUMED, &resumed);
    printf("peer=%s resumed=%d", name, (int)resumed);
}

static int64_t serve(int64_t stream)
{
    static char data[PIECE];
    int64_t count = tlsshim_stream_handshake(stream, WAIT_MS);

    if (count < 0)
        return count;
    int64_t conn = tlsshim_stream_conn(stream);
    print_peer(conn);
    printf("\n");
    tlsshim_close(conn);
    while ((count = tlsshim_stream_read(stream, data, PIECE, WAIT_MS)) > 0)
        for (int64_t sent = 0, taken; sent < count; sent += taken)
            if ((taken = tlsshim_stream_write(stream, data + sent, (int32_t)(count - sent), WAIT_MS)) < 0)
                return taken;
    return count < 0 ? count : tlsshim_stream_shutdown(stream, WAIT_MS);
}

/* Has 1 MiB echoed; gives the stream, still open. */
static int64_t visit(int64_t context, int32_t port, int64_t session)
{
    static char sent[PIECE], back[PIECE];
    int64_t stream = must(tlsshim_stream_connect(TEXT("localhost"), port, context, WAIT_MS));

    if (session > 0) {
        int64_t conn = must(tlsshim_stream_conn(stream));
        must(tlsshim_conn_set_session(conn, session));
        tlsshim_close(conn);
    }
    for (int piece = 0; piece < PIECES; piece++) {
        memset(sent, piece, PIECE);
        for (int32_t count = 0; count < PIECE;)
            count += (int32_t)must(tlsshim_stream_write(stream, sent + count, PIECE - count, WAIT_MS));
        for (int32_t count = 0, got; count < PIECE; count += got)
            if ((got = (int32_t)must(tlsshim_stream_read(stream, back + count, PIECE - count, WAIT_MS))) == 0)
                exit(1);
        if (memcmp(sent, back, PIECE) != 0)
            exit(1);
    }
    must(tlsshim_stream_shutdown(stream, WAIT_MS));
    if (must(tlsshim_stream_read(stream, back, PIECE, WAIT_MS)) != 0)
        exit(1);
    return stream;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: echo server|client CA IDENTITY [PORT]\n");
        return 2;
    }
    int32_t role = strcmp(argv[1], "server") == 0 ? TLSSHIM_ROLE_SERVER : TLSSHIM_ROLE_CLIENT;
    int64_t context = make_context(role, argv[2], argv[3]), first_ms = 0, ms = 0;
    int32_t port = argc > 4 ? atoi(argv[4]) : 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (role == TLSSHIM_ROLE_SERVER) {
        int64_t listener = must(tlsshim_listener_new(TEXT("localhost"), port, 0));
        printf("port=%d\n", (int)tlsshim_listener_port(listener));
        for (;;) {
            int64_t stream = must(tlsshim_listener_accept(listener, context, LONG_MS));
            told(serve(stream));
            tlsshim_close(stream);
        }
    }
    int64_t first = tlsshim_stream_conn(visit(context, port, 0));
    int64_t conn = tlsshim_stream_conn(visit(context, port, must(tlsshim_conn_take_session(first))));
    print_text(conn, "version", TLSSHIM_CONN_VERSION);
    print_text(conn, "cipher", TLSSHIM_CONN_CIPHER);
    print_text(conn, "alpn", TLSSHIM_CONN_ALPN);
    print_peer(conn);
    tlsshim_conn_number(first, TLSSHIM_CONN_HANDSHAKE_MS, &first_ms);
    tlsshim_conn_number(conn, TLSSHIM_CONN_HANDSHAKE_MS, &ms);
    printf(" handshake_ms=%d,%d\n", (int)first_ms, (int)ms);
    return 0;
}
