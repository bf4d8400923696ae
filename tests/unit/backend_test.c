#include "base/backend.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

/* What a host may have left in its thread's queue: every kind of entry. */
static const struct entry {
    int library, reason, line;
    const char *file, *function, *data;
} entries[] = {
    {ERR_LIB_SSL, SSL_R_BAD_LENGTH, 12, "host.c", "host_does", "detail=1"},
    {ERR_LIB_X509, 101, 0, "other.c", "other_does", NULL},
    {ERR_LIB_SYS, 2, 77, "file.c", "opens", "calling fopen(/no/such, r)"},
    {ERR_LIB_USER, 5, 1, "user.c", NULL, "100% literal %s %n"},
    {ERR_LIB_EVP, ERR_R_MALLOC_FAILURE, 3, "evp.c", "evp_does", ""},
    {ERR_LIB_EVP, ERR_R_PASSED_NULL_PARAMETER, 4, NULL, NULL, NULL},
};
enum { ENTRIES = sizeof entries / sizeof entries[0] };

static void put(const struct entry *entry, const char *data)
{
    ERR_new();
    ERR_set_debug(entry->file, entry->line, entry->function);
    if (data != NULL)
        ERR_set_error(entry->library, entry->reason, "%s", data);
    else
        ERR_set_error(entry->library, entry->reason, NULL);
}

struct seen {
    unsigned long code;
    int line, flags;
    char file[40], function[40], data[5000];
};

static bool take(struct seen *seen)
{
    const char *file, *function, *data;

    memset(seen, 0, sizeof *seen);
    seen->code = ERR_get_error_all(&file, &seen->line, &function, &data, &seen->flags);
    if (seen->code == 0)
        return false;
    strncpy(seen->file, file == NULL ? "(null)" : file, sizeof seen->file - 1);
    strncpy(seen->function, function == NULL ? "(null)" : function, sizeof seen->function - 1);
    strncpy(seen->data, data == NULL ? "(null)" : data, sizeof seen->data - 1);
    return true;
}

static void fill(int count)
{
    for (int i = 0; i < count; i++)
        put(&entries[i % ENTRIES], entries[i % ENTRIES].data);
}

/* A visit that makes errors of its own, and a visit within it. */
static void a_busy_visit(void)
{
    struct visit visit, inner;
    static const unsigned char no_key[] = {0x30, 0x03, 0x02, 0x01};
    const unsigned char *at = no_key;

    ck_assert_ok(visit_enter(&visit));
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_ptr_null(d2i_AutoPrivateKey(NULL, &at, sizeof no_key));
    ck_assert_uint_ne(ERR_peek_error(), 0);
    ck_assert_ok(visit_enter(&inner));
    ck_assert_uint_eq(ERR_peek_error(), 0);
    fill(3);
    visit_leave(&inner);
    ck_assert_uint_ne(ERR_peek_error(), 0);
    visit_leave(&visit);
}

START_TEST(the_hosts_error_queue_is_as_it_was)
{
    static struct seen want[16], have;
    int count = 0;

    ERR_clear_error();
    fill(_i);
    while (count < 16 && take(&want[count]))
        count++;
    ck_assert_int_eq(count, _i < 15 ? _i : 15);
    fill(_i);
    for (int round = 0; round < 3; round++)
        a_busy_visit();
    for (int i = 0; i < count; i++) {
        ck_assert(take(&have));
        ck_assert_uint_eq(have.code, want[i].code);
        ck_assert_int_eq(have.line, want[i].line);
        ck_assert_int_eq(have.flags & ERR_TXT_STRING, want[i].flags & ERR_TXT_STRING);
        ck_assert_str_eq(have.file, want[i].file);
        ck_assert_str_eq(have.function, want[i].function);
        ck_assert_str_eq(have.data, want[i].data);
    }
    ck_assert(!take(&have));
}
END_TEST

