/* Fuzz targets. A target is one file, tests/fuzz/NAME_target.c, that defines fuzz(); its seeds are the files in
 * tests/fuzz/corpus/NAME. `make check` replays the seeds, `make fuzz` lets libFuzzer go on from them. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "tlsshim.h"

/* What every fuzz() may use. */
enum { FUZZ_ROOM = 1 << 17 };
extern uint8_t fuzz_room[FUZZ_ROOM];

/* Tries one input. Handles that it leaves open, and results that no input may cause, are findings. */
void fuzz(const uint8_t *data, size_t len);

/* Gives the result back; stops the program if it is E_INTERNAL or E_HANDLE. */
int64_t fuzz_result(int64_t result);
/* For the target's own fixtures: stops the program with the error's text. */
int64_t fuzz_must(int64_t result);
/* Stops the program with the promise that was broken. */
_Noreturn void fuzz_broken(const char *promise);
/* Where FUZZ_SEEDS names a folder, a seed that the target has made itself is written there. */
void fuzz_seed(const char *name, const void *data, size_t len);
/* Closes what is a handle. */
void fuzz_close(int64_t handle);

/* A trust set, identities that it verifies (the server is "www.test"), and contexts that use them, of both versions.
 * Made once a process; the clients' is a root's identity. */
struct fuzz_stage {
    int64_t ca, trust, server_identity, client_identity;
    int64_t client, server;
};
const struct fuzz_stage *fuzz_stage(void);
int64_t fuzz_context(int32_t role, int32_t version);

/* Drains and feeds between two connections until nothing moves; 1 = both handshakes are complete. */
int fuzz_connect(int64_t client, int64_t server);
/* Connects the two anew, lets the server write and the client read; gives the session that came, if one did. */
int64_t fuzz_session(int64_t client_context, int64_t server_context);
/* Drives a connection as a host would until it wants bytes or has failed; what it writes is dropped. */
void fuzz_drive(int64_t conn);

#endif
