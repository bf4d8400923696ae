/* What is set for one connection, most of it before its handshake: names, protocols, the mark of a fallback. */
#ifndef SHIM_TLS_CONN_SETTINGS_H
#define SHIM_TLS_CONN_SETTINGS_H

#include "../base/bytes.h"

struct conn;

enum { NAME_MOST = 255 };

/* The peer's name, unless it is empty, and the context's protocols. */
int32_t conn_settings_init(struct conn *conn, struct bytes peer_name) MUST_USE;
/* The protocols in force. */
struct bytes conn_alpn(const struct conn *conn, int32_t *mode);

#endif
