#include "support.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* With TLSSHIM_TEST_NULL_PROVIDER set the default library context can do nothing: whatever the library does with it by
 * mistake fails. */
static void take_algorithms_from_the_default_context(void)
{
    EVP_MD *digest;

    if (getenv("TLSSHIM_TEST_NULL_PROVIDER") == NULL)
        return;
    if (OSSL_PROVIDER_load(NULL, "null") == NULL) {
        fprintf(stderr, "the null provider does not load\n");
        exit(EXIT_FAILURE);
    }
    digest = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    if (digest != NULL) {
        fprintf(stderr, "the default library context still has algorithms\n");
        exit(EXIT_FAILURE);
    }
    ERR_clear_error();
}

/* With TLSSHIM_TEST_NO_SEALER set the backend seals by itself, as if it were another release. (The linker puts
 * this in the place of the sealer's own.) */
bool __real_sealer_understands_backend(void);
bool __wrap_sealer_understands_backend(void);
bool __wrap_sealer_understands_backend(void)
{
    return getenv("TLSSHIM_TEST_NO_SEALER") == NULL && __real_sealer_understands_backend();
}

OSSL_LIB_CTX *support_context(void)
{
    static OSSL_LIB_CTX *context;

    if (context == NULL)
        context = OSSL_LIB_CTX_new();
    ck_assert_ptr_nonnull(context);
    return context;
}

int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int run;
    int failed;

    take_algorithms_from_the_default_context();
    srunner_run_all(runner, CK_SILENT);
    run = srunner_ntests_run(runner);
    failed = srunner_ntests_failed(runner);
    if (failed > 0)
        srunner_print(runner, CK_NORMAL);
    srunner_free(runner);
    printf("%d passed, %d failed\n", run - failed, failed);
    fflush(stdout);
    return failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

bool support_has_code(int64_t result, int32_t code)
{
    return (result < 0 ? -(int32_t)((-result) & 255) : 0) == code && (code != TLSSHIM_OK || result == TLSSHIM_OK);
}

static char *next_text(size_t *cap)
{
    static _Thread_local char texts[4][1024];
    static _Thread_local unsigned turn;

    *cap = sizeof texts[0];
    return texts[turn++ % 4];
}

const char *support_text(int64_t result)
{
    size_t cap;
    char *out = next_text(&cap);
    char text[700];
    int32_t len;

    if (result >= 0) {
        snprintf(out, cap, "%lld", (long long)result);
        return out;
    }
    len = tlsshim_error_text(result, text, (int32_t)sizeof text);
    if (len < 0 || len > (int32_t)sizeof text)
        len = 0;
    snprintf(out, cap, "%s: %.*s", support_name(-(int32_t)((-result) & 255)), (int)len, text);
    return out;
}

const char *support_name(int32_t code)
{
    size_t cap;
    char *out = next_text(&cap);
    char name[64];
    int32_t len = tlsshim_error_name(code, name, (int32_t)sizeof name);

    if (len < 0 || len > (int32_t)sizeof name)
        len = 0;
    snprintf(out, cap, "%.*s (%d)", (int)len, name, code);
    return out;
}

int64_t support_handle(int64_t result, const char *expression, const char *file, int line)
{
    ck_assert_msg(result >= INT64_C(1) << 32 && result < INT64_C(1) << 53, "%s:%d: %s: %s", file, line, expression,
                  result < 0 ? support_text(result) : "not a handle");
    return result;
}
