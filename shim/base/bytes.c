#include "bytes.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

int32_t bytes_in_or_why(const void *data, int32_t len, int32_t limit, const char *what, struct bytes *in)
{
    static const uint8_t empty[1];

    if (len < 0)
        return error_new(TLSSHIM_E_ARGUMENT, "%s has a negative length (%d)", what, len);
    if (len > limit)
        return error_new(TLSSHIM_E_LIMIT, "%s is %d bytes long, the limit is %d", what, len, limit);
    if (len > 0 && data == NULL)
        return error_new(TLSSHIM_E_ARGUMENT, "%s is NULL with length %d", what, len);
    in->data = len > 0 ? data : empty;
    in->len = (size_t)len;
    return TLSSHIM_OK;
}

int32_t path_in(const void *data, int32_t len, const char *what, struct bytes *in)
{
    int32_t result = bytes_in(data, len, PATH_LIMIT, what, in);

    if (result < 0)
        return result;
    if (in->len == 0)
        return error_new(TLSSHIM_E_ARGUMENT, "%s is empty", what);
    if (memchr(in->data, 0, in->len) != NULL)
        return error_new(TLSSHIM_E_ARGUMENT, "%s contains a NUL byte", what);
    return TLSSHIM_OK;
}

/* What one character comes to when written into a text. */
struct escaped {
    char text[16];
    size_t len;
};

