/* Sessions that are kept by themselves: caches, tickets, their keys and rules. */
#include <string.h>

#include "support/certs.h"
#include "support/clock.h"
#include "support/pair.h"

/* Version x client certificates x server's store. */
struct kind {
    int32_t version;
    bool mutual;
    bool stateful;
};
enum { KINDS = 8 };

static struct kind kind_of(int i)
{
    return (struct kind){i & 1 ? TLSSHIM_TLS_1_3 : TLSSHIM_TLS_1_2, (i & 2) != 0, (i & 4) != 0};
}

static int64_t context_count(int64_t context, int32_t field)
{
    int64_t n = -1;

    ck_assert_ok(tlsshim_context_number(context, field, &n));
    return n;
}

static int64_t a_server(struct kind kind, int64_t identity)
{
    int64_t context =
        server_context(kind.version, identity, kind.mutual ? certs()->trust : 0, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);

    ck_assert_ok(tlsshim_context_set_session_cache(context, kind.stateful ? 100 : 0));
    return context;
}

static int64_t a_client(struct kind kind)
{
    int64_t context = client_context(kind.version, certs()->trust, kind.mutual ? certs()->client : 0);

    ck_assert_ok(tlsshim_context_set_session_cache(context, 100));
    return context;
}

/* One connection with a byte each way; whether it was resumed, on which both ends must agree. */
static bool resumes_as(int64_t client, int64_t server, const char *name)
{
    struct pair *pair = pair_named(client, server, 0, name);
    int64_t resumed;

    pair_connect(pair);
    pair_send(pair, true, "a", 1);
    pair_send(pair, false, "b", 1);
    resumed = number_of(pair->client, TLSSHIM_CONN_RESUMED);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_RESUMED), resumed);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 1);
    return resumed == 1;
}

static bool resumes(int64_t client, int64_t server)
{
    return resumes_as(client, server, "www.test");
}

START_TEST(a_client_with_a_cache_resumes_by_itself)
{
    struct kind kind = kind_of(_i);
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);

    ck_assert(!resumes(client, server));
    for (int i = 0; i < 5; i++)
        ck_assert(resumes(client, server));
    ck_assert_int_eq(context_count(server, TLSSHIM_CONTEXT_HANDSHAKES), 1);
    ck_assert_int_eq(context_count(server, TLSSHIM_CONTEXT_RESUMPTIONS), 5);
    ck_assert_int_eq(context_count(server, TLSSHIM_CONTEXT_CACHE_HITS), 5);
    ck_assert_int_eq(context_count(client, TLSSHIM_CONTEXT_CACHE_HITS), 5);
    ck_assert_int_eq(context_count(client, TLSSHIM_CONTEXT_MISS_UNKNOWN), 1);
}
END_TEST

START_TEST(the_peers_certificate_is_known_on_resumed_connections)
{
    struct kind kind = kind_of(_i);
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);
    struct pair *pair;
    char name[64];

    resumes(client, server);
    pair = pair_new(client, server, 0);
    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_RESUMED), 1);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), kind.mutual);
    if (kind.mutual) {
        ck_assert_int_eq(
            tlsshim_cert_text(keep(tlsshim_conn_peer_cert(pair->server)), TLSSHIM_CERT_COMMON_NAME, name, sizeof name),
            6);
        ck_assert_mem_eq(name, "client", 6);
    }
    ck_assert_ok(keep(tlsshim_conn_peer_cert(pair->client)));
    ck_assert_int_eq(tlsshim_conn_verified_chain(pair->client), TLSSHIM_NONE);
}
END_TEST

