#include "worker.h"

#include <stdlib.h>

#include "socket.h"
#include "support.h"

void fill_bulk(char bulk[BULK])
{
    for (size_t i = 0; i < BULK; i++)
        bulk[i] = (char)(i * 31 + (i >> 9));
}

void *echo(void *argument)
{
    struct worker *w = argument;
    char *room = malloc(50000);
    int32_t got;

    while ((got = tlsshim_stream_read(w->stream, room, 50000, SOON)) > 0) {
        if (tlsshim_stream_write(w->stream, room, got, SOON) != got)
            break;
    }
    w->result = got == 0 ? tlsshim_stream_shutdown(w->stream, SOON) : got;
    free(room);
    return NULL;
}

void *write_all(void *argument)
{
    struct worker *w = argument;
    int32_t taken = tlsshim_stream_write(w->stream, w->data, w->len, SOON);

    w->result = taken == w->len ? tlsshim_stream_shutdown(w->stream, SOON) : taken;
    return NULL;
}

void *read_all(void *argument)
{
    struct worker *w = argument;
    int32_t got;

    w->len = 0;
    while ((got = tlsshim_stream_read(w->stream, w->data + w->len, BULK + 1 - w->len, SOON)) > 0)
        w->len += got;
    w->result = got;
    return NULL;
}

void *read_once(void *argument)
{
    struct worker *w = argument;
    char byte;

    w->result = tlsshim_stream_read(w->stream, &byte, 1, SOON);
    return NULL;
}

void *handshake_once(void *argument)
{
    struct worker *w = argument;

    w->result = tlsshim_stream_handshake(w->stream, SOON);
    return NULL;
}

void start(struct worker *w, void *(*job)(void *), int64_t stream, char *data, int32_t len)
{
    *w = (struct worker){.stream = stream, .data = data, .len = len};
    ck_assert_int_eq(pthread_create(&w->thread, NULL, job, w), 0);
}

int32_t finish(struct worker *w)
{
    pthread_join(w->thread, NULL);
    return w->result;
}
