/* GnuTLS, with its own push and pull functions over memory. */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <string.h>

#include "../meter.h"

enum { ROOM = 1 << 17, RECORD = 16384 };

/* One direction: what one end pushes, the other pulls. */
struct pipe {
    uint8_t data[ROOM];
    size_t head, len;
};

struct end {
    gnutls_session_t session;
    struct pipe *in, *out;
};

static gnutls_certificate_credentials_t client_side, server_side;
static struct pipe forth, back;
static struct end client, server;
static uint8_t plain[RECORD], got[RECORD];
static size_t size;

static void must(int answer)
{
    if (answer < 0)
        die("%s", gnutls_strerror(answer));
}

static ssize_t push(gnutls_transport_ptr_t transport, const void *data, size_t len)
{
    struct pipe *pipe = ((struct end *)transport)->out;

    if (pipe->head + pipe->len + len > ROOM) {
        memmove(pipe->data, pipe->data + pipe->head, pipe->len);
        pipe->head = 0;
    }
    if (pipe->len + len > ROOM)
        die("the pipe is full");
    memcpy(pipe->data + pipe->head + pipe->len, data, len);
    pipe->len += len;
    return (ssize_t)len;
}

static ssize_t pull(gnutls_transport_ptr_t transport, void *data, size_t cap)
{
    struct end *end = transport;
    struct pipe *pipe = end->in;
    size_t len = pipe->len < cap ? pipe->len : cap;

    if (len == 0) {
        gnutls_transport_set_errno(end->session, EAGAIN);
        return -1;
    }
    memcpy(data, pipe->data + pipe->head, len);
    pipe->head = pipe->len == len ? 0 : pipe->head + len;
    pipe->len -= len;
    return (ssize_t)len;
}

static int ready(gnutls_transport_ptr_t transport, unsigned ms)
{
    (void)ms;
    return ((struct end *)transport)->in->len > 0;
}

static void end_open(struct end *end, unsigned role, gnutls_certificate_credentials_t side)
{
    const char *suites = option("priority", "NORMAL");

    must(gnutls_init(&end->session, role | GNUTLS_NONBLOCK));
    must(gnutls_priority_set_direct(end->session, suites, NULL));
    must(gnutls_credentials_set(end->session, GNUTLS_CRD_CERTIFICATE, side));
    gnutls_transport_set_ptr(end->session, end);
    gnutls_transport_set_push_function(end->session, push);
    gnutls_transport_set_pull_function(end->session, pull);
    gnutls_transport_set_pull_timeout_function(end->session, ready);
    if (role == GNUTLS_CLIENT) {
        must(gnutls_server_name_set(end->session, GNUTLS_NAME_DNS, "localhost", 9));
        gnutls_session_set_verify_cert(end->session, "localhost", 0);
    } else if (option_number("mutual", 0) == 1) {
        gnutls_certificate_server_set_request(end->session, GNUTLS_CERT_REQUIRE);
        gnutls_session_set_verify_cert(end->session, NULL, 0);
    }
}

static bool step(struct end *end)
{
    int answer = gnutls_handshake(end->session);

    if (answer != GNUTLS_E_SUCCESS && gnutls_error_is_fatal(answer))
        die("%s", gnutls_strerror(answer));
    return answer == GNUTLS_E_SUCCESS;
}

static void move(struct end *from, struct end *to, size_t len)
{
    size_t have = 0;

    if (gnutls_record_send(from->session, plain, len) != (ssize_t)len)
        die("a write was cut");
    while (have < len) {
        ssize_t count = gnutls_record_recv(to->session, got + have, len - have);

        if (count == GNUTLS_E_AGAIN) /* a ticket was all that came */
            continue;
        must((int)count);
        have += (size_t)count;
    }
}

static void connect_ends(void)
{
    bool client_done = false, server_done = false;

    forth.len = forth.head = back.len = back.head = 0;
    client = (struct end){.in = &back, .out = &forth};
    server = (struct end){.in = &forth, .out = &back};
    end_open(&client, GNUTLS_CLIENT, client_side);
    end_open(&server, GNUTLS_SERVER, server_side);
    while (!client_done || !server_done) {
        client_done = client_done || step(&client);
        server_done = server_done || step(&server);
    }
    move(&client, &server, 1);
    move(&server, &client, 1);
}

static gnutls_certificate_credentials_t credentials(const char *chain, const char *key)
{
    gnutls_certificate_credentials_t side;

    must(gnutls_certificate_allocate_credentials(&side));
    must(gnutls_certificate_set_x509_trust_file(side, certs_file("ca.pem"), GNUTLS_X509_FMT_PEM));
    must(gnutls_certificate_set_x509_key_file(side, certs_file(chain), certs_file(key), GNUTLS_X509_FMT_PEM));
    return side;
}

static void prepare(void)
{
    size = (size_t)option_number("size", RECORD);
    if (size == 0 || size > RECORD)
        die("size is 1 to 16384");
    client_side = credentials("client.pem", "client.key");
    server_side = credentials("server.pem", "server.key");
    connect_ends();
}

static void bulk_work(long chunks)
{
    for (; chunks > 0; chunks--)
        move(&client, &server, size);
}

static void handshake_work(long times)
{
    for (; times > 0; times--) {
        gnutls_deinit(client.session);
        gnutls_deinit(server.session);
        connect_ends();
    }
}

static const struct command commands[] = {
    {.name = "bulk", .prepare = prepare, .work = bulk_work},
    {.name = "handshake", .prepare = prepare, .work = handshake_work},
    {0},
};

int main(int argc, char **argv)
{
    return meter_main(argc, argv, commands);
}
