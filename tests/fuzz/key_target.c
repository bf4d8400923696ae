/* Keys of every form, with the passphrase "secret": asked, used, exported and read again. */
#include "fuzz.h"

enum { WHOLE = 16384 };

static void use(int64_t key)
{
    static uint8_t out[WHOLE];
    int32_t len = (int32_t)fuzz_result(tlsshim_key_export(key, TLSSHIM_FORMAT_PEM, "", 0, out, WHOLE));
    int64_t again;

    fuzz_result(tlsshim_key_algorithm(key, fuzz_room, FUZZ_ROOM));
    fuzz_result(tlsshim_key_bits(key));
    fuzz_result(tlsshim_key_export(key, TLSSHIM_FORMAT_PUBLIC_DER, "", 0, fuzz_room, FUZZ_ROOM));
    if (len < 0 || len > WHOLE)
        return;
    again = fuzz_result(tlsshim_key_load(out, len, "", 0));
    if (again > 0 && tlsshim_key_equal(key, again) == 0)
        fuzz_broken("a key that is read again is the same");
    fuzz_close(again);
}

void fuzz(const uint8_t *data, size_t len)
{
    int64_t key = fuzz_result(tlsshim_key_load(data, (int32_t)len, "secret", 6));

    if (key > 0)
        use(key);
    fuzz_close(key);
}
