/* A file's bytes over a stream: by the kernel alone where it can do that without waiting and nobody encrypts between,
 * else through a buffer. Never through a mapping: a file that somebody cuts short would end the process. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/error.h"
#include "job.h"

enum {
    KERNEL_PIECE = 1 << 18, /* between two looks at the clock */
    BUFFER_SIZE = 1 << 16   /* four records */
};

struct sending {
    struct job job; /* first: job.go is given that */
    int fd;
    int64_t at;
    int64_t left;
    int64_t done;
    uint8_t *buffer;
    int32_t have; /* bytes of the buffer that were read, and of them were taken */
    int32_t taken;
};

static struct timespec no_time;

/* sendfile(2) has no MSG_NOSIGNAL. The signal of a closed connection is for the thread that sends, so it is kept from
 * that thread and taken away again, unless one was there before: no handler is touched or run. */
static ssize_t sendfile_quietly(int out, int in, off_t *at, size_t len)
{
    sigset_t broken, before, waiting;
    bool pending;
    ssize_t sent;
    int error;

    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    sigpending(&waiting);
    pending = sigismember(&waiting, SIGPIPE) == 1;
    sent = sendfile(out, in, at, len);
    error = errno;
    if (sent < 0 && error == EPIPE && !pending)
        while (sigtimedwait(&broken, NULL, &no_time) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return sent;
}

/* The kernel would wait for a socket in blocking mode, as it may for hosts that keep theirs so. */
static bool never_blocks(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

/* No more than the file has: asked for more than there is, kernels before 6.5 hold back its end, as if more followed.
 */
static size_t kernel_piece_len(const struct sending *sending)
{
    int64_t len = sending->left < KERNEL_PIECE ? sending->left : KERNEL_PIECE;
    struct stat about;

    if (fstat(sending->fd, &about) == 0 && about.st_size > sending->at && about.st_size - sending->at < len)
        len = about.st_size - sending->at;
    return (size_t)len;
}

/* The count sent, 0 at the end of the file, WANT_DRAIN or an error; NONE where the kernel cannot do it, or does not say
 * which of the two descriptors it blames. */
static int32_t kernel_piece(struct stream *s, struct sending *sending)
{
    size_t len = kernel_piece_len(sending);
    int32_t result;

    if (s->conn != 0 || s->ended || !never_blocks(s->fd))
        return TLSSHIM_NONE;
    do {
        off_t at = (off_t)sending->at;
        ssize_t sent = sendfile_quietly(s->fd, sending->fd, &at, len);

        if (sent >= 0)
            return (int32_t)sent;
        switch (errno) {
        case EBADF:
        case EINVAL:
        case EIO:
        case EISDIR:
        case ENOSYS:
        case EOPNOTSUPP:
        case EOVERFLOW:
        case ESPIPE:
            return TLSSHIM_NONE;
        default:
            result = plain_failure(errno, "sending fails");
        }
    } while (result == TLSSHIM_OK);
    return result == TLSSHIM_WANT_FEED ? TLSSHIM_WANT_DRAIN : result;
}

static int32_t read_piece(struct sending *sending)
{
    size_t len = sending->left < BUFFER_SIZE ? (size_t)sending->left : BUFFER_SIZE;
    ssize_t got;

    if (sending->buffer == NULL)
        sending->buffer = malloc(BUFFER_SIZE);
    if (sending->buffer == NULL)
        return TLSSHIM_E_MEMORY;
    do
        got = pread(sending->fd, sending->buffer, len, (off_t)sending->at);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == ESPIPE)
        return error_system_as(TLSSHIM_E_ARGUMENT, errno,
                               "descriptor %d is a pipe, socket or terminal, which cannot "
                               "be read at an offset: read it and write",
                               sending->fd);
    if (got < 0)
        return error_system(errno, "reading descriptor %d fails", sending->fd);
    sending->have = (int32_t)got;
    sending->taken = 0;
    return TLSSHIM_OK;
}

/* The count taken, 0 at the end of the file, a WANT result or an error. */
static int32_t buffer_piece(struct stream *s, struct sending *sending)
{
    const uint8_t *data;
    int32_t len, result = TLSSHIM_OK;

    if (sending->taken == sending->have)
        result = read_piece(sending);
    len = sending->have - sending->taken;
    if (result < 0 || len == 0)
        return result;
    data = sending->buffer + sending->taken;
    result = s->conn != 0 ? tlsshim_conn_write(s->conn, data, len) : plain_write(s, data, len);
    sending->taken += result > 0 ? result : 0;
    return result;
}

static int32_t go_sendfile(struct stream *s, struct job *job)
{
    struct sending *sending = (struct sending *)job;
    int32_t result;

    while (sending->left > 0) {
        result = sending->taken < sending->have ? TLSSHIM_NONE : kernel_piece(s, sending);
        if (result == TLSSHIM_NONE)
            result = buffer_piece(s, sending);
        if (result <= 0)
            return result;
        sending->at += result;
        sending->left -= result;
        sending->done += result;
        if (!job->call->patient) /* a loop that serves others has a turn to give them */
            return TLSSHIM_OK;
        result = sending->left > 0 ? call_goes_on(job->call) : TLSSHIM_OK;
        if (result < 0)
            return result;
    }
    return TLSSHIM_OK;
}

static int32_t range_in(int64_t fd, int64_t offset, int64_t count)
{
    if (fd < 0 || fd > INT_MAX)
        return error_new(TLSSHIM_E_ARGUMENT, "fd is %lld: no descriptor", (long long)fd);
    if (offset < 0)
        return error_new(TLSSHIM_E_ARGUMENT, "offset is %lld: a file begins at 0", (long long)offset);
    if (count < 0)
        return error_new(TLSSHIM_E_ARGUMENT, "count is %lld: for all that is left give more than there can be",
                         (long long)count);
    return TLSSHIM_OK;
}

static void free_buffer(void *sending)
{
    free(((struct sending *)sending)->buffer);
}

int64_t tlsshim_stream_sendfile(int64_t stream, int64_t fd, int64_t offset, int64_t count, int64_t timeout_ms)
{
    struct sending sending = {.job = {.go = go_sendfile, .side = STREAM_OUT}, .at = offset};
    int32_t result = range_in(fd, offset, count);

    if (result < 0)
        return result;
    sending.fd = (int)fd;
    sending.left = count < INT64_MAX - offset ? count : INT64_MAX - offset;
    pthread_cleanup_push(free_buffer, &sending);
    result = job_run(stream, &sending.job, timeout_ms);
    pthread_cleanup_pop(1);
    return job_outcome(sending.done, result);
}
