/* Memory that runs out on demand: included by one source of a test program, which calls scarce_install first of all.
 * The backend's allocations come through its own hooks; the shim's through the functions below, which only what is
 * linked into the program sees. Sanitized builds keep their own allocator: there the backend's alone fail. */
#ifndef TESTS_SUPPORT_SCARCE_H
#define TESTS_SUPPORT_SCARCE_H

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Which allocation from now on fails, 1 = the next; 0 = none. */
static int64_t scarce_at;
static int64_t scarce_count;                       /* allocations since */
static int64_t scarce_own __attribute__((unused)); /* blocks of the shim that are not freed yet */
static int64_t scarce_backend;                     /* of the backend */

static bool scarce_fails(void)
{
    return ++scarce_count == scarce_at;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define scarce_raw_malloc malloc
#define scarce_raw_realloc realloc
#define scarce_raw_free free
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);
#define scarce_raw_malloc __libc_malloc
#define scarce_raw_realloc __libc_realloc
#define scarce_raw_free __libc_free

void *malloc(size_t size)
{
    void *block = scarce_fails() ? NULL : __libc_malloc(size);

    scarce_own += block != NULL;
    return block;
}

void *calloc(size_t count, size_t size)
{
    void *block = scarce_fails() ? NULL : __libc_calloc(count, size);

    scarce_own += block != NULL;
    return block;
}

void *realloc(void *block, size_t size)
{
    void *grown = scarce_fails() ? NULL : __libc_realloc(block, size);

    scarce_own += block == NULL && grown != NULL;
    return grown;
}

char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    return copy == NULL ? NULL : memcpy(copy, text, size);
}

void free(void *block)
{
    scarce_own -= block != NULL;
    __libc_free(block);
}
#endif

static void *scarce_malloc(size_t size, const char *file, int line)
{
    void *block = scarce_fails() ? NULL : scarce_raw_malloc(size);

    (void)file;
    (void)line;
    scarce_backend += block != NULL;
    return block;
}

static void scarce_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    scarce_backend -= block != NULL;
    scarce_raw_free(block);
}

static void *scarce_realloc(void *block, size_t size, const char *file, int line)
{
    if (block == NULL)
        return scarce_malloc(size, file, line);
    if (size == 0) {
        scarce_free(block, file, line);
        return NULL;
    }
    return scarce_fails() ? NULL : scarce_raw_realloc(block, size);
}

/* False where the backend has allocated already. */
static bool scarce_install(void)
{
    return CRYPTO_set_mem_functions(scarce_malloc, scarce_realloc, scarce_free) == 1;
}

#endif
