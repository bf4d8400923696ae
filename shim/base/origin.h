/* Where the backend's symbols come from. */
#ifndef SHIM_BASE_ORIGIN_H
#define SHIM_BASE_ORIGIN_H

#include <stdint.h>

/* OK if they are one libssl and libcrypto that fit this build, else E_UNSUPPORTED with text. */
int32_t origin_check(void);

#endif
