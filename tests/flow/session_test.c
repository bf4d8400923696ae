#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/pair.h"

extern char **environ;

static int64_t counter(int64_t context, int32_t field)
{
    int64_t n = -1;

    ck_assert_ok(tlsshim_context_number(context, field, &n));
    return n;
}

/* The server says something, with which the tickets come. */
static void say(struct pair *pair)
{
    pair_send(pair, false, "hello", 5);
}

static int64_t session_of(struct pair *pair)
{
    say(pair);
    return keep(tlsshim_conn_take_session(pair->client));
}

static int64_t first_session(int64_t client, int64_t server, int32_t room)
{
    struct pair *pair = pair_new(client, server, room);

    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_RESUMED), 0);
    return session_of(pair);
}

static struct pair *second(int64_t client, int64_t server, int32_t room, int64_t session)
{
    struct pair *pair = pair_new(client, server, room);

    ck_assert_ok(tlsshim_conn_set_session(pair->client, session));
    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_RESUMED), number_of(pair->server, TLSSHIM_CONN_RESUMED));
    return pair;
}

static bool resumed(const struct pair *pair)
{
    return number_of(pair->client, TLSSHIM_CONN_RESUMED) == 1;
}

static const char *common_name(int64_t cert)
{
    static char text[64];
    int32_t len = tlsshim_cert_text(keep(cert), TLSSHIM_CERT_COMMON_NAME, text, (int32_t)sizeof text - 1);

    text[len > 0 ? len : 0] = 0;
    return text;
}

/* --- it works --- */

/* With tickets and with a cache, with and without client certificates. */
START_TEST(a_second_connection_resumes_and_both_ends_know)
{
    struct way way = ways[_i / 4];
    bool mutual = _i % 2 == 0, cached = _i / 2 % 2 == 0;
    int64_t client = client_context(way.version, certs()->trust, mutual ? certs()->client : 0);
    int64_t server =
        server_context(way.version, certs()->server, mutual ? certs()->trust : 0, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_session_cache(server, cached ? 100 : 0));
    pair = second(client, server, way.room, first_session(client, server, way.room));
    ck_assert(resumed(pair));
    ck_assert_int_eq(counter(server, TLSSHIM_CONTEXT_HANDSHAKES), 1);
    ck_assert_int_eq(counter(server, TLSSHIM_CONTEXT_RESUMPTIONS), 1);
    ck_assert_int_eq(counter(client, TLSSHIM_CONTEXT_HANDSHAKES), 1);
    ck_assert_int_eq(counter(client, TLSSHIM_CONTEXT_RESUMPTIONS), 1);
    ck_assert_str_eq(common_name(tlsshim_conn_peer_cert(pair->client)), "server");
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 1);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFY_CODE), 0);
    ck_assert_ptr_nonnull(strstr(text_of(pair->client, TLSSHIM_CONN_VERIFY_REPORT), "resumed"));
    ck_assert_int_eq(tlsshim_conn_verified_chain(pair->client), TLSSHIM_NONE);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), mutual);
    if (mutual) {
        ck_assert_str_eq(common_name(tlsshim_conn_peer_cert(pair->server)), "client");
        ck_assert_int_eq(tlsshim_conn_verified_chain(pair->server), TLSSHIM_NONE);
    }
    pair_send(pair, true, "again", 5);
    /* And the session that this one gives resumes, too. */
    ck_assert(resumed(second(client, server, way.room, session_of(pair))));
}
END_TEST

START_TEST(a_connection_that_was_dropped_does_not_spoil_its_session)
{
    int64_t client = client_context(ways[_i].version, certs()->trust, 0);
    int64_t server = server_context(ways[_i].version, certs()->server, 0, 0);
    struct pair *pair = pair_new(client, server, ways[_i].room);
    int64_t session;

    pair_connect(pair);
    session = session_of(pair);
    ck_assert_ok(tlsshim_close(pair->client));
    ck_assert_ok(tlsshim_close(pair->server));
    ck_assert(resumed(second(client, server, ways[_i].room, session)));
}
END_TEST