START_TEST(a_successor_with_equal_rules_goes_on_resuming_and_others_do_not)
{
    struct kind kind = kind_of(_i);
    struct kind other = {kind.version, !kind.mutual, kind.stateful};
    int64_t server = a_server(kind, certs()->server);
    int64_t client = client_context(kind.version, certs()->trust, certs()->client);

    ck_assert_ok(tlsshim_context_set_session_cache(client, 100));
    ck_assert(!resumes(client, server));
    ck_assert_ok(tlsshim_context_replace(server, a_server(kind, certs()->server)));
    ck_assert(resumes(client, server));
    ck_assert_ok(tlsshim_context_replace(server, a_server(other, certs()->server))); /* stricter or weaker */
    ck_assert(!resumes(client, server));
    ck_assert_int_eq(context_count(server, TLSSHIM_CONTEXT_MISS_RULES), 1);
    ck_assert(resumes(client, server));
    ck_assert_ok(tlsshim_context_replace(server, a_server(kind, certs()->server)));
    ck_assert(!resumes(client, server));
}
END_TEST

START_TEST(a_renewed_certificate_for_the_same_names_keeps_sessions)
{
    struct kind kind = kind_of(_i);
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);
    int64_t renewed =
        certs_leaf(certs()->ca, "P-256", "CN=www.test", "www.test,*.wild.test,10.0.0.1,::1", 0, 9 * CERTS_DAY);

    keep(renewed);
    ck_assert(!resumes(client, server));
    ck_assert_ok(tlsshim_context_replace(server, a_server(kind, renewed)));
    ck_assert(resumes(client, server));
}
END_TEST

START_TEST(another_trust_set_for_clients_ends_their_sessions)
{
    struct kind kind = {kind_of(_i).version, true, kind_of(_i).stateful};
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);
    int64_t wider =
        server_context(kind.version, certs()->server, certs()->both_trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);

    ck_assert_ok(tlsshim_context_set_session_cache(wider, kind.stateful ? 100 : 0));
    ck_assert(!resumes(client, server));
    ck_assert_ok(tlsshim_context_replace(server, wider));
    ck_assert(!resumes(client, server));
}
END_TEST

START_TEST(a_session_ends_with_its_lifetime_however_often_it_is_renewed)
{
    struct kind kind = kind_of(_i);
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);

    ck_assert_ok(tlsshim_context_set_session_lifetime(server, 1000));
    ck_assert(!resumes(client, server));
    for (clock_shift = 200; clock_shift < 1000; clock_shift += 200)
        ck_assert_msg(resumes(client, server), "after %d s", (int)clock_shift);
    clock_shift = 1010;
    ck_assert(!resumes(client, server));
    clock_shift = 0;
}
END_TEST

START_TEST(a_session_does_not_outlive_what_was_verified)
{
    struct kind kind = {kind_of(_i).version, true, kind_of(_i).stateful};
    int64_t server = a_server(kind, certs()->server);
    int64_t brief = keep(certs_leaf(certs()->ca, "P-256", "CN=client", "", -10, 500));
    int64_t client = client_context(kind.version, certs()->trust, brief);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_session_cache(client, 100));
    ck_assert(!resumes(client, server));
    clock_shift = 300;
    ck_assert(resumes(client, server));
    clock_shift = 600;
    pair = pair_new(client, server, 0);
    pair_handshake(pair);
    pair_settle(pair);
    ck_assert_result(pair->server_result, TLSSHIM_E_EXPIRED);
    clock_shift = 0;
}
END_TEST

START_TEST(a_clock_that_stepped_back_far_leads_to_a_full_handshake)
{
    struct kind kind = kind_of(_i);
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);

    clock_shift = 400;
    ck_assert(!resumes(client, server));
    clock_shift = 0;
    ck_assert(!resumes(client, server));
}
END_TEST

/* --- ticket keys --- */

static void give_keys(int64_t server, const uint8_t *keys, int32_t len)
{
    ck_assert_ok(tlsshim_context_set_ticket_keys(server, keys, len));
}

