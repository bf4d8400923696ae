#include "base/error.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/code.h"
#include "support/support.h"

enum { PROMISED = 4096, TURNS_OVER = 3 * 8192 };

static const struct constant {
    const char *name;
    int64_t value;
} constants[] = {
#include "constants.inc"
};

static const char *text_of(int64_t result)
{
    static char text[ERROR_TEXT_CAP + 1];
    int32_t len = tlsshim_error_text(result, text, ERROR_TEXT_CAP);

    if (len < 0 || len > ERROR_TEXT_CAP)
        ck_abort_msg("the text of %lld gave %d", (long long)result, (int)len);
    text[len] = 0;
    return text;
}

static void later_errors(int count)
{
    for (int i = 0; i < count; i++)
        error_new(TLSSHIM_E_STATE, "a later error %d", i);
}

static bool is_result(const struct constant *constant)
{
    return strncmp(constant->name, "TLSSHIM_E_", 10) == 0 ||
           (constant->value <= 0 && constant->value >= -15 && strstr(constant->name + 8, "_") == NULL) ||
           strncmp(constant->name, "TLSSHIM_WANT_", 13) == 0;
}

START_TEST(every_code_has_a_name_a_text_and_a_constant)
{
    int results = 0;

    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        char name[64];
        int32_t len;
        int64_t value = 1;

        if (!is_result(&constants[i]))
            continue;
        results++;
        len = tlsshim_error_name(constants[i].value, name, sizeof name);
        ck_assert_msg(len > 0 && len < (int32_t)sizeof name, "%s has no name", constants[i].name);
        name[len] = 0;
        ck_assert_str_eq(name, constants[i].name + strlen("TLSSHIM_"));
        ck_assert_uint_gt(strlen(text_of(constants[i].value)), 3);
        ck_assert_int_eq(tlsshim_constant(constants[i].name, (int32_t)strlen(constants[i].name), &value), TLSSHIM_OK);
        ck_assert_int_eq(value, constants[i].value);
    }
    ck_assert_int_eq(results, 45);
    for (int code = -255; code <= 0; code++) { /* and nothing else has */
        bool known = false;

        for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++)
            known = known || (is_result(&constants[i]) && constants[i].value == code);
        ck_assert_int_eq(tlsshim_error_name(code, NULL, 0) > 0, known);
        ck_assert_int_eq(tlsshim_error_text(code, NULL, 0) > 0, known);
    }
}
END_TEST

START_TEST(the_bare_code_is_plain_arithmetic)
{
    static const int64_t others[] = {0, 1, 255, 256, INT64_MAX, INT32_MAX, INT64_C(1) << 40};

    for (int64_t code = -255; code < 0; code++)
        for (int64_t record = 0; record < (1 << 23); record = record * 3 + 1) {
            int64_t r = code - 256 * record;

            must_be(tlsshim_error_code(r), code);
            must_be(-((-r) & 255), code);
            must_be(r >= INT32_MIN, 1);
        }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        must_be(tlsshim_error_code(others[i]), TLSSHIM_OK);
    must_be(tlsshim_error_code(INT64_MIN), TLSSHIM_OK);
    must_be(tlsshim_error_name(-256, NULL, 0), TLSSHIM_NONE); /* a record without a code */
    must_be(tlsshim_error_text(INT64_MIN, NULL, 0), TLSSHIM_NONE);
    must_be(tlsshim_error_code(error_new(TLSSHIM_E_NAME, "x")), TLSSHIM_E_NAME);
}
END_TEST

START_TEST(at_least_4096_later_errors_leave_a_record_alone)
{
    for (int round = 0; round < 4; round++) {
        int32_t result = error_new(TLSSHIM_E_FORMAT, "the first of round %d", round);
        char want[64];

        snprintf(want, sizeof want, "the first of round %d", round);
        later_errors(PROMISED);
        ck_assert_str_eq(text_of(result), want);
    }
}
END_TEST

START_TEST(an_overwritten_record_gives_the_general_text)
{
    int32_t result = error_new(TLSSHIM_E_FORMAT, "soon gone");
    int64_t n = 4711;
    char c = 'x';

    later_errors(TURNS_OVER);
    ck_assert_str_eq(text_of(result), code_text(TLSSHIM_E_FORMAT));
    ck_assert_int_eq(tlsshim_error_code(result), TLSSHIM_E_FORMAT);
    ck_assert_int_eq(tlsshim_error_number(result, TLSSHIM_ERROR_SIDE, &n), TLSSHIM_NONE);
    ck_assert_int_eq(n, 4711);
    ck_assert_int_eq(tlsshim_error_part(result, TLSSHIM_ERROR_NAMES, &c, 1), TLSSHIM_NONE);
    ck_assert_int_eq(c, 'x');
}
END_TEST

