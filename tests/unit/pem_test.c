#include <stdlib.h>

#include "support/pki.h"

#include "base/backend.h"
#include "pki/instant.h"
#include "pki/pem.h"

static struct visit visit;

static void enter(void)
{
    ck_assert_ok(visit_enter(&visit));
}

static void leave(void)
{
    visit_leave(&visit);
}

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

START_TEST(what_is_written_is_read_and_has_the_length_told)
{
    uint8_t der[200];

    for (size_t i = 0; i < sizeof der; i++)
        der[i] = (uint8_t)(i * 7);
    for (size_t len = 1; len <= sizeof der; len++) {
        struct buffer out = {0};
        struct source source;
        struct pem_reader reader;
        struct pem_block block;

        pem_write(&out, "SOME THING", (struct bytes){der, len});
        ck_assert_uint_eq(out.len, pem_length("SOME THING", len));
        source_of(&source, (struct bytes){out.data, out.len});
        ck_assert_ok(pem_start(&reader, &source));
        ck_assert_int_eq(pem_next(&reader, &block), 1);
        ck_assert(pem_is(&block, "SOME THING"));
        ck_assert_uint_eq((size_t)block.len, len);
        ck_assert_mem_eq(block.data, der, len);
        pem_block_end(&block);
        ck_assert_int_eq(pem_next(&reader, &block), 0);
        pem_end(&reader);
        buffer_free(&out);
    }
}
END_TEST

START_TEST(a_damaged_block_is_told_with_its_line)
{
    static const char *const wrong[] = {
        "text\n-----BEGIN X-----\n????\n-----END X-----\n",
        "text\n-----BEGIN X-----\nAAAA\n-----END Y-----\n",
        "text\n-----BEGIN X-----\nAAAA\n",
        "text\n-----BEGIN X-----\nAAA\n-----END X-----\n",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct source source;
        struct pem_reader reader;
        struct pem_block block;
        int32_t result;

        source_of(&source, bytes_of(wrong[i]));
        ck_assert_ok(pem_start(&reader, &source));
        result = pem_next(&reader, &block);
        ck_assert_msg(support_has_code(result, TLSSHIM_E_FORMAT) && error_says(result, "near line "), "%d: %s", (int)i,
                      support_text(result));
        pem_block_end(&block);
        pem_end(&reader);
    }
}
END_TEST

START_TEST(der_is_told_from_text_by_its_first_bytes)
{
    static const struct {
        const char *data;
        size_t len;
        bool der;
    } cases[] = {
        {"\x30\x00", 2, true},
        {"\x30\x03\x02\x01\x00", 5, true},
        {"\x30\x82\x01\x00", 4, true},
        {"0 s:CN = www.test\n", 18, false},
        {"-----BEGIN", 10, false},
        {"", 0, false},
        {"\x30", 1, false},
        {"\x31\x00", 2, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(der_shaped((struct bytes){(const uint8_t *)cases[i].data, cases[i].len}) == cases[i].der,
                      "case %d", (int)i);
}
END_TEST

START_TEST(instants_go_to_asn1_and_back_over_ten_thousand_years)
{
    uint64_t state = 42;

    for (int i = 0; i < 20000; i++) {
        int64_t instant;
        int64_t back = 0;
        ASN1_TIME *time;

        state = state * 6364136223846793005U + 1442695040888963407U;
        instant = INSTANT_MIN + (int64_t)((state >> 11) % (uint64_t)(INSTANT_MAX - INSTANT_MIN + 1));
        time = instant_to_asn1(instant);
        ck_assert(time != NULL);
        ck_assert(instant_from_asn1(time, &back));
        ck_assert_int_eq(back, instant);
        ASN1_TIME_free(time);
    }
}
END_TEST

START_TEST(instants_are_written_as_iso_8601)
{
    static const struct {
        int64_t instant;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},           {-1, "1969-12-31T23:59:59Z"},
        {951868799, "2000-02-29T23:59:59Z"},   {4107542400, "2100-03-01T00:00:00Z"},
        {INSTANT_MIN, "0000-01-01T00:00:00Z"}, {INSTANT_MAX, "9999-12-31T23:59:59Z"},
        {INSTANT_MAX + 1, "unreadable"},       {INT64_MIN, "unreadable"},
    };
    char text[INSTANT_TEXT_CAP];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        instant_text(cases[i].instant, text);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pem");
    TCase *tcase = tcase_create("pem");

    tcase_add_checked_fixture(tcase, enter, leave);
    tcase_add_test(tcase, what_is_written_is_read_and_has_the_length_told);
    tcase_add_test(tcase, a_damaged_block_is_told_with_its_line);
    tcase_add_test(tcase, der_is_told_from_text_by_its_first_bytes);
    tcase_add_test(tcase, instants_go_to_asn1_and_back_over_ten_thousand_years);
    tcase_add_test(tcase, instants_are_written_as_iso_8601);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
