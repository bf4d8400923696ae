/* Events: what the backend does by callback becomes a question that holds the handshake until the host has answered.
 *
 * Hello, certificate and the client's verification are steps that the backend repeats; a server's verification and
 * signatures wait on a helper (base/helper.h). Sessions and key-log lines hold nothing up: they are noted, and told. */
#ifndef SHIM_TLS_EVENT_H
#define SHIM_TLS_EVENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/bytes.h"
#include "tlsshim.h"

struct conn;
struct note;

/* Of a connection whose context has any on. */
struct events {
    int32_t open; /* the one that holds the handshake, 0 = none */
    bool answered;
    int32_t refusal;         /* the alert, 0 = it goes on */
    bool hello_over;         /* once a connection, whatever hellos follow */
    struct context *context; /* to go on under, or NULL */
    struct buffer versions, ciphers, groups, signatures, ca_names;
    struct helper *helper; /* holds a parked step, or NULL */
    struct note *first, *last;
    int32_t note_count;
};

/* NULL without memory. */
struct events *events_new(void);
/* What is parked gives up. NULL is allowed. */
void events_free(struct events *events);

/* True if the context of the connection has this event on. */
bool event_on(const struct conn *conn, int32_t event);
/* The event that waits for the host, or 0. */
int32_t event_waiting(const struct conn *conn);

enum answer { ANSWER_NONE, ANSWER_GO, ANSWER_REFUSE };
/* Opens the event at the first call: ANSWER_NONE, until the host has answered; the answer ends it. */
enum answer event_ask(struct conn *conn, int32_t event);
/* The result of a refusal by the host. */
int32_t event_refused(const struct conn *conn, const char *what);
/* The operation that waits for a signature, or NULL. */
struct sign_request *event_sign_request(const struct conn *conn);
/* The key-log line that waits to be told. */
const char *event_line(const struct conn *conn);
/* Tells of a session (no line) or a key-log line. Without memory, or beyond what is kept, it is lost. */
void event_note(struct conn *conn, int32_t event, const char *line);

/* Runs a step that may park: OK with its result, which is WANT_EVENT if it has; else it could not begin, and may be
 * tried again. */
int32_t event_step(struct conn *conn, int32_t (*step)(void *conn), int32_t *result);
/* True while a step is parked: nobody else may touch the SSL's state then. */
bool event_parked(const struct conn *conn);
/* A step that is parked gives up. */
void event_abandon(struct conn *conn);

/* Keeps what the client's hello says, for HELLO and later; of a client, what the server's request says. */
void event_read_hello(struct conn *conn, SSL *ssl);
void event_read_request(struct conn *conn, SSL *ssl);

#endif
