/* libtls (libretls, over OpenSSL): messages over a socketpair, as many as the kernel holds, then all are read. */
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <tls.h>

#include "../meter.h"

enum { IN_FLIGHT = 32768, IN_ROW = 128, MOST = 16384 };

static char message[MOST], back[MOST];
static struct tls *client, *server;
static long size;

static struct tls_config *config_new(void)
{
    struct tls_config *config = tls_config_new();

    if (config == NULL)
        die("no memory for a configuration");
    return config;
}

static void configure(struct tls *end, struct tls_config *config)
{
    if (tls_configure(end, config) != 0)
        die("%s", tls_error(end));
    tls_config_free(config);
}

static struct tls *listener_new(void)
{
    struct tls_config *config = config_new();
    struct tls *listener = tls_server();

    if (tls_config_set_keypair_file(config, certs_file("server.pem"), certs_file("server.key")) != 0)
        die("%s", tls_config_error(config));
    configure(listener, config);
    return listener;
}

static bool step(struct tls *end)
{
    int answer = tls_handshake(end);

    if (answer == -1)
        die("%s", tls_error(end));
    return answer == 0;
}

static void write_message(struct tls *end)
{
    ssize_t sent;

    for (long done = 0; done<size; done += sent> 0 ? sent : 0) {
        sent = tls_write(end, message + done, (size_t)(size - done));
        if (sent == -1)
            die("%s", tls_error(end));
    }
}

static void read_bytes(struct tls *end, long len)
{
    ssize_t got;

    for (long have = 0; have<len; have += got> 0 ? got : 0) {
        got = tls_read(end, back, sizeof back);
        if (got == -1 || got == 0)
            die("%s", tls_error(end));
    }
}

static void sockets_prepare(void)
{
    struct tls_config *config = config_new();
    int fds[2];
    bool one = false, other = false;

    size = option_number("size", 1024);
    if (size <= 0 || size > MOST)
        die("size is 1 to 16384");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
        die("no socketpair");
    client = tls_client();
    if (tls_config_set_ca_file(config, certs_file("ca.pem")) != 0)
        die("%s", tls_config_error(config));
    configure(client, config);
    if (tls_connect_socket(client, fds[0], "localhost") != 0 || tls_accept_socket(listener_new(), &server, fds[1]) != 0)
        die("no connection");
    while (!one || !other) {
        one = one || step(client);
        other = other || step(server);
    }
    write_message(server);
    read_bytes(client, size);
}

static void sockets_work(long messages)
{
    long most = IN_FLIGHT / size < IN_ROW ? IN_FLIGHT / size : IN_ROW;

    while (messages > 0) {
        long turn = messages < most ? messages : most;

        for (long i = 0; i < turn; i++)
            write_message(client);
        read_bytes(server, turn * size);
        messages -= turn;
    }
}

static const struct command commands[] = {{.name = "sockets", .prepare = sockets_prepare, .work = sockets_work}, {0}};

int main(int argc, char **argv)
{
    return meter_main(argc, argv, commands);
}
