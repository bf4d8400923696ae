/* The only room that touches the backend's global state: private library context, error queue, fork epoch, exit. */
#ifndef SHIM_BASE_BACKEND_H
#define SHIM_BASE_BACKEND_H

#include <openssl/types.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct host_errors;

/* One stay inside the backend: what must be put back when leaving. */
struct visit {
    OSSL_LIB_CTX *host_context;
    struct host_errors *host_errors;
    atomic_int *inside;
    int cancel_state;
    bool uncancelled; /* cancellation is off */
    bool deep;        /* our context is the default, and errors are ours to clear away */
};

/* Enters: cancellation off, our library context as the thread's default, the host's errors moved aside. Starts the
 * backend when first called. E_STATE once the process is exiting, E_FORKED in a child whose fork caught somebody
 * inside for too long (gate.h), E_UNSUPPORTED with text if the backend cannot be used. Never held across a wait: a fork
 * and an exit wait for it to end. Visits nest. */
int32_t visit_enter(struct visit *visit) MUST_USE;
void visit_leave(struct visit *visit);

/* How much of that a step needs. What only moves application data through keys in place looks nothing up in the default
 * context and leaves no errors, as long as it succeeds: such a visit is light. If moreover it is all between memory and
 * memory it meets no point at which a thread could be cancelled: then it is a quick one. Who sees another step coming,
 * or a failure, deepens the visit first. */
enum visit_depth { VISIT_QUICK, VISIT_LIGHT, VISIT_DEEP };

/* Enters if that takes no wait. */
bool visit_try(struct visit *visit, enum visit_depth depth) MUST_USE;
void visit_deepen(struct visit *visit);

/* On a thread of our own, which works for callers inside: makes our library context its default for good. */
void backend_adopt_thread(void);

/* Inside a visit: the private library context. It reads the public keys of certificates fast and no other keys. */
OSSL_LIB_CTX *backend_context(void);
/* Inside a visit: the private context that reads every kind of key, slowly: private keys, and unusual public ones. */
OSSL_LIB_CTX *backend_whole(void);
/* Starts the backend with a configuration file for that context: E_FROZEN once it has started. */
int32_t backend_configure(const char *path);

/* Inside a visit: turns the backend's first error into a record and empties the queue. The sentence is followed by
 * ": " and the backend's reason; out of memory becomes a bare E_MEMORY. */
int32_t error_backend(int32_t code, const char *format, ...) FORMAT_LIKE_PRINTF(2, 3);
/* The same into a detail (library, reason, reason_text) without publishing. True if that is out of memory. */
bool error_from_backend(struct error_detail *detail);
/* True of a backend's error that comes of nothing but the lack of memory. */
bool error_of_memory(unsigned long code);
/* Inside a visit: empties the queue, after a failure that is none for us. */
void error_forget_backend(void);

/* Inside a visit: makes a context with old, weak ciphers the thread's default, until left: E_UNSUPPORTED. */
struct legacy_visit {
    OSSL_LIB_CTX *before;
};
int32_t legacy_enter(struct legacy_visit *visit) MUST_USE;
void legacy_leave(const struct legacy_visit *visit);

/* True from the moment at which the process began to exit. */
bool backend_exiting(void);
/* Inside a visit, after a failure: E_STATE if it came of the exit. The backend declares itself stopped, which makes the
 * calls inside it fail, before it lets us know. */
int32_t backend_stopped(void);

#endif
