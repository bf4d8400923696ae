/* The one place for what is not plain C11. */
#ifndef SHIM_BASE_COMPILER_H
#define SHIM_BASE_COMPILER_H

#define FORMAT_LIKE_PRINTF(position, first) __attribute__((format(printf, position, first)))
#define MUST_USE __attribute__((warn_unused_result))
#define CACHE_LINE 64

/* Processor instructions for AES. */
#if defined(__x86_64__) || defined(__i386__)
#define MACHINE_HAS_AES() (__builtin_cpu_supports("aes") != 0)
#elif defined(__aarch64__)
#define MACHINE_HAS_AES() ((getauxval(AT_HWCAP) & (1UL << 3)) != 0)
#else
#define MACHINE_HAS_AES() false
#endif

#endif
