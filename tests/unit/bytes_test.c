#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/support.h"

/* A page that must not be touched. */
static void *a_forbidden_page(size_t len)
{
    void *page = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    ck_assert_ptr_ne(page, MAP_FAILED);
    return page;
}

START_TEST(an_input_pair_is_judged_before_it_is_read)
{
    size_t len = INT32_MAX;
    void *page = a_forbidden_page(len);
    struct bytes in;

    ck_assert_result(bytes_in(page, 17, 16, "data", &in), TLSSHIM_E_LIMIT);
    ck_assert_result(text_in(page, 17, 16, "name", &in), TLSSHIM_E_LIMIT);
    ck_assert_result(text_in(page, INT32_MAX, 16, "name", &in), TLSSHIM_E_LIMIT);
    ck_assert_result(path_in(page, PATH_LIMIT + 1, "path", &in), TLSSHIM_E_LIMIT);
    ck_assert_result(bytes_in(page, -1, 16, "data", &in), TLSSHIM_E_ARGUMENT);
    ck_assert_result(bytes_in(page, INT32_MIN, 16, "data", &in), TLSSHIM_E_ARGUMENT);
    ck_assert_result(text_in(page, -1, 16, "name", &in), TLSSHIM_E_ARGUMENT);
    ck_assert_result(path_in(page, -1, "path", &in), TLSSHIM_E_ARGUMENT);
    ck_assert_result(bytes_in(NULL, 1, 16, "data", &in), TLSSHIM_E_ARGUMENT);
    ck_assert_result(text_in(NULL, 1, 16, "name", &in), TLSSHIM_E_ARGUMENT);
    ck_assert_ok(bytes_in(page, 16, 16, "data", &in)); /* taken, not looked at */
    ck_assert_ptr_eq(in.data, page);
    munmap(page, len);
}
END_TEST

START_TEST(with_length_0_the_pointer_is_not_looked_at)
{
    void *page = a_forbidden_page(1);
    void *const pointers[] = {NULL, page, (void *)1};
    struct bytes in;

    for (int i = 0; i < 3; i++) {
        ck_assert_ok(bytes_in(pointers[i], 0, 16, "data", &in));
        ck_assert_uint_eq(in.len, 0);
        ck_assert_ptr_nonnull(in.data);
        ck_assert_ok(text_in(pointers[i], 0, 16, "name", &in));
        ck_assert_result(path_in(pointers[i], 0, "path", &in), TLSSHIM_E_ARGUMENT);
    }
    munmap(page, 1);
}
END_TEST

START_TEST(an_error_names_the_parameter)
{
    struct bytes in;
    char text[200];
    int32_t result = text_in("\xff", 1, 16, "nickname", &in);
    int32_t len = tlsshim_error_text(result, text, sizeof text);

    ck_assert_int_gt(len, 0);
    ck_assert_msg(memmem(text, (size_t)len, "nickname", 8) != NULL, "%.*s", (int)len, text);
}
END_TEST

static const struct sequence {
    const char *bytes;
    int32_t len;
    bool good;
} sequences[] = {
    {"abc", 3, true},
    {"\x7f", 1, true},
    {"\xc2\x80", 2, true},         /* the least of two */
    {"\xdf\xbf", 2, true},         /* the most of two */
    {"\xe0\xa0\x80", 3, true},     /* the least of three */
    {"\xed\x9f\xbf", 3, true},     /* just below the surrogates */
    {"\xee\x80\x80", 3, true},     /* just above */
    {"\xef\xbf\xbf", 3, true},     /* the most of three */
    {"\xf0\x90\x80\x80", 4, true}, /* the least of four */
    {"\xf4\x8f\xbf\xbf", 4, true}, /* U+10FFFF */
    {"a\0b", 3, false},            /* NUL */
    {"\0", 1, false},
    {"\x80", 1, false}, /* a continuation alone */
    {"\xbf"
     "a",
     2, false},
    {"\xc0\x80", 2, false}, /* overlong */
    {"\xc1\xbf", 2, false},
    {"\xe0\x80\x80", 3, false},
    {"\xe0\x9f\xbf", 3, false},
    {"\xf0\x80\x80\x80", 4, false},
    {"\xf0\x8f\xbf\xbf", 4, false},
    {"\xed\xa0\x80", 3, false}, /* surrogates */
    {"\xed\xbf\xbf", 3, false},
    {"\xed\xa0\xbd\xed\xb2\xa9", 6, false},
    {"\xf4\x90\x80\x80", 4, false}, /* above U+10FFFF */
    {"\xf5\x80\x80\x80", 4, false},
    {"\xf8\x88\x80\x80\x80", 5, false}, /* five and six bytes */
    {"\xfc\x84\x80\x80\x80\x80", 6, false},
    {"\xfe", 1, false},
    {"\xff", 1, false},
    {"\xc3", 1, false}, /* truncated */
    {"\xe2\x82", 2, false},
    {"\xe2", 1, false},
    {"\xf0\x9f\x94", 3, false},
    {"\xf0\x9f", 2, false},
    {"\xc3(", 2, false}, /* broken off by another character */
    {"\xe2\x82"
     "a",
     3, false},
    {"\xf0\x9f\x94"
     "a",
     4, false},
    {"ok\xe2\x82\xac\xc3", 6, false},
};

