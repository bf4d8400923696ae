/* A program's own time: included by one source of a test program, it stands before libc's for the program, the library
 * and the backend alike. Seconds are added to the wall clock and to the monotonic one. */
#ifndef TESTS_SUPPORT_CLOCK_H
#define TESTS_SUPPORT_CLOCK_H

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_shift;
static int64_t monotonic_shift;

#pragma GCC visibility push(default)
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int answer = (int)syscall(SYS_clock_gettime, clock, now);

    now->tv_sec += (time_t)(clock == CLOCK_MONOTONIC ? monotonic_shift : clock_shift);
    return answer;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
#pragma GCC visibility pop

#endif
