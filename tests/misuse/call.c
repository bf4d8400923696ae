#include "call.h"

#include <ffi.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlsshim.h"

enum { PATTERN = 0xA5 };

static ffi_type *foreign_type(enum type type)
{
    switch (type) {
    case INT32:
        return &ffi_type_sint32;
    case INT64:
        return &ffi_type_sint64;
    default:
        return &ffi_type_pointer;
    }
}

void call_begin(struct call *call, const struct function *function)
{
    memset(call, 0, sizeof *call);
    call->function = function;
}

void call_room(struct call *call, int at, int64_t size)
{
    free(call->rooms[at]);
    call->rooms[at] = malloc((size_t)(size > 0 ? size : 1));
    if (!call->rooms[at])
        abort();
    call->sizes[at] = size;
    call->values[at].pointer = call->rooms[at];
    memset(call->rooms[at], PATTERN, (size_t)size);
}

int64_t call_make(struct call *call)
{
    const struct function *function = call->function;
    ffi_type *types[MOST_PARAMETERS];
    void *values[MOST_PARAMETERS];
    ffi_cif cif;
    union {
        ffi_arg narrow;
        int64_t wide;
    } result = {0};

    for (int i = 0; i < function->count; i++) {
        types[i] = foreign_type(function->parameters[i].type);
        values[i] = &call->values[i];
    }
    if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, (unsigned)function->count,
                     function->wide ? &ffi_type_sint64 : &ffi_type_sint32, types) != FFI_OK)
        abort();
    ffi_call(&cif, function->address, &result, values);
    return function->wide ? result.wide : (int32_t)result.narrow;
}

bool call_lists(const struct function *function, int32_t code)
{
    for (int i = 0; function->codes[i]; i++)
        if (function->codes[i] == code)
            return true;
    return false;
}

static bool untouched(const struct call *call, int at)
{
    for (int64_t i = 0; i < call->sizes[at]; i++)
        if (call->rooms[at][i] != PATTERN)
            return false;
    return true;
}

/* How many bytes of an output may differ from the pattern, given the result. */
static int64_t writable(const struct call *call, int at, int64_t result)
{
    const struct parameter *parameter = &call->function->parameters[at];
    int64_t cap = parameter->role == OUTPUT ? 0 : call->values[at + 1].i32;

    if (result < 0)
        return parameter->role == OUTPUT && result > TLSSHIM_E_HANDLE && result != TLSSHIM_NONE ? call->sizes[at] : 0;
    if (parameter->role == OUTPUT)
        return call->sizes[at];
    if (parameter->role == PAIRS)
        return 16 * result;
    if (parameter->mode == FILL)
        return cap;
    return result > cap ? 0 : result;
}

const char *call_judge(const struct call *call, int64_t result)
{
    const struct function *function = call->function;
    int32_t code = result < 0 ? (int32_t) - ((-result) & 255) : 0;

    if (code && !function->gives_code && !call_lists(function, code))
        return "a code that its tags do not list";
    if (result < 0 && result > -256 && result < -15 && code != result)
        return "a bare error out of range";
    for (int i = 0; i < function->count; i++) {
        const struct parameter *parameter = &function->parameters[i];
        if (!call->rooms[i])
            continue;
        int64_t most = writable(call, i, result);
        if (result >= 0 && parameter->role == OUT && parameter->mode != WHOLE && result > call->values[i + 1].i32)
            return "more bytes than the capacity";
        if (result >= 0 && parameter->role == PAIRS && result > call->values[i + 1].i32)
            return "more pairs than the capacity";
        if (most == 0 && !untouched(call, i))
            return "an output written though the result gives none";
        for (int64_t at = most; at < call->sizes[i]; at++)
            if (call->rooms[i][at] != PATTERN)
                return "an output written past its length";
    }
    return NULL;
}

void call_end(struct call *call)
{
    for (int i = 0; i < MOST_PARAMETERS; i++)
        free(call->rooms[i]);
}

const char *call_text(const struct call *call)
{
    static char text[1024];
    const struct function *function = call->function;
    size_t length = (size_t)snprintf(text, sizeof text, "%s(", function->name);

    for (int i = 0; i < function->count && length < sizeof text - 128; i++) {
        const struct parameter *parameter = &function->parameters[i];
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s=", i ? ", " : "", parameter->name);
        if (parameter->type == POINTER)
            length += (size_t)snprintf(text + length, sizeof text - length, "%p", call->values[i].pointer);
        else
            length += (size_t)snprintf(text + length, sizeof text - length, "%" PRId64,
                                       parameter->type == INT32 ? call->values[i].i32 : call->values[i].i64);
    }
    snprintf(text + length, sizeof text - length, ")");
    return text;
}
