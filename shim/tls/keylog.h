/* Key logs: the secrets of connections, for those who watch their own traffic. */
#ifndef SHIM_TLS_KEYLOG_H
#define SHIM_TLS_KEYLOG_H

#include <stdint.h>

#include "../base/bytes.h"

/* A file that lines are appended to; shared by contexts, their copies and their connections. */
struct keylog;
struct setup;

/* Opens or makes the file: E_SYSTEM, E_ARGUMENT. */
int32_t keylog_open(struct bytes path, struct keylog **keylog) MUST_USE;
/* NULL is allowed by both. */
struct keylog *keylog_ref(struct keylog *keylog);
void keylog_drop(struct keylog *keylog);
/* Sets the callback that takes the lines, if a file or the host wants them. */
void keylog_install(const struct setup *setup);

#endif
