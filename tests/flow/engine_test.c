#include <stdlib.h>
#include <string.h>

#include "support/pair.h"

/* Pairs that are joined by hand, one for each version. */
static struct pair *joined(int version)
{
    struct pair *pair = pair_connected(ways[version * 4 + 2]);

    pair_settle(pair);
    return pair;
}

static bool is_readable(int64_t conn)
{
    return (tlsshim_conn_state(conn) & TLSSHIM_STATE_READABLE) != 0;
}

static void fill(uint8_t *data, int32_t len, unsigned seed)
{
    for (int32_t i = 0; i < len; i++)
        data[i] = (uint8_t)(seed + (unsigned)i * 7 + (unsigned)(i >> 8));
}

/* --- counts are exact --- */

START_TEST(drain_gives_exactly_what_pending_out_says)
{
    static uint8_t plain[70000], wire[100000];
    static const int32_t lengths[] = {1, 100, 16384, 16385, 65536};
    struct pair *pair = pair_new(client_context(ways[_i].version, certs()->trust, 0),
                                 server_context(ways[_i].version, certs()->server, 0, 0), 512);
    int64_t ends[] = {pair->client, pair->server};

    for (int steps = 0; steps < 12; steps++) { /* a handshake has fewer flights */
        int64_t from = ends[steps % 2], to = ends[1 - steps % 2];
        int32_t pending, got = 0, step;

        (void)tlsshim_conn_handshake(from);
        pending = tlsshim_conn_pending_out(from);
        ck_assert_int_eq((tlsshim_conn_state(from) & TLSSHIM_STATE_OUTPUT_PENDING) != 0, pending > 0);
        while ((step = tlsshim_conn_drain(from, wire + got, 100 + got)) > 0) {
            got += step;
            must_be(tlsshim_conn_pending_out(from), pending - got);
        }
        ck_assert_int_eq(got, pending);
        ck_assert_int_eq(tlsshim_conn_feed(to, wire, got), got);
    }
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        int32_t pending;

        ck_assert_int_eq(tlsshim_conn_write(pair->client, plain, lengths[i]), lengths[i]);
        pending = tlsshim_conn_pending_out(pair->client);
        ck_assert_int_gt(pending, lengths[i]);
        ck_assert_int_eq(tlsshim_conn_drain(pair->client, wire, 10), 10);
        ck_assert_int_eq(tlsshim_conn_pending_out(pair->client), pending - 10);
        ck_assert_int_eq(tlsshim_conn_drain(pair->client, wire, sizeof wire), pending - 10);
        ck_assert_int_eq(tlsshim_conn_drain(pair->client, wire, sizeof wire), 0);
    }
}
END_TEST

START_TEST(pending_counts_what_a_read_gives_at_once)
{
    struct pair *pair = joined(_i);
    static uint8_t plain[16384], back[16384];

    fill(plain, sizeof plain, 1);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, plain, sizeof plain), (int32_t)sizeof plain);
    pair_settle(pair);
    ck_assert_int_eq(tlsshim_conn_pending(pair->server), 0); /* there, but not decrypted */
    ck_assert(is_readable(pair->server));
    for (int32_t at = 0, step = 1; at < (int32_t)sizeof plain; at += step, step = step * 2 + 1) {
        int32_t want = step < (int32_t)sizeof plain - at ? step : (int32_t)sizeof plain - at;

        ck_assert_int_eq(tlsshim_conn_peek(pair->server, back, want), want);
        ck_assert_mem_eq(back, plain + at, (size_t)want);
        ck_assert_int_eq(tlsshim_conn_pending(pair->server), (int32_t)sizeof plain - at);
        ck_assert_int_eq(tlsshim_conn_read(pair->server, back, want), want);
        ck_assert_mem_eq(back, plain + at, (size_t)want);
        ck_assert_int_eq(tlsshim_conn_pending(pair->server), (int32_t)sizeof plain - at - want);
        ck_assert_int_eq(is_readable(pair->server), at + want < (int32_t)sizeof plain);
    }
}
END_TEST

