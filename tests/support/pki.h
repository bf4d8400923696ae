/* Keys, authorities and certificates for tests, made through the public functions. */
#ifndef TESTS_SUPPORT_PKI_H
#define TESTS_SUPPORT_PKI_H

#include <string.h>

#include "support/support.h"

#define NOW INT64_MIN
#define DAY 86400

/* A text as the pair that functions take. */
#define str(text) (text), (int32_t)strlen(text)

struct blob {
    uint8_t data[65536];
    int32_t len;
};

/* Calls a function with an out pair behind its arguments; what it gave is in the blob, its result is the value. */
#define blob_fill(blob, function, ...) ((blob)->len = function(__VA_ARGS__, (blob)->data, (int32_t)sizeof(blob)->data))
/* A blob as the pair that functions take. */
#define of_blob(blob) (blob)->data, (blob)->len
bool blob_holds(const struct blob *blob, const char *text);
bool blob_is(const struct blob *blob, const char *text);

struct authority {
    int64_t key;
    int64_t cert;
    int64_t identity;
};

int64_t a_key(const char *algorithm);
/* A CA below `above`, or a root. */
struct authority an_authority(const char *subject, int32_t path_length, const struct authority *above);
/* A template with names, commas between. */
int64_t a_template(const char *names);
/* A certificate for names below a CA, with a key of its own. */
int64_t a_leaf(const struct authority *ca, const char *names);
/* A trust with the certificates of a handle. */
int64_t a_trust(int64_t cert);
int64_t the_time(void);

/* The full text of an error is asked for a part of it. */
bool error_says(int64_t result, const char *part);

#endif
