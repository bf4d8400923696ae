/* The one place for what is not plain C11. */
#ifndef SHIM_BASE_COMPILER_H
#define SHIM_BASE_COMPILER_H

#define FORMAT_LIKE_PRINTF(position, first) __attribute__((format(printf, position, first)))
#define MUST_USE __attribute__((warn_unused_result))
#define CACHE_LINE 64

#endif
