/* The raw modules of Lua 5.4 and Python: the C names without prefix, one calling shape.
 *
 * Inputs in C order without lengths and outputs; a stream or fill output takes its capacity in its place, a whole one
 * takes nothing. Returned: the result, then each output, nil or None where the result says that there is none.
 */
%module swig

%begin %{
/* What SWIG itself writes is not held to this project's warnings. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wcast-function-type"
%}

%{
#include "abi.h"
#include "tlsshim.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The first room for a whole output; what is longer is asked for again. */
enum { SMALL = 512 };

/* Outputs of a number are told unless the result is an error: a flow result, but NONE, comes with them. */
static bool tells_numbers(int64_t result)
{
    return result > TLSSHIM_E_HANDLE && result != TLSSHIM_NONE;
}

static inline void nothing(const void *data, size_t length)
{
    (void)data;
    (void)length;
}
%}

%include <stdint.i>

#if defined(SWIGLUA)
%include "raw_lua.i"
#elif defined(SWIGPYTHON)
%include "raw_python.i"
#endif

%include "calls.i"
