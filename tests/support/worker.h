/* Threads that each do one job on a stream. */
#ifndef TESTS_SUPPORT_WORKER_H
#define TESTS_SUPPORT_WORKER_H

#include <pthread.h>
#include <stdint.h>

enum { BULK = 1 << 20 };

struct worker {
    pthread_t thread;
    int64_t stream;
    char *data;
    int32_t len;
    int32_t result; /* of the last call */
};

void start(struct worker *worker, void *(*job)(void *), int64_t stream, char *data, int32_t len);
/* Waits for the thread; gives the result. */
int32_t finish(struct worker *worker);

/* The jobs. Echo, write_all and read_all go on to the end; then echo and write_all say goodbye. */
void *echo(void *worker);
void *write_all(void *worker);
void *read_all(void *worker);
void *read_once(void *worker);
void *handshake_once(void *worker);

/* Bytes that differ from their neighbours. */
void fill_bulk(char bulk[BULK]);

#endif
