/* The algorithms that a provider of the backend has (provider(7)). */
#ifndef SHIM_BASE_ALGORITHM_H
#define SHIM_BASE_ALGORITHM_H

#include <openssl/core.h>
#include <stdbool.h>

/* True if it goes by this name, of those that its provider gives as NAME:ALIAS:OID. */
bool algorithm_named(const OSSL_ALGORITHM *algorithm, const char *name);

#endif
