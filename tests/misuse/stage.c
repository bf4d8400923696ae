#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "support/support.h"
#include "tlsshim.h"

static int64_t made(int64_t result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "the stage cannot be set: %s: %s\n", what, support_text(result));
        abort();
    }
    return result;
}

#define MADE(expression) made((expression), #expression)

/* Carries what one connection has to say to the other. */
static void carry(int64_t from, int64_t to)
{
    unsigned char bytes[4096];
    int32_t count;

    while ((count = (int32_t)MADE(tlsshim_conn_drain(from, bytes, sizeof bytes))) > 0)
        MADE(tlsshim_conn_feed(to, bytes, count));
}

/* Two TLS streams that talk to each other, before their handshake, and a listener. */
static void net_open(int64_t handles[HANDLES], int64_t client_context, int64_t server_context)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        abort();
    handles[TLSSHIM_KIND_STREAM] = MADE(tlsshim_stream_adopt(ends[0], client_context, "localhost", 9, TLSSHIM_FD_TAKE));
    handles[PEER_STREAM] = MADE(tlsshim_stream_adopt(ends[1], server_context, "", 0, TLSSHIM_FD_TAKE));
    handles[TLSSHIM_KIND_LISTENER] = MADE(tlsshim_listener_new("127.0.0.1", 9, 0, 8));
}

/* A client after its handshake, its server, a session from it, and a context that is not yet in use. */
static void tls_open(int64_t handles[HANDLES])
{
    int64_t client_context = MADE(tlsshim_context_new(TLSSHIM_ROLE_CLIENT));
    int64_t server_context = MADE(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    int64_t trust = MADE(tlsshim_copy(handles[TLSSHIM_KIND_TRUST]));
    int32_t done = -1;
    char byte;

    MADE(tlsshim_context_set_trust(client_context, trust));
    MADE(tlsshim_context_add_identity(server_context, handles[TLSSHIM_KIND_IDENTITY], "", 0));
    int64_t client = MADE(tlsshim_conn_new(client_context, "localhost", 9));
    int64_t server = MADE(tlsshim_conn_new(server_context, "", 0));
    for (int turns = 0; turns < 10 && done != TLSSHIM_OK; turns++) {
        done = tlsshim_conn_handshake(client);
        carry(client, server);
        tlsshim_conn_handshake(server);
        carry(server, client);
    }
    MADE(done);
    MADE(tlsshim_conn_write(server, "x", 1));
    carry(server, client);
    MADE(tlsshim_conn_read(client, &byte, 1));

    handles[TLSSHIM_KIND_SESSION] = MADE(tlsshim_conn_take_session(client));
    handles[TLSSHIM_KIND_CONN] = client;
    handles[PEER] = server;
    handles[TLSSHIM_KIND_CONTEXT] = MADE(tlsshim_copy(client_context));
    net_open(handles, client_context, server_context);
    tlsshim_close(trust);
    tlsshim_close(server_context);
    tlsshim_close(client_context);
}

static int64_t authority_open(int64_t key)
{
    int64_t tmpl = MADE(tlsshim_template_new());

    MADE(tlsshim_template_set_subject(tmpl, "CN=authority", 12));
    MADE(tlsshim_template_set_ca(tmpl, -1));
    int64_t cert = MADE(tlsshim_template_self_sign(tmpl, key));
    int64_t identity = MADE(tlsshim_identity_new(cert, key));
    tlsshim_close(cert);
    tlsshim_close(tmpl);
    return identity;
}

static void handles_open(int64_t handles[HANDLES])
{
    int64_t key = MADE(tlsshim_key_generate("P-256", 5));
    int64_t cert = MADE(tlsshim_cert_self_signed(key, "localhost,127.0.0.1", 19, 30));

    handles[TLSSHIM_KIND_KEY] = key;
    handles[TLSSHIM_KIND_CERT] = cert;
    handles[TLSSHIM_KIND_TEMPLATE] = MADE(tlsshim_template_new());
    MADE(tlsshim_template_set_subject(handles[TLSSHIM_KIND_TEMPLATE], "CN=a.test", 9));
    handles[TLSSHIM_KIND_IDENTITY] = MADE(tlsshim_identity_new(cert, key));
    handles[AUTHORITY] = authority_open(key);
    handles[TLSSHIM_KIND_TRUST] = MADE(tlsshim_trust_new());
    MADE(tlsshim_trust_add_cert(handles[TLSSHIM_KIND_TRUST], cert));
    tls_open(handles);
}

static void handles_close(int64_t handles[HANDLES])
{
    for (int i = 0; i < HANDLES; i++)
        if (handles[i])
            tlsshim_close(handles[i]);
}

void stage_open(struct stage *stage)
{
    memset(stage, 0, sizeof *stage);
    stage->before = tlsshim_live(0);
    handles_open(stage->stale);
    handles_close(stage->stale);
    handles_open(stage->live);
}

int64_t stage_close(struct stage *stage)
{
    handles_close(stage->live);
    return tlsshim_live(0) - stage->before;
}

static void *mapping(size_t size, int protection)
{
    void *data = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (data == MAP_FAILED)
        abort();
    return data;
}

void *forbidden_memory(void)
{
    static void *data;

    if (!data)
        data = mapping(4096, PROT_NONE);
    return data;
}

void *vast_memory(void)
{
    static void *data;

    if (!data)
        data = mapping((size_t)1 << 31, PROT_READ | PROT_WRITE);
    return data;
}

int64_t lent_socket(void)
{
    static int ends[2];

    if (!ends[0] && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        abort();
    return ends[0];
}
