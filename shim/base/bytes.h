/* Ranges of bytes in and out, growing buffers, wiping. */
#ifndef SHIM_BASE_BYTES_H
#define SHIM_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

/* An input range, borrowed for the call; data is never NULL. */
struct bytes {
    const uint8_t *data;
    size_t len;
};

/* Checks a (data, data_len) pair. `what` names it in the error: E_ARGUMENT (negative, NULL with a length),
 * E_LIMIT (above limit). */
int32_t bytes_in_or_why(const void *data, int32_t len, int32_t limit, const char *what, struct bytes *in);
static inline int32_t bytes_in(const void *data, int32_t len, int32_t limit, const char *what, struct bytes *in)
{
    if (len <= 0 || len > limit || data == NULL)
        return bytes_in_or_why(data, len, limit, what, in);
    *in = (struct bytes){data, (size_t)len};
    return 0;
}
/* The same for text: UTF-8, and no embedded NUL. */
int32_t text_in(const void *data, int32_t len, int32_t limit, const char *what, struct bytes *in);
/* The same for a path: any bytes but NUL. */
int32_t path_in(const void *data, int32_t len, const char *what, struct bytes *in);
enum { PATH_LIMIT = 4095 };

/* Checks an out pair and copies a whole value into it: its full length, E_ARGUMENT, E_LIMIT. */
int32_t bytes_out(void *buf, int32_t cap, const void *data, size_t len);
/* The same for a C string without its end. */
int32_t text_out(void *buf, int32_t cap, const char *text);
/* True if the pair is a room for at least `least` bytes: capacity not below it, not NULL. */
static inline bool bytes_room(const void *buf, int32_t cap, int32_t least)
{
    return cap >= least && (buf != NULL || cap == 0);
}

/* Copies a sentence so that it is one line of UTF-8, whatever was put into it: the rest as \xNN; cut at whole
 * characters. */
void text_clean(char *out, size_t cap, const char *text);
bool bytes_equal_text(struct bytes bytes, const char *text);
/* A C string copy that the caller frees; NULL without memory. */
char *bytes_dup_text(struct bytes bytes);
/* The length of the UTF-8 sequence at `s`, 0 if there is no valid one within `len` bytes (RFC 3629). */
size_t bytes_utf8_step(const uint8_t *s, size_t len);
void bytes_wipe(void *data, size_t len);

/* A growing buffer. A failed growth latches `failed`, so that a writer checks once at the end. */
struct buffer {
    uint8_t *data;
    size_t len;
    size_t cap;
    bool failed;
};

void buffer_add(struct buffer *buffer, const void *data, size_t len);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_format(struct buffer *buffer, const char *format, ...) FORMAT_LIKE_PRINTF(2, 3);
/* Adds a peer's bytes as text: control and direction characters, bad UTF-8 and backslash as \xNN, whole characters of
 * at most `most` bytes. */
void buffer_escaped(struct buffer *buffer, const void *data, size_t len, size_t most);
void buffer_hex(struct buffer *buffer, const void *data, size_t len);
/* As bytes_out, or E_MEMORY if a growth failed; frees the buffer. */
int32_t buffer_out(struct buffer *buffer, void *buf, int32_t cap);
/* Wipes and frees. */
void buffer_free(struct buffer *buffer);

#endif
