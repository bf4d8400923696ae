/* Key logs: the secrets of connections, for those who watch their own traffic. */
#ifndef SHIM_TLS_KEYLOG_H
#define SHIM_TLS_KEYLOG_H

#include <openssl/types.h>
#include <stdint.h>

#include "../base/bytes.h"

/* A file that lines are appended to; shared by contexts, their copies and their connections. */
struct keylog;

/* Opens or makes the file: E_SYSTEM, E_ARGUMENT. */
int32_t keylog_open(struct bytes path, struct keylog **keylog) MUST_USE;
/* NULL is allowed by both. */
struct keylog *keylog_ref(struct keylog *keylog);
void keylog_drop(struct keylog *keylog);
/* From now on the connections of this SSL_CTX tell their lines (on_line in keylog.c); each looks up its own log. */
void keylog_install(SSL_CTX *ctx);

#endif
