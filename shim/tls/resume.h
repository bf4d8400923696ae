/* Taking sessions up again: the caches and tickets of both roles, and when a session is too old. */
#ifndef SHIM_TLS_RESUME_H
#define SHIM_TLS_RESUME_H

#include <openssl/ssl.h>

#include "setup.h"

struct conn;

/* Sets the callbacks that note sessions, look them up, and write tickets. */
void resume_install(const struct setup *setup);
/* A client: offers what the automatic cache has for the peer, if it is on. */
void resume_offer(struct conn *conn);
/* A client: files a TLS 1.2 session that was renewed while it was resumed, of which the backend tells nobody. */
void resume_renewed(struct conn *conn);
/* A client: takes a session out of the automatic cache, since it is given to the host. */
void resume_uncache(const struct conn *conn, const SSL_SESSION *session);
/* The span of a session that this connection was given. */
struct session_span resume_span(const struct conn *conn, const SSL_SESSION *session);
/* Within its span, with some slack for a clock that was stepped back. */
bool resume_alive(struct session_span span, int64_t now);

#endif
