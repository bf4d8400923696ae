/* What shapes.h says, without checks: the layers above are what is tested. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tlsshim.h"

int32_t tlsshim_shape_pairs(int64_t *pairs, int32_t pairs_cap, int32_t most)
{
    int32_t count = most < pairs_cap ? most : pairs_cap;

    if (pairs_cap < 0)
        return TLSSHIM_E_ARGUMENT;
    for (int64_t i = 0; i < count; i++) {
        pairs[2 * i] = i;
        pairs[2 * i + 1] = -i * ((int64_t)1 << 40);
    }
    return count ? count : TLSSHIM_NONE;
}

int32_t tlsshim_shape_text(int32_t size, void *text, int32_t text_cap)
{
    if (size <= text_cap)
        memset(text, 'x', (size_t)size);
    return size;
}

int32_t tlsshim_shape_growing(int32_t size, void *bytes, int32_t bytes_cap)
{
    static int32_t now;

    now = now ? 2 * now : size;
    if (now > bytes_cap && now < 8 * size)
        return now;
    int32_t length = now > bytes_cap ? bytes_cap : now;
    memset(bytes, 'g', (size_t)length);
    now = 0;
    return length;
}

int32_t tlsshim_shape_stream(void *secret, int32_t secret_cap, int32_t size)
{
    int32_t count = size < secret_cap ? size : secret_cap;

    if (secret_cap < 1)
        return TLSSHIM_E_ARGUMENT;
    memset(secret, 's', (size_t)count);
    return count;
}

int32_t tlsshim_shape_fill(void *bytes, int32_t bytes_cap)
{
    if (bytes_cap < 0)
        return TLSSHIM_E_ARGUMENT;
    memset(bytes, 'f', (size_t)bytes_cap);
    return TLSSHIM_OK;
}

int32_t tlsshim_shape_eight(const void *data, int32_t data_len, int32_t small, int64_t large, void *text,
                            int32_t text_cap, int32_t *taken, int64_t *sum)
{
    char made[64];
    int length = snprintf(made, sizeof made, "%.*s %d %lld", data_len, (const char *)data, small, (long long)large);

    if (length <= text_cap)
        memcpy(text, made, (size_t)length);
    *taken = data_len;
    *sum = small + large;
    return length;
}

int32_t tlsshim_shape_result(int32_t wanted, void *bytes, int32_t bytes_cap, int32_t *taken, int64_t timeout_ms)
{
    if (wanted > 0 && wanted <= bytes_cap)
        memset(bytes, 'r', (size_t)wanted);
    if (wanted > TLSSHIM_E_HANDLE && wanted != TLSSHIM_NONE)
        *taken = (int32_t)timeout_ms;
    return wanted;
}

int64_t tlsshim_shape_wide(int64_t large)
{
    return large;
}

int32_t tlsshim_shape_inputs(const void *text, int32_t text_len, const void *path, int32_t path_len, const void *secret,
                             int32_t secret_len, const void *data, int32_t data_len)
{
    (void)text;
    (void)path;
    (void)secret;
    (void)data;
    return text_len + 10 * path_len + 100 * secret_len + 1000 * data_len;
}