START_TEST(an_exported_session_resumes)
{
    int64_t client = client_context(ways[_i].version, certs()->trust, certs()->client);
    int64_t server =
        server_context(ways[_i].version, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);
    uint8_t bytes[16384];
    int32_t len = tlsshim_session_export(first_session(client, server, ways[_i].room), bytes, sizeof bytes);
    struct pair *pair;

    ck_assert_int_gt(len, 100);
    ck_assert_int_lt(len, (int32_t)sizeof bytes);
    pair = second(client, server, ways[_i].room, keep(tlsshim_session_load(bytes, len)));
    ck_assert(resumed(pair));
    ck_assert_str_eq(common_name(tlsshim_conn_peer_cert(pair->client)), "server");
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 1);
}
END_TEST

/* --- in another process --- */

enum { CHILD_SOCKET = 3, CHILD_PAPERS = 4 };

static void write_all(int fd, const void *data, size_t len)
{
    ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
}

/* What the child needs: the anchor and the session. */
struct papers {
    int32_t version, anchor_len, session_len;
    uint8_t anchor[4096], session[16384];
};

static int child(void)
{
    static struct papers p;
    uint8_t wire[8192];
    int64_t trust, client, conn, session, answer = 0;
    int32_t result;
    FILE *in = fdopen(CHILD_PAPERS, "rb");

    if (in == NULL || fread(&p, sizeof p, 1, in) != 1)
        return 10;
    trust = tlsshim_trust_new();
    client = tlsshim_context_new(TLSSHIM_ROLE_CLIENT);
    if (tlsshim_trust_add(trust, p.anchor, p.anchor_len) != 1 || tlsshim_context_set_trust(client, trust) < 0 ||
        tlsshim_context_set_versions(client, p.version, p.version) < 0)
        return 11;
    conn = tlsshim_conn_new(client, "www.test", 8);
    session = tlsshim_session_load(p.session, p.session_len);
    if (tlsshim_conn_set_session(conn, session) != TLSSHIM_OK)
        return 12;
    while ((result = tlsshim_conn_read(conn, wire, sizeof wire)) < 0) {
        if (result == TLSSHIM_WANT_DRAIN)
            result = tlsshim_conn_drain(conn, wire, sizeof wire);
        else if (result == TLSSHIM_WANT_FEED)
            result = -(int32_t)recv(CHILD_SOCKET, wire, sizeof wire, 0);
        else
            return 13;
        if (result > 0 && send(CHILD_SOCKET, wire, (size_t)result, MSG_NOSIGNAL) != result)
            return 14;
        if (result <= 0 && (result == 0 || tlsshim_conn_feed(conn, wire, -result) != -result))
            return 15;
    }
    if (tlsshim_conn_number(conn, TLSSHIM_CONN_RESUMED, &answer) != TLSSHIM_OK)
        return 16;
    if (answer != 1 || result != 5 || memcmp(wire, "hello", 5) != 0)
        return 17;
    fclose(in);
    return tlsshim_close(conn) + tlsshim_close(client) + tlsshim_close(trust) + tlsshim_close(session);
}

static int serve(int64_t conn, int fd)
{
    uint8_t wire[8192];
    bool said = false;

    for (;;) {
        int32_t result = tlsshim_conn_handshake(conn);
        ssize_t got;

        if (result == TLSSHIM_OK && !said)
            said = tlsshim_conn_write(conn, "hello", 5) == 5;
        while ((result = tlsshim_conn_drain(conn, wire, sizeof wire)) > 0)
            if (send(fd, wire, (size_t)result, MSG_NOSIGNAL) != result)
                return -1;
        got = recv(fd, wire, sizeof wire, 0);
        if (got <= 0)
            return (int)number_of(conn, TLSSHIM_CONN_RESUMED);
        if (tlsshim_conn_feed(conn, wire, (int32_t)got) != got)
            return -1;
    }
}