/* Whether or not somebody tries to read at each byte. */
START_TEST(readable_means_a_complete_record)
{
    struct pair *pair = joined(_i / 2);
    bool trying = _i % 2 == 1;
    uint8_t wire[2048], plain[1024], back[2048];
    int32_t first, len;

    fill(plain, sizeof plain, 3);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, plain, 1000), 1000);
    first = tlsshim_conn_drain(pair->client, wire, sizeof wire);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, plain, 10), 10);
    len = first + tlsshim_conn_drain(pair->client, wire + first, (int32_t)sizeof wire - first);
    for (int32_t at = 0; at < len; at++) {
        bool whole = at + 1 == first || at + 1 == len;

        must_be(tlsshim_conn_feed(pair->server, wire + at, 1), 1);
        must_be(is_readable(pair->server), whole);
        if (whole) {
            must_be(tlsshim_conn_read(pair->server, back, sizeof back), at + 1 == first ? 1000 : 10);
            must_be(is_readable(pair->server), 0);
        } else if (trying) {
            must_be(tlsshim_conn_read(pair->server, back, sizeof back), TLSSHIM_WANT_FEED);
            must_be(tlsshim_conn_peek(pair->server, back, sizeof back), TLSSHIM_WANT_FEED);
        }
    }
}
END_TEST

/* --- how much is taken --- */

START_TEST(feed_takes_64_KiB_when_empty_and_0_when_full_also_before_the_first_step)
{
    struct pair *pair = joined(_i);
    static uint8_t wire[400000], plain[65536];
    int32_t len = 0, at = 0, result;

    while (len < 300000) {
        ck_assert_int_gt(tlsshim_conn_write(pair->client, plain, sizeof plain), 0);
        len += tlsshim_conn_drain(pair->client, wire + len, (int32_t)sizeof wire - len);
    }
    while ((result = tlsshim_conn_feed(pair->server, wire + at, len - at)) > 0) {
        ck_assert(at > 0 || result >= 65536);
        at += result;
    }
    ck_assert_int_eq(result, 0);
    ck_assert_int_lt(at, len);
    for (int32_t got = 0; got < 4 * 65536 || at < len;) { /* it comes out whole, and makes room */
        result = tlsshim_conn_read(pair->server, plain, sizeof plain);
        ck_assert_int_gt(result, 0);
        got += result;
        at += tlsshim_conn_feed(pair->server, wire + at, len - at);
    }
    pair = pair_new(client_context(0, certs()->trust, 0), server_context(0, certs()->server, 0, 0), 512);
    ck_assert_int_eq(tlsshim_conn_handshake(pair->client), TLSSHIM_WANT_DRAIN);
    len = tlsshim_conn_drain(pair->client, wire, sizeof wire);
    ck_assert_int_eq(tlsshim_conn_feed(pair->server, wire, len), len);
    ck_assert_int_eq(tlsshim_conn_pending_out(pair->server), 0);
    pair_connect(pair);
}
END_TEST

START_TEST(write_takes_64_KiB_when_empty_and_wants_a_drain_when_full)
{
    struct pair *pair = joined(_i);
    static uint8_t plain[200000], wire[200000];
    int32_t first = tlsshim_conn_write(pair->client, plain, sizeof plain);

    ck_assert_int_ge(first, 65536);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, plain, sizeof plain), TLSSHIM_WANT_DRAIN);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, plain, 0), 0);
    ck_assert_int_eq(tlsshim_conn_read(pair->client, wire, sizeof wire), TLSSHIM_WANT_DRAIN);
    ck_assert_int_gt(tlsshim_conn_drain(pair->client, wire, sizeof wire), first);
    ck_assert_int_ge(tlsshim_conn_write(pair->client, plain, sizeof plain), 65536);
}
END_TEST