START_TEST(a_kept_record_survives_until_it_is_released)
{
    int32_t result = error_new(TLSSHIM_E_FORMAT, "kept");

    ck_assert(error_keep(result));
    ck_assert(error_keep(result)); /* by two connections */
    later_errors(TURNS_OVER);
    ck_assert_str_eq(text_of(result), "kept");
    error_release(result);
    later_errors(TURNS_OVER);
    ck_assert_str_eq(text_of(result), "kept");
    error_release(result);
    later_errors(TURNS_OVER);
    ck_assert_str_eq(text_of(result), code_text(TLSSHIM_E_FORMAT));
    ck_assert(!error_keep(result));
    ck_assert(!error_keep(TLSSHIM_E_FORMAT)); /* no record at all */
    ck_assert(!error_keep(5));
    error_release(TLSSHIM_E_FORMAT);
}
END_TEST

START_TEST(half_of_the_ring_turns_over_however_many_are_kept)
{
    enum { MOST = 8192 };
    int32_t *kept = calloc(MOST, sizeof *kept);
    int32_t result, late;
    int count = 0;

    ck_assert_ptr_nonnull(kept);
    for (int i = 0; i < MOST; i++) {
        result = error_new(TLSSHIM_E_FORMAT, "kept %d", i);
        if (error_keep(result))
            kept[count++] = result;
    }
    ck_assert_int_gt(count, 3900);
    ck_assert_int_lt(count, 4096);
    result = error_new(TLSSHIM_E_FORMAT, "not kept");
    ck_assert(!error_keep(result));
    later_errors(PROMISED);
    ck_assert_str_eq(text_of(result), "not kept");
    for (int i = 0; i < TURNS_OVER; i++) { /* none goes out bare */
        late = error_new(TLSSHIM_E_STATE, "late %d", i);
        must_be(late < -255, 1);
    }
    for (int i = 0; i < count; i++) {
        must_be(strncmp(text_of(kept[i]), "kept ", 5), 0);
        error_release(kept[i]);
    }
    later_errors(TURNS_OVER);
    for (int i = 0; i < count; i++)
        must_be(strcmp(text_of(kept[i]), code_text(TLSSHIM_E_FORMAT)), 0);
    result = error_new(TLSSHIM_E_FORMAT, "once more");
    ck_assert(error_keep(result));
    error_release(result);
    free(kept);
}
END_TEST

START_TEST(floods_of_refused_handles_and_lack_of_memory_take_no_record)
{
    static const int32_t bare[] = {TLSSHIM_E_HANDLE, TLSSHIM_E_FORKED, TLSSHIM_E_MEMORY};

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(error_new(bare[i], "not kept"), bare[i]);
    ck_assert_int_eq(error_system(ENOMEM, "not kept"), TLSSHIM_E_MEMORY);
}
END_TEST

static struct error_detail a_full_detail(void)
{
    return (struct error_detail){
        .side = TLSSHIM_SIDE_PEER,
        .verify_code = 10,
        .depth = 2,
        .alert = 45,
        .errno_value = ECONNRESET,
        .reason = 134,
        .verify_text = "certificate has expired",
        .reason_text = "CERTIFICATE_VERIFY_FAILED",
        .library = "SSL routines",
        .subject = "CN=old.test",
        .issuer = "CN=ca",
        .wanted_name = "api.test",
        .names = "DNS:old.test",
        .text = "certificate expired",
    };
}

