/* What every C test program uses: running a suite, and assertions that print the error's own text. */
#ifndef TESTS_SUPPORT_SUPPORT_H
#define TESTS_SUPPORT_SUPPORT_H

#include <check.h>
#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "tlsshim.h"

/* Runs a suite, prints failures and the closing line "N passed, N failed"; the value for main to return.
 * CK_FORK says whether each test has a process of its own. */
int run_suite(Suite *suite);

/* The result's bare code must be this one. */
#define ck_assert_result(result, code)                                                                                 \
    do {                                                                                                               \
        int64_t support_result = (result);                                                                             \
        ck_assert_msg(support_has_code(support_result, (code)), "%s: %s, wanted %s", #result,                          \
                      support_text(support_result), support_name(code));                                               \
    } while (0)

/* No error and no flow code: OK, a count or a handle. */
#define ck_assert_ok(result)                                                                                           \
    do {                                                                                                               \
        int64_t support_result = (result);                                                                             \
        ck_assert_msg(support_result >= 0, "%s: %s", #result, support_text(support_result));                           \
    } while (0)

/* For loops: Check writes to its parent for each of its own assertions, which costs a system call. */
#define must_be(have, want)                                                                                            \
    do {                                                                                                               \
        int64_t must_have = (have), must_want = (want);                                                                \
        if (must_have != must_want)                                                                                    \
            ck_abort_msg("%s is %lld, not %lld", #have, (long long)must_have, (long long)must_want);                   \
    } while (0)

/* The handle that an expression gives; fails the test with the error's text otherwise. */
#define a_handle(expression) support_handle((expression), #expression, __FILE__, __LINE__)

/* For what a test does with OpenSSL by itself: a library context with algorithms. The default context may have none,
 * since the suites are also run so (TLSSHIM_TEST_NULL_PROVIDER). */
OSSL_LIB_CTX *support_context(void);

bool support_has_code(int64_t result, int32_t code);
/* "E_NAME (-133): name ... is not in the certificate"; good until the third next call in the same thread. */
const char *support_text(int64_t result);
const char *support_name(int32_t code);
int64_t support_handle(int64_t result, const char *expression, const char *file, int line);

#endif