START_TEST(machines_with_the_same_keys_resume_each_others_sessions)
{
    struct kind kind = {kind_of(_i).version, kind_of(_i).mutual, false};
    int64_t one = a_server(kind, certs()->server);
    int64_t two = a_server(kind, certs()->server);
    int64_t client = a_client(kind);
    uint8_t keys[80];

    ck_assert_int_eq(tlsshim_ticket_keys_new(1, keys, sizeof keys), sizeof keys);
    give_keys(one, keys, sizeof keys);
    give_keys(two, keys, sizeof keys);
    ck_assert(!resumes(client, one));
    ck_assert(resumes(client, two));
    ck_assert(resumes(client, one));
}
END_TEST

START_TEST(a_service_of_the_fleet_does_not_take_up_anothers_sessions)
{
    struct kind kind = {kind_of(_i).version, kind_of(_i).mutual, false};
    int64_t mail = a_server(kind, certs()->server);
    int64_t shop =
        a_server(kind, keep(certs_leaf(certs()->ca, "P-256", "CN=shop", "www.test,shop.test", 0, 30 * CERTS_DAY)));
    int64_t client = a_client(kind);
    uint8_t keys[80];

    tlsshim_ticket_keys_new(1, keys, sizeof keys);
    give_keys(mail, keys, sizeof keys);
    give_keys(shop, keys, sizeof keys);
    ck_assert(!resumes(client, mail));
    ck_assert(!resumes(client, shop));
    ck_assert_int_eq(context_count(shop, TLSSHIM_CONTEXT_MISS_RULES), 1);
}
END_TEST

START_TEST(the_first_key_seals_and_all_open)
{
    struct kind kind = {kind_of(_i).version, kind_of(_i).mutual, false};
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);
    uint8_t keys[240], swapped[160];

    tlsshim_ticket_keys_new(3, keys, sizeof keys);
    give_keys(server, keys, 80);
    ck_assert(!resumes(client, server));
    memcpy(swapped, keys + 80, 80);
    memcpy(swapped + 80, keys, 80);
    give_keys(server, swapped, 160);
    ck_assert(resumes(client, server)); /* and renews under the new one */
    give_keys(server, keys + 80, 80);
    ck_assert(resumes(client, server));
    give_keys(server, keys + 160, 80);
    ck_assert(!resumes(client, server));
    ck_assert_int_ge(context_count(server, TLSSHIM_CONTEXT_MISS_UNKNOWN), 1);
}
END_TEST

START_TEST(an_altered_ticket_is_damaged_not_fatal)
{
    struct kind kind = {kind_of(_i).version, kind_of(_i).mutual, false};
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);
    uint8_t keys[80];

    tlsshim_ticket_keys_new(1, keys, sizeof keys);
    give_keys(server, keys, sizeof keys);
    ck_assert(!resumes(client, server));
    keys[20] ^= 1; /* the MAC key of the same name: every ticket now looks altered */
    give_keys(server, keys, sizeof keys);
    ck_assert(!resumes(client, server));
    ck_assert_int_eq(context_count(server, TLSSHIM_CONTEXT_MISS_DAMAGED), 1);
}
END_TEST

START_TEST(derived_keys_agree_across_machines_and_neighbouring_periods)
{
    struct kind kind = {kind_of(_i).version, kind_of(_i).mutual, false};
    int64_t one = a_server(kind, certs()->server);
    int64_t two = a_server(kind, certs()->server);
    int64_t client = a_client(kind);
    static const char secret[] = "thirty-two bytes or more of chance";
    uint8_t keys[240];

    for (int32_t period = 0; period <= 2; period++) {
        ck_assert_int_eq(tlsshim_ticket_keys_derive(secret, sizeof secret, 3600 * 1000, 3600, keys, sizeof keys), 240);
        give_keys(one, keys, sizeof keys);
        ck_assert_int_eq(
            tlsshim_ticket_keys_derive(secret, sizeof secret, 3600 * (1000 + period), 3600, keys, sizeof keys), 240);
        give_keys(two, keys, sizeof keys);
        resumes(client, one);
        ck_assert_int_eq(resumes(client, two), period <= 1 && kind.version == TLSSHIM_TLS_1_3);
    }
}
END_TEST

