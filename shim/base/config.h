/* Reading an openssl.cnf for the private library context. */
#ifndef SHIM_BASE_CONFIG_H
#define SHIM_BASE_CONFIG_H

#include <openssl/types.h>
#include <stdint.h>

/* Inside a visit or the start: applies the file to this context and to nothing else. E_FORMAT, E_SYSTEM. */
int32_t config_load(OSSL_LIB_CTX *context, const char *path);

#endif
