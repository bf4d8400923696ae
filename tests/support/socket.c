#include "socket.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

int64_t listener_at(const char *host, int32_t port)
{
    return a_handle(tlsshim_listener_new(host, (int32_t)strlen(host), port, 0));
}

int64_t connect_to(const char *host, int32_t port, int64_t context, int64_t timeout_ms)
{
    return tlsshim_stream_connect(host, (int32_t)strlen(host), port, context, timeout_ms);
}

void connected_streams_at(const char *host, int64_t client_context, int64_t server_context, int64_t *client,
                          int64_t *server)
{
    int64_t listener = listener_at(host, 0);

    *client = a_handle(connect_to(host, tlsshim_listener_port(listener), client_context, SOON));
    *server = a_handle(tlsshim_listener_accept(listener, server_context, SOON));
    ck_assert_ok(tlsshim_close(listener));
}

void connected_streams(int64_t client_context, int64_t server_context, int64_t *client, int64_t *server)
{
    connected_streams_at("localhost", client_context, server_context, client, server);
}

static int a_socket_on_loopback(int32_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

void tcp_pair(int fds[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int32_t port;
    int listening = a_socket_on_loopback(&port);

    at.sin_port = htons((uint16_t)port);
    ck_assert_int_eq(listen(listening, 1), 0);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fds[0], (struct sockaddr *)&at, sizeof at), 0);
    fds[1] = accept(listening, NULL, NULL);
    ck_assert_int_ge(fds[1], 0);
    close(listening);
}

int32_t silent_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int32_t port;
    int fd = a_socket_on_loopback(&port);

    ck_assert_int_eq(listen(fd, 0), 0);
    at.sin_port = htons((uint16_t)port);
    for (int i = 0; i < 4; i++) { /* one fills the queue; the rest make sure */
        int filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        (void)!connect(filler, (struct sockaddr *)&at, sizeof at);
    }
    return port;
}

int32_t dead_port(void)
{
    int32_t port;

    close(a_socket_on_loopback(&port));
    return port;
}

void send_text(int64_t stream, const char *text)
{
    ck_assert_int_eq(tlsshim_stream_write(stream, text, (int32_t)strlen(text), SOON), (int)strlen(text));
}

void expect_text(int64_t stream, const char *wanted)
{
    char text[64];
    int32_t got = tlsshim_stream_read(stream, text, sizeof text - 1, SOON);

    ck_assert_ok(got);
    text[got] = 0;
    ck_assert_str_eq(text, wanted);
}

void close_both(int64_t a, int64_t b)
{
    ck_assert_ok(tlsshim_close(a));
    ck_assert_ok(tlsshim_close(b));
}

static int descriptors_now(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* A resolver's thread of an earlier test may still be closing its own: the count that has been the same for a while. */
int count_descriptors(void)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    int count = descriptors_now();

    for (int same = 0, tries = 0; same < 10 && tries < 1000; tries++) {
        int before = count;

        nanosleep(&pause, NULL);
        count = descriptors_now();
        same = count == before ? same + 1 : 0;
    }
    return count;
}

int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The kernel's letter for what a thread of ours does; the command's name before it may hold anything. */
static char thread_state(const char *id)
{
    char path[64], line[512] = "";
    const char *name_end;
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", id);
    file = fopen(path, "r");
    if (file == NULL)
        return 'S'; /* it has ended */
    if (fgets(line, sizeof line, file) == NULL)
        line[0] = 0;
    fclose(file);
    name_end = strrchr(line, ')');
    return name_end == NULL ? 'S' : name_end[2];
}

static bool others_wait(void)
{
    DIR *folder = opendir("/proc/self/task");
    int busy = 0;

    if (folder == NULL)
        return true; /* a test that has used up its descriptors waits for the time alone */
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        busy += entry->d_name[0] != '.' && thread_state(entry->d_name) != 'S';
    closedir(folder);
    return busy <= 1; /* this one */
}

void let_others_wait(void)
{
    int64_t end = now_ms() + SOON;

    for (int seen = 0; seen < 10 && now_ms() < end;) {
        usleep(2000);
        seen = others_wait() ? seen + 1 : 0;
    }
}