START_TEST(a_session_resumes_in_another_process)
{
    static struct papers p;
    int64_t client = client_context(_i, certs()->trust, 0);
    int64_t server = server_context(_i, certs()->server, 0, 0);
    int64_t anchor = keep(tlsshim_identity_cert(certs()->ca));
    char *arguments[] = {(char *)(uintptr_t) "session_test", (char *)(uintptr_t) "child", NULL};
    posix_spawn_file_actions_t actions;
    int sockets[2], papers[2], status = -1;
    pid_t pid;

    p.version = _i;
    p.anchor_len = tlsshim_cert_export(anchor, TLSSHIM_FORMAT_PEM, p.anchor, sizeof p.anchor);
    p.session_len = tlsshim_session_export(first_session(client, server, 512), p.session, sizeof p.session);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    ck_assert_int_eq(pipe(papers), 0);
    write_all(papers[1], &p, sizeof p);
    close(papers[1]);
    posix_spawn_file_actions_init(&actions);
    /* First out of the way of each other, then in place. */
    posix_spawn_file_actions_adddup2(&actions, papers[0], 50);
    posix_spawn_file_actions_adddup2(&actions, sockets[0], 51);
    posix_spawn_file_actions_adddup2(&actions, 51, CHILD_SOCKET);
    posix_spawn_file_actions_adddup2(&actions, 50, CHILD_PAPERS);
    ck_assert_int_eq(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(papers[0]);
    close(sockets[0]);
    ck_assert_int_eq(serve(keep(tlsshim_conn_new(server, "", 0)), sockets[1]), 1);
    close(sockets[1]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* --- other rules: a full handshake or a refusal, never a way around --- */

/* What a server may demand otherwise. */
enum server_change {
    SAME,
    NO_CERTIFICATE,
    REQUESTED,
    OTHER_TRUST,
    MORE_TRUST,
    FLAGS,
    DEPTH,
    SKIP_CHAIN,
    SKIP_NAME,
    SKIP_TIME,
    SKIP_PURPOSE,
    NAME,
    SERVER_CHANGES
};

static int64_t changed_server(int32_t version, int change, const uint8_t *keys, int32_t keys_len)
{
    int32_t mode = change == REQUESTED ? TLSSHIM_CLIENT_CERTIFICATE_REQUEST : TLSSHIM_CLIENT_CERTIFICATE_REQUIRE;
    int64_t trust = change == OTHER_TRUST  ? certs()->other_trust
                    : change == MORE_TRUST ? certs()->both_trust
                                           : certs()->trust;
    int64_t server = server_context(version, certs()->server, change == NO_CERTIFICATE ? 0 : trust, mode);

    ck_assert_ok(tlsshim_context_set_ticket_keys(server, keys, keys_len));
    ck_assert_ok(tlsshim_context_set_session_cache(server, 0));
    if (change == FLAGS)
        ck_assert_ok(tlsshim_context_set_verify_flags(server, TLSSHIM_VERIFY_STRICT));
    if (change == DEPTH)
        ck_assert_ok(tlsshim_context_set_verify_depth(server, 3));
    if (change == SKIP_CHAIN)
        ck_assert_ok(tlsshim_context_insecure_skip_chain(server, 1));
    if (change == SKIP_NAME)
        ck_assert_ok(tlsshim_context_insecure_skip_name(server, 1));
    if (change == SKIP_TIME)
        ck_assert_ok(tlsshim_context_insecure_skip_time(server, 1));
    if (change == SKIP_PURPOSE)
        ck_assert_ok(tlsshim_context_insecure_skip_purpose(server, 1));
    return server;
}

/* Both ways: from the rules with the change to those without, and back. */
START_TEST(a_server_under_other_rules_takes_up_no_session)
{
    int32_t version = _i % 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int change = _i / 4;
    bool back = _i / 2 % 2 == 0;
    int64_t client = client_context(version, certs()->trust, certs()->client);
    uint8_t keys[80];
    int64_t from, to, session;
    struct pair *pair;

    ck_assert_int_eq(tlsshim_ticket_keys_new(1, keys, sizeof keys), (int32_t)sizeof keys);
    from = changed_server(version, back ? change : SAME, keys, sizeof keys);
    to = changed_server(version, back ? SAME : change, keys, sizeof keys);
    pair = pair_new(client, from, 512);
    if (change == NAME && back) /* a client's certificate without names: its chain alone is good */
        ck_assert_ok(tlsshim_conn_set_verify_name(pair->server, "any.test", 8));
    pair_handshake(pair);
    if (pair->server_result != TLSSHIM_OK) { /* under these rules there is no session to begin with */
        ck_assert((change == OTHER_TRUST || change == NAME) && back);
        return;
    }
    session = session_of(pair);
    pair = pair_new(client, to, 512);
    ck_assert_ok(tlsshim_conn_set_session(pair->client, session));
    if (change == NAME)
        ck_assert_ok(tlsshim_conn_set_verify_name(pair->server, "any.test", 8));
    pair_handshake(pair);
    if (change == SAME) { /* another context, the same rules and keys: this is what the others are measured by */
        ck_assert(resumed(pair));
        return;
    }
    ck_assert_int_eq(counter(to, TLSSHIM_CONTEXT_MISS_RULES), 1);
    ck_assert_int_eq(counter(to, TLSSHIM_CONTEXT_RESUMPTIONS), 0);
    ck_assert_result(pair->server_result, change == OTHER_TRUST && !back ? TLSSHIM_E_VERIFY
                                          : change == NAME               ? TLSSHIM_E_NAME
                                                                         : TLSSHIM_OK);
}
END_TEST

/* Services that share ticket keys do not take each other's sessions. */
START_TEST(a_session_of_one_identity_entry_is_none_of_another)
{
    int64_t client = client_context(_i, certs()->trust, 0);
    int64_t a = server_context(_i, certs()->server, 0, 0), b = keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    uint8_t keys[80];

    ck_assert_ok(tlsshim_ticket_keys_new(1, keys, sizeof keys));
    ck_assert_ok(tlsshim_context_set_ticket_keys(a, keys, sizeof keys));
    ck_assert_ok(tlsshim_context_set_ticket_keys(b, keys, sizeof keys));
    ck_assert_ok(tlsshim_context_add_identity(b, certs()->server, "www.test", 8));
    ck_assert(!resumed(second(client, b, 512, first_session(client, a, 512))));
    ck_assert_int_eq(counter(b, TLSSHIM_CONTEXT_MISS_RULES), 1);
}
END_TEST

static int64_t changed_client(int32_t version, int change)
{
    int64_t trust = change == OTHER_TRUST  ? certs()->other_trust
                    : change == MORE_TRUST ? certs()->both_trust
                                           : certs()->trust;
    int64_t client = client_context(version, trust,
                                    change == NO_CERTIFICATE ? 0
                                    : change == REQUESTED    ? certs()->client_rsa
                                                             : certs()->client);

    if (change == FLAGS)
        ck_assert_ok(tlsshim_context_set_verify_flags(client, TLSSHIM_VERIFY_STRICT));
    if (change == DEPTH)
        ck_assert_ok(tlsshim_context_set_verify_depth(client, 3));
    if (change == SKIP_CHAIN)
        ck_assert_ok(tlsshim_context_insecure_skip_chain(client, 1));
    if (change == SKIP_NAME)
        ck_assert_ok(tlsshim_context_insecure_skip_name(client, 1));
    if (change == SKIP_TIME)
        ck_assert_ok(tlsshim_context_insecure_skip_time(client, 1));
    if (change == SKIP_PURPOSE)
        ck_assert_ok(tlsshim_context_insecure_skip_purpose(client, 1));
    return client;
}

START_TEST(a_client_under_other_rules_offers_no_session)
{
    int32_t version = _i % 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int change = _i / 2;
    int64_t server = server_context(version, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUEST);
    int64_t session = first_session(changed_client(version, SAME), server, 512);
    int64_t conn = keep(tlsshim_conn_new(changed_client(version, change), change == NAME ? "a.wild.test" : "www.test",
                                         change == NAME ? 11 : 8));
    uint8_t bytes[16384];
    int32_t len = tlsshim_session_export(session, bytes, sizeof bytes);

    ck_assert_result(tlsshim_conn_set_session(conn, session), change == SAME ? TLSSHIM_OK : TLSSHIM_E_MISMATCH);
    ck_assert_result(tlsshim_conn_set_session(conn, keep(tlsshim_session_load(bytes, len))),
                     change == SAME ? TLSSHIM_OK : TLSSHIM_E_MISMATCH);
}
END_TEST

START_TEST(a_session_offered_before_the_name_was_changed_is_forgotten)
{
    int64_t client = client_context(_i, certs()->trust, 0);
    int64_t server = server_context(_i, certs()->server, 0, 0);
    int64_t session = first_session(client, server, 512);
    struct pair *pair = pair_new(client, server, 512);

    ck_assert_ok(tlsshim_conn_set_session(pair->client, session));
    ck_assert_ok(tlsshim_conn_set_verify_name(pair->client, "else.test", 9));
    pair_handshake(pair);
    ck_assert_result(pair->client_result, TLSSHIM_E_NAME);
}
END_TEST

START_TEST(sessions_are_set_early_and_by_clients_only)
{
    int64_t client = client_context(_i, certs()->trust, 0);
    int64_t server = server_context(_i, certs()->server, 0, 0);
    int64_t session = first_session(client, server, 512);
    struct pair *pair = pair_new(client, server, 512);

    ck_assert_result(tlsshim_conn_set_session(pair->server, session), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_take_session(pair->server), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_set_session(pair->client, pair->server), TLSSHIM_E_HANDLE);
    ck_assert_int_eq(tlsshim_conn_take_session(pair->client), TLSSHIM_NONE);
    pair_connect(pair);
    ck_assert_result(tlsshim_conn_set_session(pair->client, session), TLSSHIM_E_STATE);
}
END_TEST

/* --- tickets --- */

START_TEST(tickets_come_with_the_servers_first_bytes_and_once_each)
{
    struct way way = ways[_i / 4];
    static const int32_t counts[] = {0, 1, 2, 7};
    int32_t count = counts[_i % 4];
    int64_t server = server_context(TLSSHIM_TLS_1_3, certs()->server, 0, 0);
    struct pair *pair;
    int64_t passed;
    char data[64];

    ck_assert_ok(tlsshim_context_set_tickets(server, count));
    pair = pair_new(client_context(TLSSHIM_TLS_1_3, certs()->trust, 0), server, way.room);
    pair_connect(pair);
    pair_settle(pair);
    passed = pair->down.passed;
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(tlsshim_conn_write(pair->client, "only me", 7), 7);
        ck_assert_int_eq(pair_read(pair, false, data, sizeof data), 7);
        ck_assert_int_eq(pair_read(pair, false, data, sizeof data), TLSSHIM_WANT_FEED);
        ck_assert_int_eq(tlsshim_conn_pending_out(pair->server), 0);
    }
    ck_assert_int_eq(pair->down.passed, passed); /* not a byte to a client that only sends */
    ck_assert_int_eq(tlsshim_conn_take_session(pair->client), TLSSHIM_NONE);
    say(pair);
    if (count == 0)
        ck_assert_int_lt(pair->down.passed, passed + 64);
    passed = pair->down.passed;
    say(pair);
    ck_assert_int_lt(pair->down.passed, passed + 64); /* none with the second */
    for (int32_t i = 0; i < count; i++)
        keep(tlsshim_conn_take_session(pair->client));
    ck_assert_int_eq(tlsshim_conn_take_session(pair->client), TLSSHIM_NONE);
}
END_TEST

START_TEST(no_tickets_means_no_sessions_in_any_version)
{
    int64_t server = server_context(ways[_i].version, certs()->server, 0, 0);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_tickets(server, 0));
    ck_assert_ok(tlsshim_context_set_session_cache(server, 100));
    pair = pair_new(client_context(ways[_i].version, certs()->trust, 0), server, ways[_i].room);
    pair_connect(pair);
    say(pair);
    ck_assert_int_eq(tlsshim_conn_take_session(pair->client), TLSSHIM_NONE);
}
END_TEST

/* A copy of a context has its ticket keys and cache. */
START_TEST(a_copied_context_resumes_sessions_of_the_original)
{
    int64_t client = client_context(ways[_i].version, certs()->trust, certs()->client);
    int64_t server =
        server_context(ways[_i].version, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);
    int64_t session = first_session(client, server, ways[_i].room);

    ck_assert(resumed(second(keep(tlsshim_copy(client)), keep(tlsshim_copy(server)), ways[_i].room, session)));
}
END_TEST

/* --- time --- */

START_TEST(a_session_dies_with_its_lifetime_however_often_it_was_resumed)
{
    bool cached = _i / 2 % 2 == 0;
    int32_t version = _i % 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int64_t client = client_context(version, certs()->trust, 0);
    int64_t server = server_context(version, certs()->server, 0, 0);
    int64_t session;
    struct pair *pair;

    clock_shift = 0;
    ck_assert_ok(tlsshim_context_set_session_lifetime(server, 100));
    ck_assert_ok(tlsshim_context_set_session_cache(server, cached ? 100 : 0));
    session = first_session(client, server, 512);
    clock_shift = 60;
    pair = second(client, server, 512, session);
    ck_assert(resumed(pair));
    session = session_of(pair); /* made now, and still of the first full handshake */
    clock_shift = 95;
    pair = pair_new(client, server, 512);
    ck_assert_ok(tlsshim_conn_set_session(pair->client, session));
    ck_assert_int_eq(tlsshim_conn_handshake(pair->client), TLSSHIM_WANT_DRAIN); /* the hello with the session is made */
    clock_shift = 105;
    pair_connect(pair);
    ck_assert(!resumed(pair));
    ck_assert_int_eq(counter(server, TLSSHIM_CONTEXT_MISS_EXPIRED), 1);
    clock_shift = 0;
}
END_TEST

START_TEST(a_client_does_not_offer_a_session_past_its_time)
{
    int64_t client = client_context(_i, certs()->trust, 0);
    int64_t server = server_context(_i, certs()->server, 0, 0);
    int64_t session, n = -1;

    clock_shift = 0;
    ck_assert_ok(tlsshim_context_set_session_lifetime(client, 50));
    session = first_session(client, server, 512);
    ck_assert_ok(tlsshim_session_number(session, TLSSHIM_SESSION_LIFETIME, &n));
    ck_assert_int_eq(n, 50);
    ck_assert_ok(tlsshim_session_number(session, TLSSHIM_SESSION_USABLE, &n));
    ck_assert_int_eq(n, 1);
    clock_shift = 52;
    ck_assert_ok(tlsshim_session_number(session, TLSSHIM_SESSION_USABLE, &n));
    ck_assert_int_eq(n, 0);
    ck_assert_result(tlsshim_conn_set_session(keep(tlsshim_conn_new(client, "www.test", 8)), session),
                     TLSSHIM_E_EXPIRED);
    clock_shift = -3600; /* a clock that was set back is no licence */
    ck_assert_result(tlsshim_conn_set_session(keep(tlsshim_conn_new(client, "www.test", 8)), session),
                     TLSSHIM_E_EXPIRED);
    clock_shift = 0;
}
END_TEST

START_TEST(a_session_dies_with_the_certificate_that_it_rests_on)
{
    int64_t brief = keep(certs_leaf(certs()->ca, "P-256", "CN=brief", _i / 2 % 2 == 0 ? "www.test" : "", -60, 40));
    int32_t version = _i % 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    bool of_server = _i / 2 % 2 == 0;
    int64_t client = client_context(version, certs()->trust, of_server ? certs()->client : brief);
    int64_t server = server_context(version, of_server ? brief : certs()->server, certs()->trust,
                                    TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);
    int64_t session, n = -1;
    struct pair *pair;

    clock_shift = 0;
    session = first_session(client, server, 512);
    ck_assert_ok(tlsshim_session_number(session, TLSSHIM_SESSION_LIFETIME, &n));
    if (of_server)
        ck_assert_int_le(n, 40);
    else
        ck_assert_int_gt(n, 1000);
    pair = pair_new(client, server, 512);
    ck_assert_ok(tlsshim_conn_set_session(pair->client, session));
    clock_shift = 45;
    pair_handshake(pair);
    if (!of_server) { /* the client cannot know; the server looks */
        ck_assert_result(pair->server_result, TLSSHIM_E_EXPIRED);
        ck_assert_int_eq(counter(server, TLSSHIM_CONTEXT_MISS_EXPIRED), 1);
    }
    pair = pair_new(client, server, 512);
    ck_assert_result(tlsshim_conn_set_session(pair->client, session), of_server ? TLSSHIM_E_EXPIRED : TLSSHIM_OK);
    clock_shift = 0;
}
END_TEST

/* --- the client's own cache --- */

START_TEST(a_client_with_a_cache_resumes_by_itself_under_the_same_name)
{
    int64_t client = client_context(_i, certs()->trust, 0);
    int64_t server = server_context(_i, certs()->server, 0, 0);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_session_cache(client, 10));
    for (int i = 0; i < 4; i++) {
        pair = pair_new(client, server, 512);
        pair_connect(pair);
        ck_assert_int_eq(resumed(pair), i > 0);
        say(pair);
    }
    pair = pair_named(client, server, 512, "b.wild.test");
    pair_connect(pair);
    ck_assert(!resumed(pair));
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite;
    TCase *tests;

    if (argc == 2 && strcmp(argv[1], "child") == 0)
        return child();
    suite = suite_create("session");
    tests = tcase_create("session");
    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, a_second_connection_resumes_and_both_ends_know, 0, 4 * WAYS);
    tcase_add_loop_test(tests, a_connection_that_was_dropped_does_not_spoil_its_session, 0, WAYS);
    tcase_add_loop_test(tests, an_exported_session_resumes, 0, WAYS);
    tcase_add_loop_test(tests, a_session_resumes_in_another_process, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, a_server_under_other_rules_takes_up_no_session, 0, 4 * SERVER_CHANGES);
    tcase_add_loop_test(tests, a_session_of_one_identity_entry_is_none_of_another, TLSSHIM_TLS_1_2,
                        TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, a_client_under_other_rules_offers_no_session, 0, 2 * SERVER_CHANGES);
    tcase_add_loop_test(tests, a_session_offered_before_the_name_was_changed_is_forgotten, TLSSHIM_TLS_1_2,
                        TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, sessions_are_set_early_and_by_clients_only, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, tickets_come_with_the_servers_first_bytes_and_once_each, 16, 4 * WAYS);
    tcase_add_loop_test(tests, no_tickets_means_no_sessions_in_any_version, 0, WAYS);
    tcase_add_loop_test(tests, a_copied_context_resumes_sessions_of_the_original, 0, WAYS);
    tcase_add_loop_test(tests, a_session_dies_with_its_lifetime_however_often_it_was_resumed, 0, 4);
    tcase_add_loop_test(tests, a_client_does_not_offer_a_session_past_its_time, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, a_session_dies_with_the_certificate_that_it_rests_on, 0, 4);
    tcase_add_loop_test(tests, a_client_with_a_cache_resumes_by_itself_under_the_same_name, TLSSHIM_TLS_1_2,
                        TLSSHIM_TLS_1_3 + 1);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
