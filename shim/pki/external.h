/* Private keys that are elsewhere: keys whose signatures are asked for, and brought later.
 *
 * The backend signs with such a key on a helper (base/helper.h). The operation parks there, with a struct sign_request
 * as its question, until whoever holds the private half has signed. */
#ifndef SHIM_PKI_EXTERNAL_H
#define SHIM_PKI_EXTERNAL_H

#include "manner.h"

struct sign_request {
    EVP_PKEY *public_half;
    struct manner manner;
    struct bytes message;
    uint8_t *signature; /* the answer goes here */
    size_t signature_cap;
    size_t signature_len; /* 0 = none */
};

/* Inside a visit: a key that stands for the private half of this public one. NULL with the backend's error. */
EVP_PKEY *external_key_new(EVP_PKEY *public_half);
/* Inside a visit: takes a signature, if it is one over the message: E_MISMATCH, E_MEMORY. */
int32_t sign_request_answer(struct sign_request *request, struct bytes signature);

#endif