START_TEST(derived_keys_seal_no_ticket_of_tls_1_2)
{
    struct kind kind = {TLSSHIM_TLS_1_2, _i == 1, false};
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);
    uint8_t keys[240];

    ck_assert_int_eq(tlsshim_ticket_keys_derive("thirty-two bytes or more of chance", 32, 0, 3600, keys, sizeof keys),
                     240);
    give_keys(server, keys, sizeof keys);
    for (int i = 0; i < 3; i++)
        ck_assert(!resumes(client, server));
    ck_assert_int_eq(context_count(client, TLSSHIM_CONTEXT_CACHE_ENTRIES), 0);
    tlsshim_ticket_keys_new(1, keys, sizeof keys);
    give_keys(server, keys, 80); /* any others do */
    ck_assert(!resumes(client, server));
    ck_assert(resumes(client, server));
}
END_TEST

START_TEST(automatic_keys_rotate_and_the_one_before_still_opens)
{
    struct kind kind = {kind_of(_i).version, kind_of(_i).mutual, false};
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);

    ck_assert_ok(tlsshim_context_set_ticket_rotation(server, 60));
    ck_assert(!resumes(client, server));
    monotonic_shift = 61;
    ck_assert(resumes(client, server)); /* by the key before; renewed under the new one */
    monotonic_shift = 122;
    ck_assert(resumes(client, server));
    monotonic_shift = 300; /* both are too old */
    ck_assert(!resumes(client, server));
    monotonic_shift = 0;
    ck_assert_result(tlsshim_context_set_ticket_rotation(server, 59), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_context_set_ticket_rotation(client, 60), TLSSHIM_E_STATE);
}
END_TEST

START_TEST(bad_ticket_keys_are_refused)
{
    int64_t server = a_server(kind_of(0), certs()->server);
    uint8_t keys[1360] = {0};

    ck_assert_result(tlsshim_context_set_ticket_keys(server, keys, 79), TLSSHIM_E_FORMAT);
    ck_assert_result(tlsshim_context_set_ticket_keys(server, keys, 0), TLSSHIM_E_FORMAT);
    ck_assert_result(tlsshim_context_set_ticket_keys(server, keys, 1360), TLSSHIM_E_LIMIT);
    ck_assert_result(tlsshim_context_set_ticket_keys(a_client(kind_of(0)), keys, 80), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_ticket_keys_new(0, keys, 1280), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_ticket_keys_new(17, keys, 1280), TLSSHIM_E_ARGUMENT);
    ck_assert_int_eq(tlsshim_ticket_keys_new(16, keys, 10), 1280);
    ck_assert_result(tlsshim_ticket_keys_derive(keys, 31, 0, 3600, keys, 240), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_ticket_keys_derive(keys, 32, -1, 3600, keys, 240), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_ticket_keys_derive(keys, 32, 0, 59, keys, 240), TLSSHIM_E_ARGUMENT);
}
END_TEST

/* --- the client's cache --- */

START_TEST(sessions_are_filed_by_name)
{
    struct kind kind = kind_of(_i);
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);

    ck_assert(!resumes_as(client, server, "www.test"));
    ck_assert(!resumes_as(client, server, "a.wild.test"));
    ck_assert(resumes_as(client, server, "www.test"));
    ck_assert(resumes_as(client, server, "a.wild.test"));
}
END_TEST

START_TEST(a_key_of_the_host_files_them_apart)
{
    struct kind kind = kind_of(_i);
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);
    const char *const keys[] = {"www.test:1", "www.test:2", "www.test:1"};

    for (int i = 0; i < 3; i++) {
        struct pair *pair = pair_new(client, server, 0);

        ck_assert_ok(tlsshim_conn_set_session_key(pair->client, keys[i], 10));
        pair_connect(pair);
        pair_send(pair, false, "b", 1);
        ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_RESUMED), i == 2);
    }
}
END_TEST