START_TEST(a_read_wants_a_drain_while_written_bytes_wait)
{
    struct pair *pair = joined(_i);
    char data[64];

    ck_assert_int_eq(tlsshim_conn_write(pair->client, "x", 1), 1);
    ck_assert_int_eq(tlsshim_conn_read(pair->client, data, sizeof data), TLSSHIM_WANT_DRAIN);
    ck_assert_int_eq(tlsshim_conn_handshake(pair->client), TLSSHIM_WANT_DRAIN);
    ck_assert_int_gt(tlsshim_conn_drain(pair->client, data, sizeof data), 0);
    ck_assert_int_eq(tlsshim_conn_read(pair->client, data, sizeof data), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(tlsshim_conn_handshake(pair->client), TLSSHIM_OK);
}
END_TEST

/* --- gathering --- */

START_TEST(many_small_writes_are_one_record)
{
    struct pair *pair = joined(_i);
    int64_t records = number_of(pair->client, TLSSHIM_CONN_RECORDS_OUT);
    uint8_t wire[16384], plain[64];

    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(tlsshim_conn_write(pair->client, plain, sizeof plain), (int32_t)sizeof plain);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_RECORDS_OUT), records);
    ck_assert_int_lt(tlsshim_conn_drain(pair->client, wire, sizeof wire), 6400 + 40);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_RECORDS_OUT), records + 1);
}
END_TEST

START_TEST(a_cork_holds_back_what_fills_no_record)
{
    struct pair *pair = joined(_i);
    static uint8_t plain[20000], wire[40000];
    int32_t taken = -1;

    ck_assert_ok(tlsshim_conn_cork(pair->client, 1));
    ck_assert_int_eq(tlsshim_conn_write(pair->client, plain, 100), 100);
    ck_assert_int_eq(tlsshim_conn_pending_out(pair->client), 0);
    ck_assert_int_eq(tlsshim_conn_drain(pair->client, wire, sizeof wire), 0);
    ck_assert_int_eq(tlsshim_conn_read(pair->client, wire, sizeof wire), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, plain, 16384), 16384);
    ck_assert_int_lt(tlsshim_conn_drain(pair->client, wire, sizeof wire), 16384 + 40); /* one record, 100 are left */
    ck_assert_int_eq(tlsshim_conn_drain(pair->client, wire, sizeof wire), 0);
    ck_assert_int_eq(tlsshim_conn_seal(pair->client, plain, 50, wire, sizeof wire, &taken), 0);
    ck_assert_int_eq(taken, 50);
    ck_assert_ok(tlsshim_conn_cork(pair->client, 0));
    ck_assert_int_gt(tlsshim_conn_pending_out(pair->client), 150);
    ck_assert_int_lt(tlsshim_conn_drain(pair->client, wire, sizeof wire), 150 + 40);
    ck_assert_result(tlsshim_conn_cork(pair->client, 2), TLSSHIM_E_ARGUMENT);
}
END_TEST

/* --- open and seal --- */

START_TEST(seal_and_open_work_at_every_capacity_and_split)
{
    struct pair *pair = joined(_i);
    static uint8_t plain[300], wire[4096], back[600];

    fill(plain, sizeof plain, 5);
    for (int32_t cap = 1; cap <= 400; cap += cap < 60 ? 1 : 37) {
        for (int32_t split = 1; split <= 400; split += split < 8 ? 1 : 29) {
            int32_t len = 0, sealed = 0, opened = 0, at = 0, steps = 0;

            while (sealed < (int32_t)sizeof plain || tlsshim_conn_pending_out(pair->client) > 0) {
                int32_t step = (int32_t)sizeof plain - sealed < split ? (int32_t)sizeof plain - sealed : split;
                int32_t taken = -1;
                int32_t got = tlsshim_conn_seal(pair->client, plain + sealed, step, wire + len, cap, &taken);

                if (got < 0 || got > cap || taken < 0 || taken > step || steps++ > 20000)
                    ck_abort_msg("seal with room %d gives %d, taken %d of %d", cap, got, taken, step);
                len += got;
                sealed += taken;
                if (len > 3500)
                    break;
            }
            while (tlsshim_conn_pending_out(pair->client) > 0)
                len += tlsshim_conn_drain(pair->client, wire + len, (int32_t)sizeof wire - len);
            for (steps = 0; at < len || tlsshim_conn_pending(pair->server) > 0;) {
                int32_t step = len - at < split ? len - at : split;
                int32_t taken = -1;
                int32_t room = cap < (int32_t)sizeof back - opened ? cap : (int32_t)sizeof back - opened;
                int32_t got = tlsshim_conn_open(pair->server, wire + at, step, back + opened, room, &taken);

                if ((got < 0 && got != TLSSHIM_WANT_FEED) || got > room || taken < 0 || taken > step || steps++ > 20000)
                    ck_abort_msg("open with room %d gives %s, taken %d of %d", room, support_text(got), taken, step);
                at += taken;
                opened += got > 0 ? got : 0;
            }
            if (opened != sealed || memcmp(back, plain, (size_t)opened) != 0)
                ck_abort_msg("%d bytes were sealed, %d opened (room %d, split %d)", sealed, opened, cap, split);
        }
    }
}
END_TEST