START_TEST(each_field_of_a_record_is_read_back)
{
    static const struct {
        int32_t field;
        int64_t number; /* 0 = none */
        const char *part;
    } fields[] = {
        {TLSSHIM_ERROR_VERIFY_CODE, 10, "certificate has expired"},
        {TLSSHIM_ERROR_DEPTH, 2, NULL},
        {TLSSHIM_ERROR_ALERT, 45, "certificate_expired"},
        {TLSSHIM_ERROR_ERRNO, ECONNRESET, "ECONNRESET"},
        {TLSSHIM_ERROR_REASON, 134, "CERTIFICATE_VERIFY_FAILED"},
        {TLSSHIM_ERROR_LIBRARY, 0, "SSL routines"},
        {TLSSHIM_ERROR_SIDE, TLSSHIM_SIDE_PEER, NULL},
        {TLSSHIM_ERROR_SUBJECT, 0, "CN=old.test"},
        {TLSSHIM_ERROR_ISSUER, 0, "CN=ca"},
        {TLSSHIM_ERROR_WANTED_NAME, 0, "api.test"},
        {TLSSHIM_ERROR_NAMES, 0, "DNS:old.test"},
    };
    struct error_detail full = a_full_detail(), none = error_detail_none();
    int32_t result = error_publish(TLSSHIM_E_EXPIRED, &full), empty = error_publish(TLSSHIM_E_EXPIRED, &none);
    char part[ERROR_NAME_CAP];
    int64_t n;

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        int32_t len = tlsshim_error_part(result, fields[i].field, part, sizeof part);

        if (fields[i].part != NULL)
            ck_assert_msg(len == (int32_t)strlen(fields[i].part) && memcmp(part, fields[i].part, (size_t)len) == 0,
                          "field %d: %d %.*s", fields[i].field, (int)len, (int)(len > 0 ? len : 0), part);
        else
            ck_assert_int_eq(len, TLSSHIM_NONE);
        n = -4711;
        ck_assert_int_eq(tlsshim_error_number(result, fields[i].field, &n),
                         fields[i].number ? TLSSHIM_OK : TLSSHIM_NONE);
        ck_assert_int_eq(n, fields[i].number ? fields[i].number : -4711);
        ck_assert_int_eq(tlsshim_error_number(empty, fields[i].field, &n), TLSSHIM_NONE);
        ck_assert_int_eq(tlsshim_error_part(empty, fields[i].field, part, sizeof part), TLSSHIM_NONE);
    }
    ck_assert_result(tlsshim_error_number(result, 0, &n), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_error_number(result, 12, &n), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_error_number(result, TLSSHIM_ERROR_DEPTH, NULL), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_error_part(result, 0, part, sizeof part), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_error_part(result, TLSSHIM_ERROR_NAMES, part, -1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_error_part(result, TLSSHIM_ERROR_NAMES, NULL, 5), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(a_record_without_a_sentence_gives_the_general_text)
{
    struct error_detail detail = error_detail_none();

    ck_assert_str_eq(text_of(error_publish(TLSSHIM_E_EXPIRED, &detail)), code_text(TLSSHIM_E_EXPIRED));
}
END_TEST

START_TEST(a_leaf_at_depth_0_is_told_apart_from_no_depth)
{
    struct error_detail detail = error_detail_none();
    int64_t n = -4711;

    detail.depth = 0;
    ck_assert_int_eq(tlsshim_error_number(error_publish(TLSSHIM_E_EXPIRED, &detail), TLSSHIM_ERROR_DEPTH, &n),
                     TLSSHIM_OK);
    ck_assert_int_eq(n, 0);
}
END_TEST

START_TEST(a_failed_system_call_says_which_and_why)
{
    int32_t result = error_system(ENOENT, "file %s", "/no/such");
    int64_t n = 0;

    ck_assert_result(result, TLSSHIM_E_SYSTEM);
    ck_assert_str_eq(text_of(result), "file /no/such: No such file or directory");
    ck_assert_int_eq(tlsshim_error_number(result, TLSSHIM_ERROR_ERRNO, &n), TLSSHIM_OK);
    ck_assert_int_eq(n, ENOENT);
    result = error_system_as(TLSSHIM_E_CONNECT, ECONNREFUSED, "127.0.0.1 port 1");
    ck_assert_result(result, TLSSHIM_E_CONNECT);
    ck_assert_int_eq(tlsshim_error_number(result, TLSSHIM_ERROR_SIDE, &n), TLSSHIM_OK);
    ck_assert_int_eq(n, TLSSHIM_SIDE_TRANSPORT);
}
END_TEST

START_TEST(a_long_sentence_is_cut_at_a_whole_character)
{
    static const char *const characters[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\x92"};

    for (int c = 0; c < 4; c++)
        for (int shift = 0; shift < 4; shift++) {
            char sentence[4 * ERROR_TEXT_CAP] = "";
            struct bytes in;
            int32_t result;
            const char *text;

            memset(sentence, 'x', (size_t)shift);
            for (int i = 0; i < 300; i++)
                strcat(sentence, characters[c]);
            for (int i = 0; i < 300; i++)
                strcat(sentence, "y");
            result = error_new(TLSSHIM_E_FORMAT, "%s", sentence);
            text = text_of(result);
            ck_assert_uint_ge(strlen(text), ERROR_TEXT_CAP - 8);
            ck_assert_uint_lt(strlen(text), ERROR_TEXT_CAP);
            ck_assert_ok(text_in(text, (int32_t)strlen(text), ERROR_TEXT_CAP, "text", &in));
            ck_assert_int_eq(strncmp(text, sentence, strlen(text)), 0);
        }
}
END_TEST

START_TEST(a_sentence_is_one_clean_line_whatever_is_put_into_it)
{
    static const struct {
        const char *put, *said;
    } cases[] = {
        {"plain", "plain"},
        {"two\nlines\r", "two\\x0alines\\x0d"},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"bad \xc3(", "bad \\xc3("},
        {"c1 \xc2\x9b", "c1 \\xc2\\x9b"},
        {"turned \xe2\x80\xae", "turned \\xe2\\x80\\xae"},
        {"line \xe2\x80\xa8", "line \\xe2\\x80\\xa8"},
        {"back\\slash", "back\\slash"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_str_eq(text_of(error_new(TLSSHIM_E_FORMAT, "%s", cases[i].put)), cases[i].said);
}
END_TEST

enum { WRITERS = 2, WRITES = 20000 };
static _Atomic int32_t latest[WRITERS];
static atomic_bool writing;

static void *write_records(void *which)
{
    _Atomic int32_t *place = which;

    for (int i = 1; i <= WRITES; i++) {
        struct error_detail detail = error_detail_none();

        detail.errno_value = detail.depth = detail.reason = i;
        snprintf(detail.subject, sizeof detail.subject, "%d", i);
        snprintf(detail.names, sizeof detail.names, "%d", i);
        error_say(&detail, "%d", i);
        atomic_store(place, error_publish(TLSSHIM_E_SYSTEM, &detail));
    }
    return NULL;
}

/* Reads records that are just being overwritten, as far back as the ring reaches; each field by itself, so that two may
 * belong to different ages of one record only if the second is gone. */
static void *read_records(void *count)
{
    atomic_int *read = count;

    for (int back = 0; atomic_load(&writing); back = (back + 1) % 8300) {
        int64_t result = atomic_load(&latest[back % WRITERS]) + 256 * back;
        char text[ERROR_TEXT_CAP + 1], subject[ERROR_NAME_CAP];
        int32_t len, subject_len;
        int64_t n = 0;

        if (result >= 0)
            continue;
        len = tlsshim_error_text(result, text, ERROR_TEXT_CAP);
        must_be(len > 0 && len <= ERROR_TEXT_CAP, 1);
        text[len] = 0;
        if (text[0] < '0' || text[0] > '9') /* overwritten, or from before */
            continue;
        subject_len = tlsshim_error_part(result, TLSSHIM_ERROR_SUBJECT, subject, sizeof subject);
        if (subject_len == TLSSHIM_NONE)
            continue;
        must_be(subject_len == len && memcmp(subject, text, (size_t)len) == 0, 1);
        if (tlsshim_error_number(result, TLSSHIM_ERROR_ERRNO, &n) == TLSSHIM_OK) {
            must_be(atol(text), n);
            atomic_fetch_add(read, 1);
        }
    }
    return NULL;
}

START_TEST(a_record_is_never_read_half_written)
{
    pthread_t writers[WRITERS], readers[2];
    atomic_int read = 0;

    atomic_store(&writing, true);
    for (int i = 0; i < WRITERS; i++)
        atomic_store(&latest[i], 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&readers[i], NULL, read_records, &read), 0);
    for (int i = 0; i < WRITERS; i++)
        ck_assert_int_eq(pthread_create(&writers[i], NULL, write_records, &latest[i]), 0);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    atomic_store(&writing, false);
    for (int i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    ck_assert_int_gt(atomic_load(&read), 100);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    TCase *tcase = tcase_create("error");

    tcase_add_test(tcase, every_code_has_a_name_a_text_and_a_constant);
    tcase_add_test(tcase, the_bare_code_is_plain_arithmetic);
    tcase_add_test(tcase, at_least_4096_later_errors_leave_a_record_alone);
    tcase_add_test(tcase, an_overwritten_record_gives_the_general_text);
    tcase_add_test(tcase, a_kept_record_survives_until_it_is_released);
    tcase_add_test(tcase, half_of_the_ring_turns_over_however_many_are_kept);
    tcase_add_test(tcase, floods_of_refused_handles_and_lack_of_memory_take_no_record);
    tcase_add_test(tcase, each_field_of_a_record_is_read_back);
    tcase_add_test(tcase, a_record_without_a_sentence_gives_the_general_text);
    tcase_add_test(tcase, a_leaf_at_depth_0_is_told_apart_from_no_depth);
    tcase_add_test(tcase, a_failed_system_call_says_which_and_why);
    tcase_add_test(tcase, a_long_sentence_is_cut_at_a_whole_character);
    tcase_add_test(tcase, a_sentence_is_one_clean_line_whatever_is_put_into_it);
    tcase_add_test(tcase, a_record_is_never_read_half_written);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
