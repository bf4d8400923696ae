/* What is demanded of a peer, as a digest: a session resumes only under rules equal to its own.
 *
 * It holds no pointer and no handle, so every process with the same configuration computes the same value. */
#ifndef SHIM_TLS_POLICY_H
#define SHIM_TLS_POLICY_H

#include <openssl/types.h>

#include "setup.h"

struct conn;

/* The part that all connections of a setup share: role, trust, certificate mode, depth, flags, insecure switches,
 * level, and a client's own identity. */
int32_t policy_rules(const struct setup *setup, uint8_t out[DIGEST_SIZE]);
/* The rules of one connection: the above, the name that the peer must hold, and of a server the identity entry with
 * the names of its certificates, so that services which share ticket keys do not take each other's sessions. */
int32_t policy_conn_rules(const struct conn *conn, const struct sni_entry *entry, uint8_t out[DIGEST_SIZE]);

#endif