START_TEST(open_takes_many_records_in_one_call_and_leaves_nothing_behind)
{
    struct pair *pair = joined(_i);
    static uint8_t wire[16384], back[16384];
    int32_t len = 0, taken = -1;
    int64_t memory;

    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(tlsshim_conn_write(pair->client, back, 100), 100);
        len += tlsshim_conn_drain(pair->client, wire + len, (int32_t)sizeof wire - len);
    }
    memory = tlsshim_memory(pair->server);
    ck_assert_int_eq(tlsshim_conn_open(pair->server, wire, len, back, sizeof back, &taken), 5000);
    ck_assert_int_eq(taken, len);
    ck_assert_int_eq(tlsshim_conn_pending(pair->server), 0);
    ck_assert(!is_readable(pair->server));
    ck_assert_int_eq(tlsshim_memory(pair->server), memory);
    ck_assert_int_eq(tlsshim_conn_open(pair->server, "", 0, back, sizeof back, &taken), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(taken, 0);
}
END_TEST

START_TEST(open_uses_what_was_fed_first_and_seal_what_was_written)
{
    struct pair *pair = joined(_i);
    uint8_t wire[1024];
    char back[64];
    int32_t first, len, taken = -1;

    ck_assert_int_eq(tlsshim_conn_write(pair->client, "abc", 3), 3);
    len = tlsshim_conn_seal(pair->client, "def", 3, wire, sizeof wire, &taken);
    ck_assert_int_eq(taken, 3);
    ck_assert_int_gt(len, 0);
    first = tlsshim_conn_feed(pair->server, wire, 20);
    ck_assert_int_eq(first, 20);
    ck_assert_int_eq(tlsshim_conn_open(pair->server, wire + first, len - first, back, sizeof back, &taken), 6);
    ck_assert_int_eq(taken, len - first);
    ck_assert_mem_eq(back, "abcdef", 6);
}
END_TEST

START_TEST(a_handshake_can_be_made_of_open_and_seal_alone)
{
    struct pair *pair = pair_new(client_context(ways[_i].version, certs()->trust, 0),
                                 server_context(ways[_i].version, certs()->server, 0, 0), 512);
    int64_t ends[] = {pair->client, pair->server};
    static uint8_t wire[2][8192];
    int32_t lens[2] = {0, 0}, room = _i % 4 == 0 ? 1 : _i % 4 == 1 ? 100 : 8000, sent = 0;
    char back[64];

    for (int steps = 0; sent < 2; steps++) {
        for (int i = 0; i < 2; i++) {
            bool done = (tlsshim_conn_state(ends[i]) & TLSSHIM_STATE_HANDSHAKE_DONE) != 0;
            int32_t taken = -1, got, len = lens[1 - i] < room ? lens[1 - i] : room;

            got = tlsshim_conn_open(ends[i], wire[1 - i], len, back, sizeof back, &taken);
            if (got == 4 && done)
                sent++;
            else if (got != TLSSHIM_WANT_FEED && got != TLSSHIM_WANT_DRAIN)
                ck_abort_msg("open: %s", support_text(got));
            lens[1 - i] -= taken;
            memmove(wire[1 - i], wire[1 - i] + taken, (size_t)lens[1 - i]);
            got = tlsshim_conn_seal(ends[i], "ping", done && steps % 2 == 0 && sent < 2 ? 4 : 0, wire[i] + lens[i],
                                    room < 8192 - lens[i] ? room : 8192 - lens[i], &taken);
            if (got < 0 && got != TLSSHIM_WANT_FEED)
                ck_abort_msg("seal: %s", support_text(got));
            if (taken != 0 && (!done || (taken != 4 && taken != 0)))
                ck_abort_msg("seal takes %d", taken);
            lens[i] += got > 0 ? got : 0;
            if (lens[i] > 8000)
                ck_abort_msg("too much");
        }
        if (steps > 50000)
            ck_abort_msg("the handshake does not end");
    }
}
END_TEST