START_TEST(the_cache_is_bounded_and_the_least_recently_used_goes)
{
    struct kind kind = kind_of(_i & ~1); /* TLS 1.2: one session a connection */
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);

    ck_assert_ok(tlsshim_context_set_session_cache(client, 2));
    ck_assert(!resumes_as(client, server, "a.wild.test"));
    ck_assert(!resumes_as(client, server, "b.wild.test"));
    ck_assert(resumes_as(client, server, "a.wild.test"));
    ck_assert(!resumes_as(client, server, "c.wild.test"));
    ck_assert(context_count(client, TLSSHIM_CONTEXT_CACHE_ENTRIES) <= 2);
    ck_assert(!resumes_as(client, server, "b.wild.test"));
}
END_TEST

START_TEST(a_ticket_of_tls_1_3_is_used_once)
{
    struct kind kind = {TLSSHIM_TLS_1_3, kind_of(_i).mutual, kind_of(_i).stateful};
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);
    struct pair *first, *second;

    ck_assert_ok(tlsshim_context_set_tickets(server, 1));
    ck_assert(!resumes(client, server));
    ck_assert_int_eq(context_count(client, TLSSHIM_CONTEXT_CACHE_ENTRIES), 1);
    first = pair_new(client, server, 0);
    second = pair_new(client, server, 0);
    pair_connect(first);
    pair_connect(second);
    ck_assert_int_eq(number_of(first->client, TLSSHIM_CONN_RESUMED), 1);
    ck_assert_int_eq(number_of(second->client, TLSSHIM_CONN_RESUMED), 0);
}
END_TEST

START_TEST(a_session_that_the_host_takes_is_no_longer_offered_by_itself)
{
    struct kind kind = {TLSSHIM_TLS_1_3, false, _i == 1};
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_tickets(server, 1));
    pair = pair_new(client, server, 0);
    pair_connect(pair);
    pair_send(pair, false, "b", 1);
    ck_assert_int_eq(context_count(client, TLSSHIM_CONTEXT_CACHE_ENTRIES), 1);
    ck_assert_ok(keep(tlsshim_conn_take_session(pair->client)));
    ck_assert_int_eq(context_count(client, TLSSHIM_CONTEXT_CACHE_ENTRIES), 0);
    ck_assert(!resumes(client, server));
}
END_TEST

START_TEST(no_tickets_means_none_in_any_version)
{
    struct kind kind = kind_of(_i);
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);

    ck_assert_ok(tlsshim_context_set_tickets(server, 0));
    for (int i = 0; i < 3; i++)
        ck_assert(!resumes(client, server));
    ck_assert_int_eq(context_count(server, TLSSHIM_CONTEXT_CACHE_ENTRIES), 0);
}
END_TEST

START_TEST(early_data_is_refused_with_the_reason)
{
    int64_t client = a_client(kind_of(1));
    int32_t result = tlsshim_context_set_early_data(client, 1);

    ck_assert_result(result, TLSSHIM_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(error_text_of(result), "replayed"));
    ck_assert_ok(tlsshim_context_set_early_data(client, 0));
    ck_assert_result(tlsshim_context_set_early_data(client, 2), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(a_session_that_a_fatal_alert_has_spoilt_is_let_go)
{
    struct kind kind = {TLSSHIM_TLS_1_2, _i == 1, true};
    int64_t server = a_server(kind, certs()->server);
    int64_t client = a_client(kind);
    struct pair *pair;
    uint8_t byte;

    ck_assert(!resumes(client, server));
    pair = pair_new(client, server, 0);
    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_RESUMED), 1);
    ck_assert_int_eq(tlsshim_conn_feed(pair->server, "\x17\x03\x03\x00\x20 thirty-two bytes of no meaning....", 37),
                     37);
    ck_assert_result(tlsshim_conn_read(pair->server, &byte, 1), TLSSHIM_E_PROTOCOL);
    ck_assert(!resumes(client, server));
    ck_assert_int_eq(context_count(server, TLSSHIM_CONTEXT_CACHE_HITS), 1);
    ck_assert_int_eq(context_count(server, TLSSHIM_CONTEXT_CACHE_ENTRIES), 1);
    ck_assert(resumes(client, server));
}
END_TEST

