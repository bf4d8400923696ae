#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "bytes.h"
#include "error.h"
#include "place.h"
#include "tlsshim.h"

enum { ABI_VERSION = 1, NAME_LIMIT = 64 };

static const struct constant {
    const char *name;
    int64_t value;
} constants[] = {
#include "constants.inc"
};

/* What this build can do. */
static const char *const features[] = {
    "tls",
    "sendfile",
#ifndef TLSSHIM_BACKEND_STATIC
    "legacy",
#endif
};

int32_t tlsshim_abi_version(void)
{
    return ABI_VERSION;
}

int32_t tlsshim_has(const void *feature, int32_t feature_len)
{
    struct bytes wanted;
    int32_t result = text_in(feature, feature_len, NAME_LIMIT, "feature", &wanted);

    if (result < 0)
        return result;
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++)
        if (bytes_equal_text(wanted, features[i]))
            return 1;
    return 0;
}

int32_t tlsshim_constant(const void *name, int32_t name_len, int64_t *value)
{
    struct bytes wanted;
    int32_t result = text_in(name, name_len, NAME_LIMIT, "name", &wanted);

    if (result < 0)
        return result;
    if (value == NULL)
        return error_new(TLSSHIM_E_ARGUMENT, "the output value is NULL");
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++)
        if (bytes_equal_text(wanted, constants[i].name)) {
            *value = constants[i].value;
            return TLSSHIM_OK;
        }
    return TLSSHIM_NONE;
}

static int32_t random_bytes(void *bytes, int32_t bytes_cap)
{
    struct visit visit;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    if (RAND_bytes_ex(backend_context(), bytes, (size_t)bytes_cap, 0) == 1)
        result = bytes_cap;
    else
        result = error_backend(TLSSHIM_E_INTERNAL, "the random generator failed");
    visit_leave(&visit);
    return result;
}

int32_t tlsshim_random(void *bytes, int32_t bytes_cap)
{
    if (!bytes_room(bytes, bytes_cap, 1))
        return error_new(TLSSHIM_E_ARGUMENT, "random needs room for at least one byte");
    return random_bytes(bytes, bytes_cap);
}

int32_t tlsshim_library_config(const void *path, int32_t path_len)
{
    struct bytes in;
    char *text;
    int32_t result = path_in(path, path_len, "path", &in);

    if (result < 0)
        return result;
    text = bytes_dup_text(in);
    if (text == NULL)
        return TLSSHIM_E_MEMORY;
    result = backend_configure(text);
    free(text);
    return result;
}

static int32_t system_trust(void *text, int32_t text_cap)
{
    struct place_of_anchors place;
    struct buffer paths = {0};

    if (!place_of_anchors(&place))
        return TLSSHIM_NONE;
    buffer_text(&paths, place.file);
    if (place.file[0] != 0 && place.folder[0] != 0)
        buffer_text(&paths, ":");
    buffer_text(&paths, place.folder);
    return buffer_out(&paths, text, text_cap);
}

int32_t tlsshim_version(int32_t field, void *text, int32_t text_cap)
{
    switch (field) {
    case TLSSHIM_VERSION_SHIM:
        return text_out(text, text_cap, TLSSHIM_VERSION_TEXT);
    case TLSSHIM_VERSION_BUILT_WITH:
        return text_out(text, text_cap, OPENSSL_VERSION_TEXT);
    case TLSSHIM_VERSION_LOADED:
        return text_out(text, text_cap, OpenSSL_version(OPENSSL_VERSION));
    case TLSSHIM_VERSION_SYSTEM_TRUST:
        return system_trust(text, text_cap);
    default:
        return error_new(TLSSHIM_E_ARGUMENT, "%d is no version field", field);
    }
}