/* --- keys --- */

START_TEST(keys_change_on_demand_in_one_direction_or_both)
{
    struct pair *pair = joined(1);
    int64_t records = number_of(pair->server, TLSSHIM_CONN_RECORDS_OUT);

    for (int both = 0; both < 2; both++) {
        for (int i = 0; i < 5; i++) {
            ck_assert_int_eq(tlsshim_conn_key_update(pair->client, both), TLSSHIM_OK);
            ck_assert_int_gt(tlsshim_conn_pending_out(pair->client), 0);
            pair_send(pair, true, "after", 5);
            pair_send(pair, false, "after", 5);
        }
        /* tickets with the first, five answers, and five updates where they were asked for */
        ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_RECORDS_OUT), records + (both ? 17 : 7));
    }
    ck_assert_result(tlsshim_conn_key_update(pair->client, 2), TLSSHIM_E_ARGUMENT);
    ck_assert_int_eq(tlsshim_conn_shutdown(pair->client), TLSSHIM_WANT_DRAIN);
    ck_assert_result(tlsshim_conn_key_update(pair->client, 0), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_key_update(joined(0)->client, 0), TLSSHIM_E_UNSUPPORTED);
}
END_TEST

START_TEST(a_flood_of_key_updates_holds_nobody_and_fills_nothing)
{
    struct pair *pair = joined(1);
    static uint8_t wire[1 << 20], back[65536];
    int32_t len = 0, at = 0, updates = 0, drained, result;

    while (updates < 10000) {
        result = tlsshim_conn_key_update(pair->client, 1);
        updates += result == TLSSHIM_OK;
        if (result == TLSSHIM_WANT_DRAIN)
            len += tlsshim_conn_drain(pair->client, wire + len, (int32_t)sizeof wire - len);
        else
            must_be(result, TLSSHIM_OK);
    }
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "end", 3), 3);
    while ((result = tlsshim_conn_drain(pair->client, wire + len, (int32_t)sizeof wire - len)) > 0)
        len += result;
    for (int steps = 0;; steps++) {
        at += tlsshim_conn_feed(pair->server, wire + at, len - at);
        result = tlsshim_conn_read(pair->server, back, sizeof back);
        if (tlsshim_conn_pending_out(pair->server) > 300000 || steps > 1000)
            ck_abort_msg("%d bytes wait after %d steps", tlsshim_conn_pending_out(pair->server), steps);
        if (result == 3)
            break;
        if (result != TLSSHIM_WANT_FEED && result != TLSSHIM_WANT_DRAIN)
            ck_abort_msg("read: %s", support_text(result));
        while (result == TLSSHIM_WANT_DRAIN && (drained = tlsshim_conn_drain(pair->server, back, sizeof back)) > 0) {
            must_be(tlsshim_conn_feed(pair->client, back, drained), drained);
            must_be(tlsshim_conn_read(pair->client, back, sizeof back), TLSSHIM_WANT_FEED); /* answers need no answer */
        }
    }
    ck_assert_int_eq(at, len);
}
END_TEST

/* --- much of it --- */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

struct stream {
    int64_t from, to;
    uint32_t out, in; /* where the writer and the reader of the endless text are */
    int64_t written, got;
};

static uint8_t letter(uint32_t at)
{
    return (uint8_t)(at ^ at >> 7 ^ at >> 15);
}