START_TEST(a_failed_successor_changes_nothing)
{
    int64_t server = a_server(kind_of(_i), certs()->server);
    int64_t client = a_client(kind_of(_i));
    int64_t nothing = keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));

    ck_assert(!resumes(client, server));
    ck_assert_result(tlsshim_context_replace(server, nothing), TLSSHIM_E_EMPTY);
    ck_assert_result(tlsshim_context_replace(server, client), TLSSHIM_E_MISMATCH);
    ck_assert_result(tlsshim_context_replace(server, certs()->trust), TLSSHIM_E_HANDLE);
    ck_assert(resumes(client, server));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resume");
    TCase *tcase = tcase_create("resume");

    certs();
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, keep_begin, keep_end);
    tcase_add_loop_test(tcase, a_client_with_a_cache_resumes_by_itself, 0, KINDS);
    tcase_add_loop_test(tcase, the_peers_certificate_is_known_on_resumed_connections, 0, KINDS);
    tcase_add_loop_test(tcase, a_successor_with_equal_rules_goes_on_resuming_and_others_do_not, 0, KINDS);
    tcase_add_loop_test(tcase, a_renewed_certificate_for_the_same_names_keeps_sessions, 0, KINDS);
    tcase_add_loop_test(tcase, another_trust_set_for_clients_ends_their_sessions, 0, KINDS);
    tcase_add_loop_test(tcase, a_session_ends_with_its_lifetime_however_often_it_is_renewed, 0, KINDS);
    tcase_add_loop_test(tcase, a_session_does_not_outlive_what_was_verified, 0, KINDS);
    tcase_add_loop_test(tcase, a_clock_that_stepped_back_far_leads_to_a_full_handshake, 0, KINDS);
    tcase_add_loop_test(tcase, machines_with_the_same_keys_resume_each_others_sessions, 0, 4);
    tcase_add_loop_test(tcase, a_service_of_the_fleet_does_not_take_up_anothers_sessions, 0, 4);
    tcase_add_loop_test(tcase, the_first_key_seals_and_all_open, 0, 4);
    tcase_add_loop_test(tcase, an_altered_ticket_is_damaged_not_fatal, 0, 4);
    tcase_add_loop_test(tcase, derived_keys_agree_across_machines_and_neighbouring_periods, 0, 4);
    tcase_add_loop_test(tcase, derived_keys_seal_no_ticket_of_tls_1_2, 0, 2);
    tcase_add_loop_test(tcase, automatic_keys_rotate_and_the_one_before_still_opens, 0, 4);
    tcase_add_test(tcase, bad_ticket_keys_are_refused);
    tcase_add_loop_test(tcase, sessions_are_filed_by_name, 0, KINDS);
    tcase_add_loop_test(tcase, a_key_of_the_host_files_them_apart, 0, KINDS);
    tcase_add_loop_test(tcase, the_cache_is_bounded_and_the_least_recently_used_goes, 0, KINDS);
    tcase_add_loop_test(tcase, a_ticket_of_tls_1_3_is_used_once, 0, KINDS);
    tcase_add_loop_test(tcase, a_session_that_the_host_takes_is_no_longer_offered_by_itself, 0, 2);
    tcase_add_loop_test(tcase, no_tickets_means_none_in_any_version, 0, KINDS);
    tcase_add_test(tcase, early_data_is_refused_with_the_reason);
    tcase_add_loop_test(tcase, a_session_that_a_fatal_alert_has_spoilt_is_let_go, 0, 2);
    tcase_add_loop_test(tcase, a_failed_successor_changes_nothing, 0, KINDS);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
