/* The line protocol between bench/run and a measuring program: PROGRAM COMMAND key=value... is started once, reads
 * amounts of work from its input, does so much of it, and answers each with "CPU WALL": seconds of the whole process,
 * user and system, and seconds by the clock. Preparing (contexts, certificates, a first handshake) is not measured. */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdint.h>
#include <time.h>

struct command {
    const char *name;
    void (*prepare)(void);        /* may be NULL */
    void (*work)(long amount);    /* measured; or NULL */
    double (*value)(long amount); /* answers "VALUE VALUE" in place of times; or NULL */
};

int meter_main(int argc, char **argv, const struct command *commands);

/* Lets so many threads do the work, as much each, and waits for them. */
void in_threads(int count, void (*work)(long), long amount);
double now(clockid_t clock);

/* The values of key=value arguments, or what is said here. */
const char *option(const char *key, const char *otherwise);
long option_number(const char *key, long otherwise);
/* $BENCH_CERTS/name, in static memory: good until the eighth call after. */
const char *certs_file(const char *name);
/* A whole file of at most cap bytes. */
int32_t read_file(const char *path, void *data, int32_t cap);
/* Resident memory of this process in KiB. */
double resident(void);
/* Says why and ends: a program that cannot do its work must not give a time. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
