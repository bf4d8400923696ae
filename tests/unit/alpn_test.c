#include "tls/alpn.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static const struct list {
    const char *text;
    const char *wire;
    int32_t wire_len;
} lists[] = {
    {"", "", 0},
    {"h2", "\2h2", 3},
    {"h2,http/1.1", "\2h2\10http/1.1", 12},
    {"a,b,c", "\1a\1b\1c", 6},
    {"with space", "\12with space", 11},
};
enum { LISTS = sizeof lists / sizeof lists[0] };

static bool says(int64_t result, const char *part)
{
    return strstr(support_text(result), part) != NULL;
}

START_TEST(a_list_becomes_its_wire_form)
{
    char wire[64];
    const struct list *l = &lists[_i];

    ck_assert_int_eq(tlsshim_alpn_encode(l->text, (int32_t)strlen(l->text), wire, sizeof wire), l->wire_len);
    ck_assert_mem_eq(wire, l->wire, (size_t)l->wire_len);
    ck_assert_int_eq(tlsshim_alpn_encode(l->text, (int32_t)strlen(l->text), NULL, 0), l->wire_len);
}
END_TEST

static const struct list odd[] = {
    {"", "", 0},
    {"h2,http/1.1", "\2h2\10http/1.1", 12},
    {"\\x00,\\xff\\xfe", "\1\0\2\xff\xfe", 5},
    {"a\\x2cb,c\\x5cd", "\3a,b\3c\\d", 8},
    {"\\x20", "\1 ", 2},
    {"\\x0a\\x7f", "\2\n\x7f", 3},
};
enum { ODD = sizeof odd / sizeof odd[0] };

START_TEST(a_wire_list_becomes_one_line_of_text)
{
    char text[64];
    const struct list *l = &odd[_i];

    ck_assert_int_eq(tlsshim_alpn_decode(l->wire, l->wire_len, text, sizeof text), (int32_t)strlen(l->text));
    ck_assert_mem_eq(text, l->text, strlen(l->text));
}
END_TEST

START_TEST(empty_and_overlong_names_are_refused_and_placed)
{
    static const struct {
        const char *text;
        const char *place;
    } bad[] = {{",", "byte 0"}, {"a,", "byte"}, {",a", "byte 0"}, {"a,,b", "byte 2"}, {"abc,,", "byte 4"}};
    char long_name[300], wire[600];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int32_t result = tlsshim_alpn_encode(bad[i].text, (int32_t)strlen(bad[i].text), wire, sizeof wire);

        ck_assert_result(result, TLSSHIM_E_FORMAT);
        ck_assert_msg(says(result, bad[i].place), "%s: %s", bad[i].text, support_text(result));
    }
    memset(long_name, 'x', sizeof long_name);
    ck_assert_int_eq(tlsshim_alpn_encode(long_name, 255, wire, sizeof wire), 256);
    ck_assert_result(tlsshim_alpn_encode(long_name, 256, wire, sizeof wire), TLSSHIM_E_FORMAT);
    ck_assert_result(tlsshim_alpn_encode("a\0b", 3, wire, sizeof wire), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_alpn_encode("\xff", 1, wire, sizeof wire), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(wire_lists_that_are_none_are_refused_wherever_they_go)
{
    static const struct list bad[] = {
        {"empty protocol name at byte 0", "\0", 1},
        {"empty protocol name at byte 3", "\2h2\0", 4},
        {"ends within the protocol name at byte 0", "\2", 1},
        {"ends within the protocol name at byte 0", "\2h", 2},
        {"ends within the protocol name at byte 3", "\2h2\377h", 5},
    };
    char out[64];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int32_t results[] = {
            tlsshim_alpn_decode(bad[i].wire, bad[i].wire_len, out, sizeof out),
            tlsshim_alpn_select(bad[i].wire, bad[i].wire_len, "\1a", 2, out, sizeof out),
            tlsshim_alpn_select("\1a", 2, bad[i].wire, bad[i].wire_len, out, sizeof out),
        };

        for (size_t j = 0; j < 3; j++) {
            ck_assert_result(results[j], TLSSHIM_E_FORMAT);
            ck_assert_msg(says(results[j], bad[i].text), "%s", support_text(results[j]));
        }
    }
}
END_TEST

START_TEST(the_first_of_mine_that_they_hold_is_picked)
{
    static const struct {
        const char *mine, *theirs, *picked;
    } cases[] = {
        {"a,b,c", "c,b", "b"}, {"h2,http/1.1", "http/1.1,h2", "h2"},
        {"ab", "a,b", NULL},   {"a", "ab,A", NULL},
        {"", "a", NULL},       {"a", "", NULL},
        {"x,yy", "yy", "yy"},
    };
    char mine[64], theirs[64], name[64];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t m = tlsshim_alpn_encode(cases[i].mine, (int32_t)strlen(cases[i].mine), mine, sizeof mine);
        int32_t t = tlsshim_alpn_encode(cases[i].theirs, (int32_t)strlen(cases[i].theirs), theirs, sizeof theirs);
        int32_t result = tlsshim_alpn_select(mine, m, theirs, t, name, sizeof name);

        if (cases[i].picked == NULL) {
            ck_assert_int_eq(result, TLSSHIM_NONE);
        } else {
            ck_assert_int_eq(result, (int32_t)strlen(cases[i].picked));
            ck_assert_mem_eq(name, cases[i].picked, strlen(cases[i].picked));
        }
    }
}
END_TEST

START_TEST(the_limit_is_65535_bytes)
{
    static char text[70000];
    char *wire = malloc(70000);

    memset(text, 'a', sizeof text);
    for (size_t i = 255; i < sizeof text; i += 256)
        text[i] = ',';
    /* 255 names of 255 letters and one of 254: one length byte more than commas is one too many. */
    ck_assert_int_eq(tlsshim_alpn_encode(text, 65534, wire, 70000), 65535);
    ck_assert_int_eq(tlsshim_alpn_decode(wire, 65535, text, sizeof text), 65534);
    ck_assert_result(tlsshim_alpn_encode(text, 65535, wire, 70000), TLSSHIM_E_LIMIT);
    ck_assert_result(tlsshim_alpn_encode(text, 65536, wire, 70000), TLSSHIM_E_LIMIT);
    ck_assert_result(tlsshim_alpn_decode(text, 65536, wire, 70000), TLSSHIM_E_LIMIT);
    free(wire);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alpn");
    TCase *tests = tcase_create("alpn");

    tcase_add_loop_test(tests, a_list_becomes_its_wire_form, 0, LISTS);
    tcase_add_loop_test(tests, a_wire_list_becomes_one_line_of_text, 0, ODD);
    tcase_add_test(tests, empty_and_overlong_names_are_refused_and_placed);
    tcase_add_test(tests, wire_lists_that_are_none_are_refused_wherever_they_go);
    tcase_add_test(tests, the_first_of_mine_that_they_hold_is_picked);
    tcase_add_test(tests, the_limit_is_65535_bytes);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
