#include "tls/transport.h"

#include <openssl/bio.h>
#include <string.h>

#include "support/support.h"

static void put_in(struct transport *t, const void *data, size_t len)
{
    ck_assert(queue_add(&t->held, data, len));
}

/* Records of these body lengths, in a row. */
static const size_t bodies[] = {1, 0, 300, 0, 0, 16640, 2, 65535, 0, 7};
enum { BODIES = sizeof bodies / sizeof bodies[0] };

static size_t row(uint8_t *out, size_t *ends)
{
    size_t at = 0;

    for (size_t i = 0; i < BODIES; i++) {
        out[at] = 23, out[at + 1] = 3, out[at + 2] = 3;
        out[at + 3] = (uint8_t)(bodies[i] >> 8), out[at + 4] = (uint8_t)bodies[i];
        memset(out + at + 5, 0xaa, bodies[i]);
        at += 5 + bodies[i];
        ends[i] = at;
    }
    return at;
}

/* An empty record is five bytes and no more: what follows it is the next one. */
START_TEST(records_are_counted_whatever_their_length_and_however_they_come)
{
    static uint8_t wire[100000];
    const size_t steps[] = {1, 2, 4, 5, 6, 7, 1000, 100000};
    size_t ends[BODIES], len = row(wire, ends);

    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
        struct transport t;
        BIO *bio;
        uint8_t out[4096];
        size_t taken = 0;

        transport_init(&t);
        bio = transport_bio(&t, NULL);
        ck_assert_ptr_nonnull(bio);
        for (size_t at = 0; at < len; at += steps[s]) {
            size_t step = len - at < steps[s] ? len - at : steps[s];
            size_t expect = 0;
            int got;

            put_in(&t, wire + at, step);
            while (expect < BODIES && ends[expect] <= taken)
                expect++;
            must_be(transport_has_record(&t), expect < BODIES && ends[expect] <= at + step);
            while ((got = BIO_read(bio, out, (int)sizeof out)) > 0)
                taken += (size_t)got;
            expect = 0;
            while (expect < BODIES && ends[expect] <= taken)
                expect++;
            must_be((int64_t)t.framing.records, (int64_t)expect);
            must_be(t.starved, 1);
        }
        must_be((int64_t)taken, (int64_t)len);
        must_be(t.bytes_in, (int64_t)len);
        BIO_free(bio);
        transport_free(&t);
    }
}
END_TEST

/* Before each record the backend moves all that it has behind it. */
START_TEST(a_backend_that_reads_ahead_gets_few_records_at_a_time)
{
    enum { RECORDS = 20, AT_ONCE = 8 };
    static const size_t bodies_of[] = {0, 100, 1024, 16384};
    static uint8_t wire[RECORDS * 16389], out[sizeof wire];

    for (size_t c = 0; c < sizeof bodies_of / sizeof bodies_of[0]; c++) {
        size_t record = 5 + bodies_of[c];
        struct transport t;
        BIO *bio;

        transport_init(&t);
        bio = transport_bio(&t, NULL);
        for (size_t i = 0; i < RECORDS; i++)
            memcpy(wire + i * record, (uint8_t[]){23, 3, 3, (uint8_t)(bodies_of[c] >> 8), (uint8_t)bodies_of[c]}, 5);
        t.in = wire, t.in_len = (uint32_t)(RECORDS * record);
        for (int got, left = RECORDS; left > 0; left -= got) {
            got = BIO_read(bio, out, (int)sizeof out) / (int)record;
            must_be(got, left < AT_ONCE ? left : AT_ONCE);
        }
        must_be((int64_t)t.framing.records, RECORDS);
        BIO_free(bio);
        transport_free(&t);
    }
}
END_TEST

START_TEST(what_was_fed_comes_before_the_callers_bytes_and_the_end_after_both)
{
    struct transport t;
    BIO *bio;
    char out[8];

    transport_init(&t);
    bio = transport_bio(&t, NULL);
    put_in(&t, "abc", 3);
    t.in = (const uint8_t *)"defg";
    t.in_len = 4;
    t.ended = true;
    ck_assert(!BIO_eof(bio));
    ck_assert_int_eq(BIO_read(bio, out, 2), 2);
    ck_assert_mem_eq(out, "ab", 2);
    ck_assert_int_eq(BIO_read(bio, out, 8), 1);
    ck_assert_mem_eq(out, "c", 1);
    ck_assert_int_eq(BIO_read(bio, out, 3), 3);
    ck_assert_mem_eq(out, "def", 3);
    ck_assert(!BIO_eof(bio));
    ck_assert_int_eq(BIO_read(bio, out, 8), 1);
    ck_assert(BIO_eof(bio));
    ck_assert_int_eq(BIO_read(bio, out, 8), 0);
    ck_assert(!BIO_should_retry(bio));
    ck_assert_int_eq((int64_t)t.first_len, 7);
    ck_assert_mem_eq(t.first, "abcdefg", 7);
    BIO_free(bio);
    transport_free(&t);
}
END_TEST

START_TEST(writes_fill_the_callers_buffer_and_the_rest_waits_in_order)
{
    struct transport t;
    BIO *bio;
    uint8_t out[10];

    transport_init(&t);
    bio = transport_bio(&t, NULL);
    t.out = out;
    t.out_cap = sizeof out;
    ck_assert_int_eq(BIO_write(bio, "0123456", 7), 7);
    ck_assert_int_eq(BIO_write(bio, "789abc", 6), 6);
    ck_assert_int_eq(BIO_write(bio, "def", 3), 3);
    ck_assert_int_eq((int64_t)t.out_len, 10);
    ck_assert_mem_eq(out, "0123456789", 10);
    ck_assert_int_eq((int64_t)t.left.len, 6);
    t.out_len = (uint32_t)queue_take(&t.left, out, sizeof out);
    ck_assert_mem_eq(out, "abcdef", 6);
    ck_assert_int_eq(t.bytes_out, 16);
    BIO_free(bio);
    transport_free(&t);
}
END_TEST

START_TEST(unknown_controls_get_0_and_flush_gets_1)
{
    struct transport t;
    BIO *bio;

    transport_init(&t);
    bio = transport_bio(&t, NULL);
    ck_assert_int_eq(BIO_flush(bio), 1);
    for (int command = 1; command < 200; command++)
        if (command != BIO_CTRL_FLUSH && command != BIO_CTRL_EOF)
            must_be(BIO_ctrl(bio, command, 0, NULL), 0);
    BIO_free(bio);
    transport_free(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transport");
    TCase *tests = tcase_create("transport");

    tcase_add_test(tests, records_are_counted_whatever_their_length_and_however_they_come);
    tcase_add_test(tests, a_backend_that_reads_ahead_gets_few_records_at_a_time);
    tcase_add_test(tests, what_was_fed_comes_before_the_callers_bytes_and_the_end_after_both);
    tcase_add_test(tests, writes_fill_the_callers_buffer_and_the_rest_waits_in_order);
    tcase_add_test(tests, unknown_controls_get_0_and_flush_gets_1);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