START_TEST(long_data_of_a_host_error_is_kept_whole)
{
    static char data[4001];
    struct seen seen;

    memset(data, 'd', sizeof data - 1);
    ERR_clear_error();
    put(&entries[0], NULL);
    ERR_add_error_data(2, data, "!");
    a_busy_visit();
    ck_assert(take(&seen));
    ck_assert_uint_eq(strlen(seen.data), 4001);
    ck_assert_int_eq(seen.data[4000], '!');
}
END_TEST

START_TEST(nothing_of_ours_is_left_in_an_empty_queue)
{
    ERR_clear_error();
    a_busy_visit();
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(the_threads_library_context_is_ours_inside_and_the_hosts_outside)
{
    OSSL_LIB_CTX *hosts = OSSL_LIB_CTX_new();
    OSSL_LIB_CTX *first = OSSL_LIB_CTX_set0_default(NULL);
    struct visit visit, inner;

    ck_assert_ptr_nonnull(hosts);
    for (int round = 0; round < 2; round++) {
        OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(NULL);

        ck_assert_ok(visit_enter(&visit));
        ck_assert_ptr_eq(OSSL_LIB_CTX_set0_default(NULL), backend_context());
        ck_assert_ptr_ne(backend_context(), before);
        ck_assert_ok(visit_enter(&inner));
        ck_assert_ptr_eq(OSSL_LIB_CTX_set0_default(NULL), backend_context());
        visit_leave(&inner);
        ck_assert_ptr_eq(OSSL_LIB_CTX_set0_default(NULL), backend_context());
        visit_leave(&visit);
        ck_assert_ptr_eq(OSSL_LIB_CTX_set0_default(NULL), before);
        OSSL_LIB_CTX_set0_default(hosts); /* a host that has chosen one of its own */
    }
    OSSL_LIB_CTX_set0_default(first);
    OSSL_LIB_CTX_free(hosts);
}
END_TEST

static atomic_int stage;

/* Is cancelled while inside; must come out before it ends. */
static void *cancelled_inside(void *came_out)
{
    struct visit visit;

    if (visit_enter(&visit) < 0)
        return NULL;
    atomic_store(&stage, 1);
    while (atomic_load(&stage) != 2)
        ;
    pthread_testcancel(); /* would end the thread here, were it allowed */
    visit_leave(&visit);
    *(bool *)came_out = true;
    pthread_testcancel();
    return NULL;
}

START_TEST(cancelling_a_thread_waits_until_it_is_outside)
{
    pthread_t thread;
    bool came_out = false;
    void *result;

    atomic_store(&stage, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, cancelled_inside, &came_out), 0);
    while (atomic_load(&stage) != 1)
        ;
    pthread_cancel(thread);
    atomic_store(&stage, 2);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert(came_out);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
}
END_TEST

START_TEST(the_cancellation_state_is_as_the_host_had_it)
{
    struct visit visit;
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    ck_assert_ok(visit_enter(&visit));
    visit_leave(&visit);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
    ck_assert_int_eq(state, PTHREAD_CANCEL_DISABLE);
    ck_assert_ok(visit_enter(&visit));
    visit_leave(&visit);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
    ck_assert_int_eq(state, PTHREAD_CANCEL_ENABLE);
}
END_TEST

static const char *part_of(int64_t result, int32_t field)
{
    static char part[200];
    int32_t len = tlsshim_error_part(result, field, part, sizeof part - 1);

    part[len < 0 ? 0 : len] = 0;
    return part;
}