START_TEST(text_is_utf_8_without_nul_and_nothing_else_passes)
{
    const struct sequence *s = &sequences[_i];
    struct bytes in;
    char *exact = malloc((size_t)s->len); /* so that a sanitizer sees a step too far */

    ck_assert_ptr_nonnull(exact);
    memcpy(exact, s->bytes, (size_t)s->len);
    ck_assert_result(text_in(exact, s->len, 16, "name", &in), s->good ? TLSSHIM_OK : TLSSHIM_E_ARGUMENT);
    free(exact);
}
END_TEST

START_TEST(a_path_is_any_bytes_but_nul)
{
    struct bytes in;

    ck_assert_ok(path_in("/tmp/\xff\xfe", 7, "path", &in));
    ck_assert_uint_eq(in.len, 7);
    ck_assert_result(path_in("/tmp\0/x", 7, "path", &in), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(an_output_gives_its_length_and_is_written_whole_or_not_at_all)
{
    static const char value[] = "value";
    char buf[16];

    for (int32_t cap = 0; cap <= 10; cap++) {
        memset(buf, '#', sizeof buf);
        ck_assert_int_eq(bytes_out(cap == 0 ? NULL : buf, cap, value, 5), 5);
        for (int i = 0; i < 16; i++) /* no terminator, nothing behind, nothing at all when too small */
            ck_assert_int_eq(buf[i], cap >= 5 && i < 5 ? value[i] : '#');
    }
    ck_assert_int_eq(text_out(buf, 16, value), 5);
    ck_assert_int_eq(bytes_out(NULL, 0, NULL, 0), 0);
    ck_assert_result(bytes_out(buf, -1, value, 5), TLSSHIM_E_ARGUMENT);
    ck_assert_result(bytes_out(buf, INT32_MIN, value, 5), TLSSHIM_E_ARGUMENT);
    ck_assert_result(bytes_out(NULL, 5, value, 5), TLSSHIM_E_ARGUMENT);
    ck_assert_result(bytes_out(NULL, 0, value, (size_t)INT32_MAX + 1), TLSSHIM_E_LIMIT);
}
END_TEST

START_TEST(a_room_is_a_pointer_with_enough_capacity)
{
    char buf[1] = {0};

    ck_assert(bytes_room(buf, 1, 1));
    ck_assert(bytes_room(NULL, 0, 0));
    ck_assert(!bytes_room(buf, 0, 1));
    ck_assert(!bytes_room(NULL, 1, 1));
    ck_assert(!bytes_room(buf, -1, 0));
    ck_assert(!bytes_room(NULL, -1, 0));
}
END_TEST

static void says(struct buffer *buffer, const char *want)
{
    ck_assert_msg(!buffer->failed && buffer->len == strlen(want) &&
                      (buffer->len == 0 || memcmp(buffer->data, want, buffer->len) == 0),
                  "\"%.*s\", wanted \"%s\"", (int)buffer->len, (const char *)buffer->data, want);
    buffer_free(buffer);
    ck_assert_ptr_null(buffer->data);
}

START_TEST(a_peers_bytes_are_escaped)
{
    static const struct {
        const char *bytes;
        size_t len;
        size_t most;
        const char *text;
    } cases[] = {
        {"plain", 5, 100, "plain"},
        {"caf\xc3\xa9", 5, 100, "caf\xc3\xa9"},
        {"a\0b", 3, 100, "a\\x00b"},
        {"\x1b[2J\r\n\x7f", 7, 100, "\\x1b[2J\\x0d\\x0a\\x7f"},
        {"\xff\xc3(", 3, 100, "\\xff\\xc3("},
        {"\xe2\x82", 2, 100, "\\xe2\\x82"}, /* truncated at the end of the input */
        {"\\x00", 4, 100, "\\x5cx00"},      /* a backslash is no escape of ours */
        {"\xc2\x85", 2, 100, "\\xc2\\x85"}, /* a line end in Unicode */
        {"\xe2\x80\xae"
         "gpj",
         6, 100, "\\xe2\\x80\\xaegpj"},
        {"abcdef", 6, 6, "abcdef"},
        {"abcdef", 6, 5, "abcde..."},
        {"abcdef", 6, 0, "..."},
        {"", 0, 0, ""},
        {"ab\xe2\x82\xac", 5, 4, "ab..."}, /* whole characters only */
        {"ab\xe2\x82\xac", 5, 5, "ab\xe2\x82\xac"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer buffer = {0};

        buffer_escaped(&buffer, cases[i].bytes, cases[i].len, cases[i].most);
        says(&buffer, cases[i].text);
    }
}
END_TEST

START_TEST(whatever_is_escaped_comes_out_as_one_line_of_utf_8)
{
    uint64_t random = 88172645463325252U;
    struct bytes in;

    for (int i = 0; i < 2000; i++) {
        struct buffer buffer = {0};
        uint8_t bytes[64];

        for (size_t k = 0; k < sizeof bytes; k++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            bytes[k] = (uint8_t)(random >> 20);
        }
        buffer_escaped(&buffer, bytes, random % 64, random >> 8 & 63);
        buffer_text(&buffer, "."); /* so that there is one */
        must_be(text_in(buffer.data, (int32_t)buffer.len, 1000, "text", &in), TLSSHIM_OK);
        must_be(memchr(in.data, '\n', in.len) == NULL && memchr(in.data, 0x1b, in.len) == NULL, 1);
        buffer_free(&buffer);
    }
}
END_TEST

START_TEST(a_buffer_grows_by_text_format_and_hex)
{
    struct buffer buffer = {0};
    char long_text[1000];

    buffer_text(&buffer, "a=");
    buffer_format(&buffer, "%d,%s;", 42, "b");
    buffer_hex(&buffer, "\x00\x9f\xff", 3);
    buffer_add(&buffer, "", 0);
    says(&buffer, "a=42,b;009fff");
    memset(long_text, 'z', sizeof long_text);
    long_text[999] = 0;
    for (int i = 0; i < 100; i++)
        buffer_format(&buffer, "%s", long_text);
    ck_assert_uint_eq(buffer.len, 99900);
    buffer_free(&buffer);
}
END_TEST

START_TEST(a_buffer_goes_out_whole_and_is_gone)
{
    struct buffer buffer = {0};
    char out[3] = "##";

    buffer_text(&buffer, "abc");
    ck_assert_int_eq(buffer_out(&buffer, out, 2), 3);
    ck_assert_int_eq(out[0], '#');
    ck_assert_ptr_null(buffer.data);
    ck_assert_int_eq(buffer_out(&buffer, out, 3), 0); /* empty */
    buffer_text(&buffer, "abc");
    ck_assert_int_eq(buffer_out(&buffer, out, 3), 3);
    ck_assert_mem_eq(out, "abc", 3);
    buffer_text(&buffer, "abc");
    ck_assert_result(buffer_out(&buffer, NULL, 3), TLSSHIM_E_ARGUMENT);
    ck_assert_ptr_null(buffer.data);
}
END_TEST

START_TEST(a_buffer_without_memory_says_so_once_at_the_end)
{
    struct buffer buffer = {0};
    char out[8] = {0};

    buffer_text(&buffer, "abc");
    buffer_add(&buffer, out, (size_t)PTRDIFF_MAX); /* more than there can be; nothing is read */
    ck_assert(buffer.failed);
    buffer_text(&buffer, "d");
    ck_assert_int_eq(buffer_out(&buffer, out, sizeof out), TLSSHIM_E_MEMORY);
    ck_assert(!buffer.failed);
}
END_TEST

START_TEST(texts_are_compared_and_copied_with_their_length)
{
    struct bytes bytes = {(const uint8_t *)"http/1.1", 4};
    char *copy = bytes_dup_text(bytes);

    ck_assert_ptr_nonnull(copy);
    ck_assert_str_eq(copy, "http");
    free(copy);
    ck_assert(bytes_equal_text(bytes, "http"));
    ck_assert(!bytes_equal_text(bytes, "http/"));
    ck_assert(!bytes_equal_text(bytes, "htt"));
}
END_TEST

START_TEST(wiping_leaves_nothing)
{
    uint8_t secret[32];
    uint8_t zero[32] = {0};

    memset(secret, 0xa5, sizeof secret);
    bytes_wipe(secret, sizeof secret);
    ck_assert_mem_eq(secret, zero, sizeof secret);
    bytes_wipe(NULL, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bytes");
    TCase *tcase = tcase_create("bytes");

    tcase_add_test(tcase, an_input_pair_is_judged_before_it_is_read);
    tcase_add_test(tcase, with_length_0_the_pointer_is_not_looked_at);
    tcase_add_test(tcase, an_error_names_the_parameter);
    tcase_add_loop_test(tcase, text_is_utf_8_without_nul_and_nothing_else_passes, 0,
                        (int)(sizeof sequences / sizeof sequences[0]));
    tcase_add_test(tcase, a_path_is_any_bytes_but_nul);
    tcase_add_test(tcase, an_output_gives_its_length_and_is_written_whole_or_not_at_all);
    tcase_add_test(tcase, a_room_is_a_pointer_with_enough_capacity);
    tcase_add_test(tcase, a_peers_bytes_are_escaped);
    tcase_add_test(tcase, whatever_is_escaped_comes_out_as_one_line_of_utf_8);
    tcase_add_test(tcase, a_buffer_grows_by_text_format_and_hex);
    tcase_add_test(tcase, a_buffer_goes_out_whole_and_is_gone);
    tcase_add_test(tcase, a_buffer_without_memory_says_so_once_at_the_end);
    tcase_add_test(tcase, texts_are_compared_and_copied_with_their_length);
    tcase_add_test(tcase, wiping_leaves_nothing);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
