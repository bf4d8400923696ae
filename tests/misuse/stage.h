/* What calls are made with: live and stale handles of every kind, plausible inputs, memory at its limits. */
#ifndef TESTS_MISUSE_STAGE_H
#define TESTS_MISUSE_STAGE_H

#include <stddef.h>
#include <stdint.h>

#include "table.h"

struct sample {
    const void *data;
    int32_t length;
    enum content content;
    const char *parameter; /* what it is meant for, or NULL */
};

/* Beyond the kinds: the other ends of the connection and of the stream, and an identity that may issue. */
enum { PEER = KINDS, PEER_STREAM, AUTHORITY, HANDLES };

struct stage {
    int64_t live[HANDLES];  /* one open handle of each kind that can be made here; 0 = none */
    int64_t stale[HANDLES]; /* one that was open, of the same kinds */
    int64_t before;         /* tlsshim_live(0) at the start */
};

/* Inputs of every sort, made once a process. */
const struct sample *stage_samples(int *count);
/* What a well-meaning caller would give for a parameter of this name. */
struct sample stage_input(const struct parameter *parameter);
int64_t stage_number(const struct parameter *parameter);

/* Opens handles; aborts with the error's text if a fixture cannot be made. */
void stage_open(struct stage *stage);
/* Closes what stage_open has opened; the count of handles that are open beyond what was before. */
int64_t stage_close(struct stage *stage);

/* A socket that stays ours. */
int64_t lent_socket(void);

/* A page that must not be read, and 2 GiB that may be read and written but are backed by nothing. */
void *forbidden_memory(void);
void *vast_memory(void);

#endif
