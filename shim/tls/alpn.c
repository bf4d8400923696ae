#include "alpn.h"

#include <string.h>

#include "../base/error.h"
#include "tlsshim.h"

int32_t alpn_in(const void *wire, int32_t wire_len, const char *what, struct bytes *list)
{
    int32_t result = bytes_in(wire, wire_len, ALPN_LIMIT, what, list);

    if (result < 0)
        return result;
    for (size_t at = 0; at < list->len; at += 1U + list->data[at]) {
        if (list->data[at] == 0)
            return error_new(TLSSHIM_E_FORMAT, "%s holds an empty protocol name at byte %zu", what, at);
        if (at + 1 + list->data[at] > list->len)
            return error_new(TLSSHIM_E_FORMAT, "%s ends within the protocol name at byte %zu", what, at);
    }
    return TLSSHIM_OK;
}

static bool step(struct bytes list, size_t *at, struct bytes *name)
{
    if (*at >= list.len)
        return false;
    name->data = list.data + *at + 1;
    name->len = list.data[*at];
    *at += 1 + name->len;
    return true;
}

bool alpn_select(struct bytes mine, struct bytes theirs, struct bytes *name)
{
    struct bytes other;

    for (size_t at = 0; step(mine, &at, name);)
        for (size_t there = 0; step(theirs, &there, &other);)
            if (name->len == other.len && memcmp(name->data, other.data, other.len) == 0)
                return true;
    return false;
}

void alpn_name_text(struct bytes name, struct buffer *text)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];

        if (c > 0x20 && c < 0x7f && c != ',' && c != '\\')
            buffer_add(text, &c, 1);
        else
            buffer_format(text, "\\x%02x", c);
    }
}

static int32_t encode(struct bytes text, struct buffer *wire)
{
    size_t start = 0;

    while (start < text.len) {
        const uint8_t *name = text.data + start;
        const uint8_t *comma = memchr(name, ',', text.len - start);
        size_t len = comma == NULL ? text.len - start : (size_t)(comma - name);
        uint8_t prefix = (uint8_t)len;

        if (len == 0 || (comma != NULL && start + len + 1 == text.len))
            return error_new(TLSSHIM_E_FORMAT, "the protocol list holds an empty name at byte %zu", start);
        if (len > 255)
            return error_new(TLSSHIM_E_FORMAT, "the protocol name at byte %zu is %zu bytes long, the limit is 255",
                             start, len);
        buffer_add(wire, &prefix, 1);
        buffer_add(wire, name, len);
        start += len + 1;
    }
    if (wire->len > ALPN_LIMIT)
        return error_new(TLSSHIM_E_LIMIT, "the protocol list takes %zu bytes, the limit is %d", wire->len, ALPN_LIMIT);
    return TLSSHIM_OK;
}

int32_t tlsshim_alpn_encode(const void *text, int32_t text_len, void *wire, int32_t wire_cap)
{
    struct buffer list = {0};
    struct bytes in;
    int32_t result = text_in(text, text_len, ALPN_LIMIT, "text", &in);

    if (result == TLSSHIM_OK)
        result = encode(in, &list);
    if (result < 0) {
        buffer_free(&list);
        return result;
    }
    return buffer_out(&list, wire, wire_cap);
}

int32_t tlsshim_alpn_decode(const void *wire, int32_t wire_len, void *text, int32_t text_cap)
{
    struct buffer out = {0};
    struct bytes list, name;
    int32_t result = alpn_in(wire, wire_len, "wire", &list);

    if (result < 0)
        return result;
    for (size_t at = 0; step(list, &at, &name);) {
        if (out.len > 0)
            buffer_text(&out, ",");
        alpn_name_text(name, &out);
    }
    return buffer_out(&out, text, text_cap);
}

int32_t tlsshim_alpn_select(const void *mine, int32_t mine_len, const void *theirs, int32_t theirs_len, void *name,
                            int32_t name_cap)
{
    struct bytes ours, others, chosen;
    int32_t result = alpn_in(mine, mine_len, "mine", &ours);

    if (result == TLSSHIM_OK)
        result = alpn_in(theirs, theirs_len, "theirs", &others);
    if (result < 0)
        return result;
    return alpn_select(ours, others, &chosen) ? bytes_out(name, name_cap, chosen.data, chosen.len) : TLSSHIM_NONE;
}