static size_t utf8_step(const uint8_t *s, size_t len, uint32_t *character)
{
    size_t more;
    uint32_t least;
    uint32_t point;

    if (s[0] < 0x80) {
        *character = s[0];
        return 1;
    }
    if ((s[0] & 0xe0) == 0xc0) {
        more = 1, least = 0x80, point = s[0] & 0x1fU;
    } else if ((s[0] & 0xf0) == 0xe0) {
        more = 2, least = 0x800, point = s[0] & 0x0fU;
    } else if ((s[0] & 0xf8) == 0xf0) {
        more = 3, least = 0x10000, point = s[0] & 0x07U;
    } else {
        return 0;
    }
    if (len <= more)
        return 0;
    for (size_t i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (s[i] & 0x3fU);
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    *character = point;
    return more + 1;
}

size_t bytes_utf8_step(const uint8_t *s, size_t len)
{
    uint32_t character;

    return utf8_step(s, len, &character);
}

/* Characters that move a terminal's cursor, break the line or turn the direction of what follows. */
static bool unfit_for_a_line(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x2028 || character == 0x2029 ||
           (character >= 0x202a && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
}

/* Writes the next character, or its bytes as \xNN if it is unfit or no UTF-8; gives how many bytes it was. */
static size_t escape_step(const uint8_t *s, size_t len, bool backslash_too, struct escaped *escaped)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t character = 0;
    size_t step = utf8_step(s, len, &character);
    size_t bad = step == 0 ? 1 : step;

    escaped->len = 0;
    if (step != 0 && !unfit_for_a_line(character) && !(backslash_too && character == '\\')) {
        memcpy(escaped->text, s, step);
        escaped->len = step;
        return step;
    }
    for (size_t i = 0; i < bad; i++) {
        const char hex[4] = {'\\', 'x', digits[s[i] >> 4], digits[s[i] & 15]};

        memcpy(escaped->text + escaped->len, hex, sizeof hex);
        escaped->len += sizeof hex;
    }
    return bad;
}

void text_clean(char *out, size_t cap, const char *text)
{
    const uint8_t *s = (const uint8_t *)text;
    size_t end = strlen(text);
    size_t len = 0;
    struct escaped escaped;

    for (size_t at = 0; at < end;) {
        at += escape_step(s + at, end - at, false, &escaped);
        if (len + escaped.len >= cap)
            break;
        memcpy(out + len, escaped.text, escaped.len);
        len += escaped.len;
    }
    out[len] = 0;
}

int32_t text_in(const void *data, int32_t len, int32_t limit, const char *what, struct bytes *in)
{
    int32_t result = bytes_in(data, len, limit, what, in);
    uint32_t character;

    if (result < 0)
        return result;
    if (memchr(in->data, 0, in->len) != NULL)
        return error_new(TLSSHIM_E_ARGUMENT, "%s contains a NUL byte", what);
    for (size_t at = 0, step; at < in->len; at += step) {
        step = utf8_step(in->data + at, in->len - at, &character);
        if (step == 0)
            return error_new(TLSSHIM_E_ARGUMENT, "%s is not UTF-8 at byte %zu", what, at);
    }
    return TLSSHIM_OK;
}

int32_t bytes_out(void *buf, int32_t cap, const void *data, size_t len)
{
    if (cap < 0 || (cap > 0 && buf == NULL))
        return error_new(TLSSHIM_E_ARGUMENT, "the output buffer is %s", cap < 0 ? "of negative capacity" : "NULL");
    if (len > INT32_MAX)
        return error_new(TLSSHIM_E_LIMIT, "the value is %zu bytes long, more than any buffer", len);
    if (len <= (size_t)cap && len > 0)
        memcpy(buf, data, len);
    return (int32_t)len;
}

int32_t text_out(void *buf, int32_t cap, const char *text)
{
    return bytes_out(buf, cap, text, strlen(text));
}

bool bytes_equal_text(struct bytes bytes, const char *text)
{
    return strlen(text) == bytes.len && memcmp(bytes.data, text, bytes.len) == 0;
}

char *bytes_dup_text(struct bytes bytes)
{
    char *text = malloc(bytes.len + 1);

    if (text != NULL) {
        memcpy(text, bytes.data, bytes.len);
        text[bytes.len] = 0;
    }
    return text;
}

void bytes_wipe(void *data, size_t len)
{
    if (data != NULL)
        OPENSSL_cleanse(data, len);
}

static bool buffer_grow(struct buffer *buffer, size_t more)
{
    size_t cap = buffer->cap ? buffer->cap : 128;
    uint8_t *data;

    if (more > PTRDIFF_MAX / 2 || buffer->len > PTRDIFF_MAX / 2)
        buffer->failed = true;
    if (buffer->failed)
        return false;
    if (buffer->len + more <= buffer->cap)
        return true;
    while (cap < buffer->len + more)
        cap *= 2;
    data = malloc(cap);
    if (data == NULL) {
        buffer->failed = true;
        return false;
    }
    if (buffer->len > 0)
        memcpy(data, buffer->data, buffer->len);
    bytes_wipe(buffer->data, buffer->len);
    free(buffer->data);
    buffer->data = data;
    buffer->cap = cap;
    return true;
}

void buffer_add(struct buffer *buffer, const void *data, size_t len)
{
    if (len == 0 || !buffer_grow(buffer, len))
        return;
    memcpy(buffer->data + buffer->len, data, len);
    buffer->len += len;
}

void buffer_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 || !buffer_grow(buffer, (size_t)len + 1)) {
        buffer->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf((char *)buffer->data + buffer->len, (size_t)len + 1, format, args);
    va_end(args);
    buffer->len += (size_t)len;
}

void buffer_escaped(struct buffer *buffer, const void *data, size_t len, size_t most)
{
    const uint8_t *s = data;
    struct escaped escaped;

    for (size_t at = 0, step; at < len; at += step) {
        step = escape_step(s + at, len - at, true, &escaped);
        if (at + step > most) {
            buffer_text(buffer, "...");
            return;
        }
        buffer_add(buffer, escaped.text, escaped.len);
    }
}

void buffer_hex(struct buffer *buffer, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *s = data;

    for (size_t i = 0; i < len; i++) {
        char pair[2] = {digits[s[i] >> 4], digits[s[i] & 15]};

        buffer_add(buffer, pair, 2);
    }
}

int32_t buffer_out(struct buffer *buffer, void *buf, int32_t cap)
{
    int32_t result = buffer->failed ? TLSSHIM_E_MEMORY : bytes_out(buf, cap, buffer->data, buffer->len);

    buffer_free(buffer);
    return result;
}

void buffer_free(struct buffer *buffer)
{
    bytes_wipe(buffer->data, buffer->len);
    free(buffer->data);
    *buffer = (struct buffer){0};
}
