/* The names and general texts of result codes and alerts. */
#ifndef SHIM_BASE_CODE_H
#define SHIM_BASE_CODE_H

#include <stdint.h>

#include "tlsshim.h"

/* The code of a result without its record; 0 if it is not negative. */
int32_t code_bare(int64_t result);
/* What a code means in general; NULL if it is none of ours. */
const char *code_text(int64_t result);
/* The name of a TLS alert (RFC 8446 section 6): "handshake_failure". */
const char *code_alert_name(int32_t alert);

#endif
