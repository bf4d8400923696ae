/* Two connections that talk to each other, pumped by one thread. */
#ifndef TESTS_SUPPORT_PAIR_H
#define TESTS_SUPPORT_PAIR_H

#include <stddef.h>

#include "certs.h"
#include "support.h"

/* Every flow is tried over these. Room is what a pipe holds a direction; 0 = a socket pair with the kernel's room. */
struct way {
    int32_t version;
    int32_t room;
};
extern const struct way ways[];
enum { WAYS = 8, PIPE_MOST = 17000 };

struct pipe {
    uint8_t data[PIPE_MOST];
    int32_t len;
    int64_t passed; /* bytes that went in */
    int in, out;    /* sockets, or -1 */
};

struct pair {
    int64_t client, server;
    int32_t client_result, server_result; /* of the last step of each; errors stay */
    int32_t room;
    struct pipe up, down; /* client to server, server to client */
};

/* Closed when the test ends. */
int64_t keep(int64_t handle);
/* For tcase_add_checked_fixture: the second closes what was kept and fails if a handle is left open. */
void keep_begin(void);
void keep_end(void);

/* Contexts that are kept, with a client's trust and identity (0 = none) or a server's identity and clients' trust
 * (0 = none, else they are asked in this mode); version 0 = the default range. */
int64_t client_context(int32_t version, int64_t trust, int64_t identity);
int64_t server_context(int32_t version, int64_t identity, int64_t trust, int32_t mode);
void set_alpn(int64_t context, const char *list, int32_t mode);

/* Two new connections, kept; the client's peer name is "www.test". */
struct pair *pair_new(int64_t client_context, int64_t server_context, int32_t room);
struct pair *pair_named(int64_t client_context, int64_t server_context, int32_t room, const char *name);
/* The default pair over a way: EC, no client certificate, connected. */
struct pair *pair_connected(struct way way);

/* Moves what can be moved between the two; true if anything moved. */
bool pair_move(struct pair *pair);
/* Handshakes until nothing moves any more; the results say how it ended. Checks rule 1 of the engine at each step. */
void pair_handshake(struct pair *pair);
/* The same, with somebody who answers each event; NULL leaves them open. */
void pair_handshake_asked(struct pair *pair, void (*answer)(int64_t conn, int32_t event));
/* The same; both must succeed. */
void pair_connect(struct pair *pair);
/* Writes all, moves it, and reads all at the other end, which must be the same. */
void pair_send(struct pair *pair, bool from_client, const void *data, int32_t len);
/* Moves until nothing moves. */
void pair_settle(struct pair *pair);
/* Moves, then reads once. */
int32_t pair_read(struct pair *pair, bool by_client, void *data, int32_t cap);

int64_t number_of(int64_t conn, int32_t field);
/* A text, good until the fourth next call; "" for NONE. */
const char *text_of(int64_t conn, int32_t field);
const char *error_text_of(int64_t result);
int64_t error_number_of(int64_t result, int32_t field);

#endif
