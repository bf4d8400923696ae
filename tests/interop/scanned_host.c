/* A server with the defaults for the scanners to judge: any number of connections at once, until its input ends.
 *
 * scanned_host CERT KEY [CERT KEY...]   prints "port N"; the identities stand side by side */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tlsshim.h"

enum { SOON = 5000 };

static int64_t context, listener;

static int64_t must(int64_t result, const char *what)
{
    char text[1024];
    int32_t len;

    if (result >= 0)
        return result;
    len = tlsshim_error_text(result, text, sizeof text);
    fprintf(stderr, "%s: %.*s\n", what, len > 0 && len <= (int32_t)sizeof text ? len : 0, text);
    exit(2);
}

#define MUST(call) must((call), #call)

static void add_identity(const char *cert, const char *key)
{
    int64_t c = MUST(tlsshim_cert_load_file(cert, (int32_t)strlen(cert)));
    int64_t k = MUST(tlsshim_key_load_file(key, (int32_t)strlen(key), "", 0));

    MUST(tlsshim_context_add_identity(context, MUST(tlsshim_identity_new(c, k)), "", 0));
}

/* Echoes once and says goodbye. Scanners break off, send nonsense and fall silent: that is not worth a word here. */
static void *echo(void *argument)
{
    int64_t stream = *(int64_t *)argument;
    char data[4096];
    int32_t some;

    free(argument);
    some = tlsshim_stream_read(stream, data, sizeof data, SOON);
    if (some > 0)
        tlsshim_stream_write(stream, data, some, SOON);
    if (some >= 0)
        tlsshim_stream_shutdown(stream, SOON);
    tlsshim_close(stream);
    return NULL;
}

static void *serve(void *nothing)
{
    (void)nothing;
    for (;;) {
        int64_t *stream = malloc(sizeof *stream);
        pthread_t thread;

        if (stream == NULL)
            exit(2);
        while ((*stream = tlsshim_listener_accept(listener, context, SOON)) < 0)
            ;
        if (pthread_create(&thread, NULL, echo, stream) != 0)
            exit(2);
        pthread_detach(thread);
    }
    return NULL;
}

int main(int count, char **words)
{
    pthread_t thread;
    char byte;

    if (count < 3 || count % 2 == 0) {
        fprintf(stderr, "usage: scanned_host CERT KEY [CERT KEY...]\n");
        return 2;
    }
    context = MUST(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    for (int i = 1; i < count; i += 2)
        add_identity(words[i], words[i + 1]);
    listener = MUST(tlsshim_listener_new("127.0.0.1", 9, 0, 0));
    printf("port %d\n", tlsshim_listener_port(listener));
    fflush(stdout);
    if (pthread_create(&thread, NULL, serve, NULL) != 0)
        return 2;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    _exit(0);
}
