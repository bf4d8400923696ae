/* One call's job on a stream, tried until it no longer has to wait: what the calls of stream_io.c and sendfile.c are.
 */
#ifndef SHIM_NET_JOB_H
#define SHIM_NET_JOB_H

#include "stream.h"

struct job {
    int32_t (*go)(struct stream *stream, struct job *job); /* WANT_FEED polls for input, WANT_DRAIN for output */
    struct call *call;
    void *room;
    const uint8_t *data;
    int32_t len;
    int32_t done; /* bytes taken of data */
    int side;
    int64_t bytes_in; /* that the engine had received before the last wait */
};

int32_t job_run(int64_t stream, struct job *job, int64_t timeout_ms) MUST_USE;
/* What a call that takes bytes tells: those it took; what stopped the rest, the next call meets again. */
int64_t job_outcome(int64_t done, int32_t result);
/* A plain stream's bytes: the count taken, WANT_DRAIN or an error. */
int32_t plain_write(struct stream *stream, const void *data, int32_t len) MUST_USE;
/* What an errno of a plain stream's socket means: OK to try again, WANT_FEED to wait, or an error. */
int32_t plain_failure(int errno_value, const char *what) MUST_USE;

#endif
