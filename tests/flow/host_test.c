/* What a host has of OpenSSL's own in its thread, while calls move application data and what comes among it. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

#include "support/pair.h"

enum { STALE = 3 };

static OSSL_LIB_CTX *mine;

static void leave_errors(int count)
{
    ERR_clear_error();
    for (int i = 0; i < count; i++)
        ERR_raise(ERR_LIB_USER, 100 + i);
}

static void has_errors(int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(ERR_GET_REASON(ERR_get_error()), 100 + i);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_ptr_eq(OSSL_LIB_CTX_set0_default(mine), mine);
}

/* Checks errors and default context around a call. */
#define SEEN(count, call) (leave_errors(count), (call), has_errors(count))

static OSSL_LIB_CTX *hosts;

/* The thread has a default context of its own, until hosts_context. (NULL would leave things as they are.) */
static void own_context(void)
{
    mine = OSSL_LIB_CTX_new();
    hosts = OSSL_LIB_CTX_set0_default(mine);
}

static void hosts_context(void)
{
    OSSL_LIB_CTX_set0_default(hosts);
    OSSL_LIB_CTX_free(mine);
}

START_TEST(calls_that_move_data_leave_the_hosts_errors_and_context)
{
    struct pair *pair = pair_connected(ways[_i / 2]);
    int stale = _i % 2 == 0 ? 0 : STALE;
    uint8_t wire[PIPE_MOST], plain[64];
    int32_t sealed, taken, opened;

    pair_settle(pair);
    own_context();
    for (int turn = 0; turn < 3; turn++) {
        SEEN(stale, sealed = tlsshim_conn_seal(pair->client, "some data", 9, wire, sizeof wire, &taken));
        ck_assert_int_gt(sealed, 9);
        SEEN(stale, opened = tlsshim_conn_open(pair->server, wire, sealed, plain, sizeof plain, &taken));
        ck_assert_int_eq(opened, 9);
        SEEN(stale, opened = tlsshim_conn_write(pair->server, "some", 4));
        ck_assert_int_eq(opened, 4);
        SEEN(stale, sealed = tlsshim_conn_drain(pair->server, wire, sizeof wire));
        SEEN(stale, taken = tlsshim_conn_feed(pair->client, wire, sealed));
        ck_assert_int_eq(taken, sealed);
        SEEN(stale, opened = tlsshim_conn_read(pair->client, plain, sizeof plain)); /* with tickets at first */
        ck_assert_int_eq(opened, 4);
        SEEN(stale, opened = tlsshim_conn_read(pair->client, plain, sizeof plain));
        ck_assert_int_eq(opened, TLSSHIM_WANT_FEED);
        SEEN(stale, (void)tlsshim_conn_state(pair->client));
    }
    hosts_context();
}
END_TEST

/* A key update comes between data: it is processed in the middle of a read. */
START_TEST(a_key_update_amid_data_leaves_the_hosts_errors_and_context)
{
    struct pair *pair = pair_connected(ways[_i]);
    uint8_t wire[PIPE_MOST], plain[64];
    int32_t len, taken, opened;

    if (number_of(pair->client, TLSSHIM_CONN_VERSION) < TLSSHIM_TLS_1_3)
        return;
    pair_settle(pair);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "before", 6), 6);
    ck_assert_int_ge(tlsshim_conn_key_update(pair->client, 1), TLSSHIM_WANT_DRAIN);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "after", 5), 5);
    len = tlsshim_conn_drain(pair->client, wire, sizeof wire);
    own_context();
    for (int stale = 0; stale <= STALE; stale += STALE) {
        SEEN(stale, opened = tlsshim_conn_open(pair->server, wire, stale == 0 ? len : 0, plain, sizeof plain, &taken));
        if (stale == 0)
            ck_assert_mem_eq(plain, "beforeafter", (size_t)opened);
        else
            ck_assert_int_lt(opened, 0);
    }
    /* Its own key update, since both was asked for, goes out with what it sends next. */
    SEEN(0, len = tlsshim_conn_seal(pair->server, "answer", 6, wire, sizeof wire, &taken));
    SEEN(0, opened = tlsshim_conn_open(pair->client, wire, len, plain, sizeof plain, &taken));
    ck_assert_int_eq(opened, 6);
    ck_assert_int_eq(taken, len);
    hosts_context();
}
END_TEST

START_TEST(a_damaged_record_leaves_the_hosts_errors_and_context)
{
    struct pair *pair = pair_connected(ways[_i / 2]);
    int stale = _i % 2 == 0 ? 0 : STALE;
    uint8_t wire[PIPE_MOST], plain[64];
    int32_t sealed, taken, result;

    pair_settle(pair);
    sealed = tlsshim_conn_seal(pair->client, "some data", 9, wire, sizeof wire, &taken);
    wire[sealed - 1] ^= 1;
    own_context();
    SEEN(stale, result = tlsshim_conn_open(pair->server, wire, sealed, plain, sizeof plain, &taken));
    ck_assert_result(result, TLSSHIM_E_PROTOCOL);
    SEEN(stale, taken = tlsshim_conn_drain(pair->server, wire, sizeof wire));
    ck_assert_int_gt(taken, 0); /* the alert */
    hosts_context();
}
END_TEST

/* Many records at once, handed over in pieces of every kind: what is read ahead is neither lost nor doubled. */
START_TEST(records_read_ahead_come_out_whole)
{
    static const int32_t pieces[] = {1, 5, 6, 100, 4096, 16384, 20000, 65536};
    static uint8_t sent[65536], wire[4 * PIPE_MOST], got[sizeof sent];
    struct pair *pair = pair_connected(ways[_i]);
    uint8_t room[700];

    if (ways[_i].room == 0) /* bytes are moved by hand here */
        return;
    pair_settle(pair);
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)(i * 31 >> 3);
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        int32_t len = 0, have = 0, taken, count;

        for (int32_t at = 0, size = 1; at < 60000; at += size, size = size * 3 % 16001) {
            size = at + size > 60000 ? 60000 - at : size;
            len += tlsshim_conn_seal(pair->client, sent + at, size, wire + len, (int32_t)sizeof wire - len, &taken);
            ck_assert_int_eq(taken, size);
        }
        for (int32_t at = 0; at < len || have < 60000;) {
            int32_t piece = len - at < pieces[p] ? len - at : pieces[p];

            count = tlsshim_conn_open(pair->server, wire + at, piece, room, sizeof room, &taken);
            at += taken;
            ck_assert(count > 0 || count == TLSSHIM_WANT_FEED);
            ck_assert(count > 0 || taken > 0);
            if (count > 0) {
                memcpy(got + have, room, (size_t)count);
                have += count;
            }
        }
        ck_assert_int_eq(have, 60000);
        ck_assert_mem_eq(got, sent, 60000);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host");
    TCase *all = tcase_create("all");

    certs();
    tcase_add_checked_fixture(all, keep_begin, keep_end);
    tcase_add_loop_test(all, calls_that_move_data_leave_the_hosts_errors_and_context, 0, 2 * WAYS);
    tcase_add_loop_test(all, a_key_update_amid_data_leaves_the_hosts_errors_and_context, 0, WAYS);
    tcase_add_loop_test(all, a_damaged_record_leaves_the_hosts_errors_and_context, 0, 2 * WAYS);
    tcase_add_loop_test(all, records_read_ahead_come_out_whole, 0, WAYS);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