START_TEST(an_error_of_the_backend_becomes_a_record_and_empties_the_queue)
{
    struct visit visit;
    int32_t result;
    int64_t n = 0;
    char text[200];
    int32_t len;

    ck_assert_ok(visit_enter(&visit));
    ERR_raise(ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER);
    ERR_raise(ERR_LIB_EVP, 5); /* a consequence */
    result = error_backend(TLSSHIM_E_PROTOCOL, "the hello of %s", "caf\xc3\xa9\n");
    ck_assert_uint_eq(ERR_peek_error(), 0);
    visit_leave(&visit);
    ck_assert_result(result, TLSSHIM_E_PROTOCOL);
    len = tlsshim_error_text(result, text, sizeof text - 1);
    ck_assert_int_gt(len, 0);
    text[len] = 0;
    ck_assert_str_eq(text, "the hello of caf\xc3\xa9\\x0a: wrong version number");
    ck_assert_str_eq(part_of(result, TLSSHIM_ERROR_REASON), "WRONG_VERSION_NUMBER");
    ck_assert_str_eq(part_of(result, TLSSHIM_ERROR_LIBRARY), "SSL routines");
    ck_assert_int_eq(tlsshim_error_number(result, TLSSHIM_ERROR_REASON, &n), TLSSHIM_OK);
    ck_assert_int_eq(n, SSL_R_WRONG_VERSION_NUMBER);
}
END_TEST

START_TEST(what_the_backend_reports_of_the_system_and_of_memory_is_told_as_such)
{
    struct visit visit;
    int32_t result;
    int64_t n = 0;
    char text[200];
    int32_t len;

    ck_assert_ok(visit_enter(&visit));
    ck_assert_int_eq((ERR_raise(ERR_LIB_EVP, ERR_R_MALLOC_FAILURE), error_backend(TLSSHIM_E_FORMAT, "x")),
                     TLSSHIM_E_MEMORY);
    ERR_raise(ERR_LIB_SYS, 13);
    result = error_backend(TLSSHIM_E_FORMAT, "file x");
    len = tlsshim_error_text(result, text, sizeof text - 1);
    text[len] = 0;
    ck_assert_str_eq(text, "file x: Permission denied");
    ck_assert_int_eq(tlsshim_error_number(result, TLSSHIM_ERROR_ERRNO, &n), TLSSHIM_OK);
    ck_assert_int_eq(n, 13);
    result = error_backend(TLSSHIM_E_INTERNAL, "nothing in the queue"); /* no ": (null)" */
    len = tlsshim_error_text(result, text, sizeof text - 1);
    text[len] = 0;
    ck_assert_str_eq(text, "nothing in the queue");
    visit_leave(&visit);
}
END_TEST

static atomic_int visits;

static void *visit_once(void *unused)
{
    struct visit visit;

    if (visit_enter(&visit) == TLSSHIM_OK) {
        EVP_MD *digest = EVP_MD_fetch(backend_context(), "SHA2-256", NULL);

        atomic_fetch_add(&visits, digest != NULL);
        EVP_MD_free(digest);
        visit_leave(&visit);
    }
    return unused;
}

START_TEST(the_first_visits_of_many_threads_start_one_backend)
{
    pthread_t threads[8];

    /* Under CK_FORK each test has a fresh process, and this is its first use. */
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, visit_once, NULL), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&visits), 8);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backend");
    TCase *tcase = tcase_create("backend");

    tcase_add_test(tcase, the_first_visits_of_many_threads_start_one_backend);
    tcase_add_loop_test(tcase, the_hosts_error_queue_is_as_it_was, 0, 20);
    tcase_add_test(tcase, long_data_of_a_host_error_is_kept_whole);
    tcase_add_test(tcase, nothing_of_ours_is_left_in_an_empty_queue);
    tcase_add_test(tcase, the_threads_library_context_is_ours_inside_and_the_hosts_outside);
    tcase_add_test(tcase, cancelling_a_thread_waits_until_it_is_outside);
    tcase_add_test(tcase, the_cancellation_state_is_as_the_host_had_it);
    tcase_add_test(tcase, an_error_of_the_backend_becomes_a_record_and_empties_the_queue);
    tcase_add_test(tcase, what_the_backend_reports_of_the_system_and_of_memory_is_told_as_such);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
