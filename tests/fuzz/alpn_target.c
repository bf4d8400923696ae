/* Protocol lists: as text, on the wire, and two against each other (the first byte is the first one's length). */
#include <string.h>

#include "fuzz.h"

static void round_trip(const uint8_t *data, size_t len)
{
    static uint8_t text[FUZZ_ROOM], wire[FUZZ_ROOM];
    int32_t text_len = (int32_t)fuzz_result(tlsshim_alpn_decode(data, (int32_t)len, text, FUZZ_ROOM));
    int32_t wire_len;

    if (text_len < 0 || text_len > FUZZ_ROOM || memchr(text, '\\', (size_t)text_len) != NULL)
        return; /* bytes that are no text are shown, not meant to be read again */
    wire_len = (int32_t)fuzz_must(tlsshim_alpn_encode(text, text_len, wire, FUZZ_ROOM));
    if (wire_len != (int32_t)len || memcmp(wire, data, len) != 0)
        fuzz_broken("a list told as text and encoded again is the same");
}

void fuzz(const uint8_t *data, size_t len)
{
    int64_t context = fuzz_must(tlsshim_context_new(TLSSHIM_ROLE_CLIENT));
    size_t first;

    round_trip(data, len);
    fuzz_result(tlsshim_alpn_encode(data, (int32_t)len, fuzz_room, FUZZ_ROOM));
    fuzz_result(tlsshim_context_set_alpn(context, data, (int32_t)len, TLSSHIM_ALPN_FAIL));
    if (len > 0) {
        first = data[0] < len - 1 ? data[0] : len - 1;
        fuzz_result(tlsshim_alpn_select(data + 1, (int32_t)first, data + 1 + first, (int32_t)(len - 1 - first),
                                        fuzz_room, FUZZ_ROOM));
    }
    fuzz_close(context);
}