static void flow_some(struct stream *s, int64_t total, uint32_t *random)
{
    static uint8_t data[100000];
    int32_t len = (int32_t)(next_random(random) % sizeof data), result;

    if (len > total - s->written)
        len = (int32_t)(total - s->written);
    for (int32_t i = 0; i < len; i++)
        data[i] = letter(s->out + (uint32_t)i);
    result = len == 0 ? 0 : tlsshim_conn_write(s->from, data, len);
    if (result < 0 && result != TLSSHIM_WANT_DRAIN)
        ck_abort_msg("write: %s", support_text(result));
    s->written += result > 0 ? result : 0;
    s->out += result > 0 ? (uint32_t)result : 0;
    result = tlsshim_conn_read(s->to, data, (int32_t)(1 + next_random(random) % (sizeof data - 1)));
    if (result < 0 && result != TLSSHIM_WANT_DRAIN && result != TLSSHIM_WANT_FEED)
        ck_abort_msg("read: %s", support_text(result));
    for (int32_t i = 0; i < result; i++)
        if (data[i] != letter(s->in + (uint32_t)i))
            ck_abort_msg("byte %lld is another", (long long)s->got + i);
    s->got += result > 0 ? result : 0;
    s->in += result > 0 ? (uint32_t)result : 0;
}

START_TEST(megabytes_go_both_ways_at_once_unchanged)
{
    struct pair *pair = pair_connected(ways[_i]);
    int64_t total = ways[_i].room == 1 ? 100000 : ways[_i].room == 512 ? 2 << 20 : 10 << 20;
    struct stream up = {.from = pair->client, .to = pair->server}, down = {.from = pair->server, .to = pair->client};
    uint32_t random = 12345;

    while (up.got < total || down.got < total) {
        bool moved = false;

        flow_some(&up, total, &random);
        flow_some(&down, total, &random);
        for (int i = 0; i < (ways[_i].room == 1 ? 20000 : 200) && pair_move(pair); i++)
            moved = true;
        if (!moved && up.written == total && down.written == total && tlsshim_conn_pending(pair->client) == 0 &&
            tlsshim_conn_pending(pair->server) == 0 && !is_readable(pair->client) && !is_readable(pair->server) &&
            (up.got < total || down.got < total))
            ck_abort_msg("%lld and %lld of %lld bytes came", (long long)up.got, (long long)down.got, (long long)total);
    }
    ck_assert_int_eq(up.got, total);
    ck_assert_int_eq(down.got, total);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine");
    TCase *tests = tcase_create("engine");

    certs();
    tcase_set_timeout(tests, 100);
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, drain_gives_exactly_what_pending_out_says, 3, 5);
    tcase_add_loop_test(tests, pending_counts_what_a_read_gives_at_once, 0, 2);
    tcase_add_loop_test(tests, readable_means_a_complete_record, 0, 4);
    tcase_add_loop_test(tests, feed_takes_64_KiB_when_empty_and_0_when_full_also_before_the_first_step, 0, 2);
    tcase_add_loop_test(tests, write_takes_64_KiB_when_empty_and_wants_a_drain_when_full, 0, 2);
    tcase_add_loop_test(tests, a_read_wants_a_drain_while_written_bytes_wait, 0, 2);
    tcase_add_loop_test(tests, many_small_writes_are_one_record, 0, 2);
    tcase_add_loop_test(tests, a_cork_holds_back_what_fills_no_record, 0, 2);
    tcase_add_loop_test(tests, seal_and_open_work_at_every_capacity_and_split, 0, 2);
    tcase_add_loop_test(tests, open_takes_many_records_in_one_call_and_leaves_nothing_behind, 0, 2);
    tcase_add_loop_test(tests, open_uses_what_was_fed_first_and_seal_what_was_written, 0, 2);
    tcase_add_loop_test(tests, a_handshake_can_be_made_of_open_and_seal_alone, 0, WAYS);
    tcase_add_test(tests, keys_change_on_demand_in_one_direction_or_both);
    tcase_add_test(tests, a_flood_of_key_updates_holds_nobody_and_fills_nothing);
    tcase_add_loop_test(tests, megabytes_go_both_ways_at_once_unchanged, 0, WAYS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
