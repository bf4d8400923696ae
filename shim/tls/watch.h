/* What passes, seen from the outside: records, but those of the sealer, handshake messages, and the alerts that tell a
 * goodbye from an end. */
#ifndef SHIM_TLS_WATCH_H
#define SHIM_TLS_WATCH_H

struct conn;

/* On the connection's SSL. */
void watch_install(struct conn *conn);

#endif
