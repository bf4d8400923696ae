/* time limit: 400 s */
#include <openssl/err.h>
#include <stdio.h>
#include <time.h>

#include "support/certs.h"
#include "support/scarce.h"
#include "support/support.h"

/* What is reached by one run of everything: as far as memory allowed. */
struct run {
    int32_t version;
    enum { NOT_ASKED, STAPLED, NOT_STAPLED } staple; /* the client requires an OCSP answer, unless not asked */
    enum { AT_ONCE, LATE, LATE_AND_BAD } shows;      /* when the client shows its certificate */
    bool bad_server;                                 /* its certificate must not be accepted, whatever fails */
    bool contexts_last;                              /* contexts are made before memory gets scarce */
    bool by_key;                                     /* pre-shared, without certificates */
    bool asks;                                       /* every event is on, and both keys are elsewhere */
    int64_t client, server;
    int64_t handles[16];
    int count;
    int32_t first_error;
    bool connected;
    bool complete;
};

static int64_t note(struct run *run, int64_t result)
{
    int64_t alert = 0;

    must_be((int64_t)ERR_peek_error(), 0);
    if (tlsshim_error_number(result, TLSSHIM_ERROR_ALERT, &alert) == TLSSHIM_OK && alert > UINT8_MAX)
        ck_abort_msg("nobody sends alert %lld", (long long)alert);
    if (result < 0 && result < TLSSHIM_NONE && run->first_error == 0)
        run->first_error = (int32_t)result;
    return result;
}

static int64_t hold(struct run *run, int64_t handle)
{
    if (note(run, handle) > 0)
        run->handles[run->count++] = handle;
    return handle;
}

/* Both parties with keys that are elsewhere: the private halves stay with `answer`. */
static struct {
    int64_t client, server, client_key, server_key;
} apart;

static int64_t set_apart(int64_t identity, int64_t *key)
{
    int64_t cert = a_handle(tlsshim_identity_cert(identity)), public_key = a_handle(tlsshim_cert_public_key(cert));
    int64_t external = a_handle(tlsshim_key_external(public_key));
    int64_t made = a_handle(tlsshim_identity_new(cert, external));

    *key = a_handle(tlsshim_identity_key(identity));
    must_be(tlsshim_close(external), TLSSHIM_OK);
    must_be(tlsshim_close(public_key), TLSSHIM_OK);
    must_be(tlsshim_close(cert), TLSSHIM_OK);
    return made;
}

static void set_both_apart(void)
{
    apart.client = set_apart(certs()->client, &apart.client_key);
    apart.server = set_apart(certs()->server, &apart.server_key);
}

static void close_both(void)
{
    must_be(tlsshim_close(apart.client), TLSSHIM_OK);
    must_be(tlsshim_close(apart.server), TLSSHIM_OK);
    must_be(tlsshim_close(apart.client_key), TLSSHIM_OK);
    must_be(tlsshim_close(apart.server_key), TLSSHIM_OK);
}

static void ask_for_all(struct run *run)
{
    const int32_t both = TLSSHIM_EVENT_VERIFY | TLSSHIM_EVENT_CERTIFICATE | TLSSHIM_EVENT_SIGN;

    note(run, tlsshim_context_add_identity(run->client, apart.client, "", 0));
    note(run, tlsshim_context_add_identity(run->server, apart.server, "www.test", 8));
    note(run, tlsshim_context_set_events(run->client, both | TLSSHIM_EVENT_SESSION));
    note(run, tlsshim_context_set_events(run->server, both | TLSSHIM_EVENT_HELLO));
}

static void sign(struct run *run, int64_t conn, int64_t key)
{
    uint8_t message[8192], signature[512];
    char scheme[64];
    int32_t scheme_len = tlsshim_conn_event_text(conn, TLSSHIM_DETAIL_SIGN_SCHEME, scheme, sizeof scheme);
    int32_t len = tlsshim_conn_event_bytes(conn, TLSSHIM_DETAIL_SIGN_MESSAGE, message, sizeof message);

    note(run, scheme_len);
    note(run, len);
    if (scheme_len > 0 && len > 0)
        len = tlsshim_key_sign(key, scheme, scheme_len, message, len, signature, sizeof signature);
    note(run, len);
    if (len > 0)
        note(run, tlsshim_conn_sign_with(conn, signature, len));
}

/* Answers what waits; a server goes on under another context, which is its own again. */
static void answer(struct run *run, int64_t conn, bool client)
{
    switch (tlsshim_conn_event(conn)) {
    case TLSSHIM_EVENT_SIGN:
        sign(run, conn, client ? apart.client_key : apart.server_key);
        break;
    case TLSSHIM_EVENT_VERIFY:
        note(run, tlsshim_conn_accept_peer(conn));
        break;
    case TLSSHIM_EVENT_HELLO:
        note(run, tlsshim_conn_use_context(conn, run->server));
        note(run, tlsshim_conn_event_done(conn));
        break;
    case TLSSHIM_EVENT_CERTIFICATE:
        note(run, tlsshim_conn_use_identity(conn, client ? apart.client : apart.server));
        note(run, tlsshim_conn_event_done(conn));
        break;
    case TLSSHIM_EVENT_SESSION:
        note(run, tlsshim_conn_event_done(conn));
        break;
    default:
        break;
    }
}

static void make_contexts_by_key(struct run *run)
{
    static const char key[] = "0123456789abcdef0123456789abcdef", schemes[] = "ECDSA+SHA256:rsa_pss_rsae_sha256";
    const int64_t ends[] = {run->client, run->server};

    for (int i = 0; i < 2; i++) {
        note(run, tlsshim_context_set_profile(ends[i], "intermediate", 12));
        note(run, tlsshim_context_set_versions(ends[i], run->version, run->version));
        note(run, tlsshim_context_set_signature_algorithms(ends[i], schemes, sizeof schemes - 1, schemes,
                                                           sizeof schemes - 1));
        note(run, tlsshim_context_set_security_level(ends[i], 3));
        note(run, tlsshim_context_set_trust(ends[i], certs()->trust));
        note(run, tlsshim_context_add_psk(ends[i], "bob", 3, key, 32));
        if (ends[i] == run->server)
            note(run, tlsshim_context_add_psk(ends[i], "alice", 5, key, 31));
    }
}

static uint8_t staple[4096]; /* for certs()->server */
static int32_t staple_len;

static bool must_fail(const struct run *run)
{
    return run->bad_server || run->staple == NOT_STAPLED || run->shows == LATE_AND_BAD;
}

static void set_staples(struct run *run)
{
    if (run->staple != NOT_ASKED)
        note(run, tlsshim_context_set_staple_mode(run->client, TLSSHIM_STAPLE_REQUIRE));
    if (run->staple == STAPLED)
        note(run, tlsshim_context_set_staple(run->server, certs()->server, staple, staple_len));
}

static void make_contexts(struct run *run)
{
    int64_t own;

    run->client = hold(run, tlsshim_context_new(TLSSHIM_ROLE_CLIENT));
    run->server = hold(run, tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    if (run->client < 0 || run->server < 0)
        return;
    if (run->by_key) {
        make_contexts_by_key(run);
        return;
    }
    note(run, tlsshim_context_set_versions(run->client, run->version, run->version));
    note(run, tlsshim_context_set_trust(run->client, certs()->trust));
    own = run->shows == LATE_AND_BAD ? certs()->client_other : certs()->client;
    note(run, tlsshim_context_add_identity(run->client, own, "", 0));
    note(run, tlsshim_context_set_alpn(run->client, "\2h2", 3, TLSSHIM_ALPN_REQUIRE));
    note(run, tlsshim_context_set_groups(run->client, "P-256:?X25519", 13));
    note(run, tlsshim_context_set_trust(run->server, certs()->trust));
    if (run->shows == AT_ONCE) {
        note(run, tlsshim_context_set_client_certificate(run->server, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE));
    } else {
        note(run, tlsshim_context_set_post_handshake(run->client, 1));
        note(run, tlsshim_context_set_post_handshake(run->server, 1));
    }
    note(run, tlsshim_context_add_identity(run->server, run->bad_server ? certs()->server_other : certs()->server,
                                           "www.test", 8));
    note(run, tlsshim_context_set_session_cache(run->server, 0));
    note(run, tlsshim_context_set_alpn(run->server, "\2h2", 3, TLSSHIM_ALPN_REQUIRE));
    if (run->asks)
        ask_for_all(run);
    set_staples(run);
}

static bool transfer(struct run *run, int64_t from, int64_t to)
{
    static uint8_t wire[65536];
    int32_t len = tlsshim_conn_drain(from, wire, sizeof wire);

    note(run, len);
    if (len > 0)
        note(run, tlsshim_conn_feed(to, wire, len));
    return len > 0;
}

static void converse(struct run *run, int64_t client, int64_t server)
{
    static uint8_t plain[20000], back[20000];
    int32_t got = 0, result;

    for (int steps = 0; steps < 20 && run->first_error == 0; steps++) {
        int32_t a = tlsshim_conn_handshake(client), b = tlsshim_conn_handshake(server);
        bool up, down;

        note(run, a);
        note(run, b);
        if (a == TLSSHIM_WANT_EVENT)
            answer(run, client, true);
        if (b == TLSSHIM_WANT_EVENT)
            answer(run, server, false);
        up = transfer(run, client, server);
        down = transfer(run, server, client);
        run->connected = a == TLSSHIM_OK && b == TLSSHIM_OK;
        if (!up && !down && a != TLSSHIM_WANT_EVENT && b != TLSSHIM_WANT_EVENT)
            break;
    }
    /* The last words of who failed reach the other: it must take them well. */
    transfer(run, client, server);
    transfer(run, server, client);
    note(run, tlsshim_conn_read(client, back, sizeof back));
    note(run, tlsshim_conn_read(server, back, sizeof back));
    if (run->first_error != 0)
        return;
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i * 7);
    note(run, tlsshim_conn_write(server, plain, sizeof plain));
    transfer(run, server, client);
    while (run->first_error == 0 && got < (int32_t)sizeof back) {
        result = (int32_t)note(run, tlsshim_conn_read(client, back + got, (int32_t)sizeof back - got));
        if (result == TLSSHIM_WANT_EVENT)
            answer(run, client, true);
        else if (result > 0)
            got += result;
        else
            break;
    }
    if (run->first_error == 0 && got > 0 && memcmp(plain, back, (size_t)got) != 0)
        ck_abort_msg("other bytes came than were sent");
    run->complete = got == (int32_t)sizeof plain;
}

/* Asks for the client's certificate. Whole once it is answered: without memory the backend's client shows none. */
static void show_late(struct run *run, int64_t client, int64_t server)
{
    int64_t verified = 0, awaited = 1;
    bool whole = run->complete;
    char byte;

    run->complete = run->connected = false;
    if (!whole) { /* a drain that failed half-way has given bytes, and tells later */
        note(run, tlsshim_conn_read(server, &byte, 1));
        return;
    }
    note(run, tlsshim_conn_request_certificate(server));
    transfer(run, server, client);
    note(run, tlsshim_conn_read(client, &byte, 1));
    transfer(run, client, server);
    note(run, tlsshim_conn_read(server, &byte, 1));
    transfer(run, server, client);
    note(run, tlsshim_conn_number(server, TLSSHIM_CONN_VERIFIED, &verified));
    note(run, tlsshim_conn_number(server, TLSSHIM_CONN_CERTIFICATE_REQUESTED, &awaited));
    run->connected = verified == 1;
    run->complete = awaited == 0 && run->first_error == 0;
}

static void keep_session(struct run *run, int64_t client)
{
    static uint8_t bytes[16384];
    int64_t session = hold(run, tlsshim_conn_take_session(client));
    int64_t again, n;
    int32_t len;
    char text[512];

    if (session < 0)
        return;
    len = tlsshim_session_export(session, bytes, sizeof bytes);
    note(run, len);
    if (len > 0)
        hold(run, tlsshim_session_load(bytes, len));
    again = hold(run, tlsshim_conn_new(run->client, "www.test", 8));
    if (again > 0)
        note(run, tlsshim_conn_set_session(again, session));
    note(run, tlsshim_conn_text(client, TLSSHIM_CONN_VERIFY_REPORT, text, sizeof text));
    note(run, tlsshim_conn_number(client, TLSSHIM_CONN_CIPHER, &n));
    note(run, tlsshim_conn_channel_binding(client, "tls-server-end-point", 20, bytes, sizeof bytes));
    hold(run, tlsshim_conn_peer_cert(client));
    hold(run, tlsshim_conn_verified_chain(client));
}

static void go(struct run *run)
{
    int64_t client, server;

    if (!run->contexts_last)
        make_contexts(run);
    if (run->client < 0 || run->server < 0 || run->first_error != 0)
        return;
    client = hold(run, tlsshim_conn_new(run->client, "www.test", 8));
    server = hold(run, tlsshim_conn_new(run->server, "", 0));
    if (client < 0 || server < 0)
        return;
    converse(run, client, server);
    if (run->shows != AT_ONCE)
        show_late(run, client, server);
    if (run->complete)
        keep_session(run, client);
    note(run, run->connected ? tlsshim_conn_shutdown(client) : TLSSHIM_OK);
    transfer(run, client, server);
}

static struct run once(struct run wanted, int64_t at)
{
    struct run run = wanted;

    if (run.contexts_last)
        make_contexts(&run);
    scarce_count = 0;
    scarce_at = at;
    go(&run);
    scarce_at = 0;
    while (run.count > 0)
        must_be(tlsshim_close(run.handles[--run.count]), TLSSHIM_OK);
    return run;
}

/* Each allocation fails once (each one of a few, unless SOAK is set): the flow ends with an error or goes through
 * whole, and nothing of the shim's is left behind. The backend itself loses blocks where its decoders run out of
 * memory. */
static void each_fails_once(struct run wanted, int64_t step)
{
    int64_t live = tlsshim_live(0), own, backend, most, losses = 0;
    struct run run;

    for (int i = 0; i < 20000; i++) /* the table of handles grows as far as it will */
        must_be(tlsshim_close(tlsshim_trust_new()), TLSSHIM_OK);
    for (int i = 0; i < 4; i++) /* caches get warm */
        run = once(wanted, 0);
    ck_assert_int_eq(run.complete, !must_fail(&wanted));
    most = scarce_count;
    own = scarce_own;
    backend = scarce_backend;
    run = once(wanted, 0);
    ck_assert_int_eq(scarce_own, own);
    ck_assert_int_eq(scarce_backend, backend);
    step = getenv("SOAK") != NULL ? 1 : step;
    for (int64_t at = 1; at <= most; at += step) {
        run = once(wanted, at);
        losses++;
        if (must_fail(&wanted) && run.connected)
            ck_abort_msg("without allocation %lld a bad certificate was accepted", (long long)at);
        if (run.first_error == 0 && !run.complete)
            ck_abort_msg("without allocation %lld nothing is told, and not all came", (long long)at);
        must_be(tlsshim_live(0), live);
        if (scarce_own != own)
            ck_abort_msg("without allocation %lld %lld blocks are left behind", (long long)at,
                         (long long)(scarce_own - own));
    }
    run = once(wanted, 0);
    ck_assert_int_eq(run.complete, !must_fail(&wanted));
    ck_assert_msg(scarce_backend - backend < 10 * losses,
                  "%lld losses of an allocation cost %lld blocks of the backend", (long long)losses,
                  (long long)(scarce_backend - backend));
}

START_TEST(a_connection_survives_the_loss_of_any_allocation)
{
    each_fails_once((struct run){.version = _i, .contexts_last = true}, 11);
}
END_TEST

START_TEST(a_context_survives_the_loss_of_any_allocation)
{
    each_fails_once((struct run){.version = _i}, 37);
}
END_TEST

START_TEST(a_bad_certificate_is_refused_whatever_allocation_fails)
{
    each_fails_once((struct run){.version = _i, .bad_server = true, .contexts_last = true}, 11);
}
END_TEST

START_TEST(a_connection_whose_host_decides_survives_the_loss_of_any_allocation)
{
    each_fails_once((struct run){.version = _i, .contexts_last = true, .asks = true}, 11);
}
END_TEST

START_TEST(a_connection_by_key_survives_the_loss_of_any_allocation)
{
    each_fails_once((struct run){.version = _i, .by_key = true, .contexts_last = true}, 3);
    each_fails_once((struct run){.version = _i, .by_key = true}, 19);
}
END_TEST

START_TEST(a_stapled_answer_survives_the_loss_of_any_allocation)
{
    each_fails_once((struct run){.version = _i, .staple = STAPLED, .contexts_last = true}, 11);
}
END_TEST

START_TEST(setting_an_answer_survives_the_loss_of_any_allocation)
{
    each_fails_once((struct run){.version = _i, .staple = STAPLED}, 37);
}
END_TEST

START_TEST(a_missing_answer_is_refused_whatever_allocation_fails)
{
    each_fails_once((struct run){.version = _i, .staple = NOT_STAPLED, .contexts_last = true}, 11);
}
END_TEST

START_TEST(a_late_certificate_survives_the_loss_of_any_allocation)
{
    each_fails_once((struct run){.version = TLSSHIM_TLS_1_3, .shows = LATE, .contexts_last = true}, 5);
}
END_TEST

START_TEST(a_late_bad_certificate_is_refused_whatever_allocation_fails)
{
    each_fails_once((struct run){.version = TLSSHIM_TLS_1_3, .shows = LATE_AND_BAD, .contexts_last = true}, 7);
}
END_TEST

/* Check's assertions are for tests alone. */
static bool make_staple(void)
{
    int64_t cert = tlsshim_identity_cert(certs()->server), now = time(NULL);

    staple_len =
        tlsshim_ocsp_issue(cert, certs()->ca, TLSSHIM_OCSP_GOOD, 0, now - 10, now + 86400, staple, sizeof staple);
    tlsshim_close(cert);
    return staple_len > 0;
}

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *tests = tcase_create("memory");

    if (!scarce_install()) {
        fprintf(stderr, "the backend has allocated before main\n");
        return EXIT_FAILURE;
    }
    certs();
    tcase_add_checked_fixture(tests, set_both_apart, close_both);
    if (!make_staple())
        return EXIT_FAILURE;
    tcase_set_timeout(tests, getenv("SOAK") != NULL ? 1000 : 150);
    tcase_add_loop_test(tests, a_connection_survives_the_loss_of_any_allocation, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, a_context_survives_the_loss_of_any_allocation, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, a_bad_certificate_is_refused_whatever_allocation_fails, TLSSHIM_TLS_1_2,
                        TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, a_connection_whose_host_decides_survives_the_loss_of_any_allocation, TLSSHIM_TLS_1_2,
                        TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, a_connection_by_key_survives_the_loss_of_any_allocation, TLSSHIM_TLS_1_2,
                        TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, a_stapled_answer_survives_the_loss_of_any_allocation, TLSSHIM_TLS_1_2,
                        TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, setting_an_answer_survives_the_loss_of_any_allocation, TLSSHIM_TLS_1_2,
                        TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, a_missing_answer_is_refused_whatever_allocation_fails, TLSSHIM_TLS_1_2,
                        TLSSHIM_TLS_1_3 + 1);
    tcase_add_test(tests, a_late_certificate_survives_the_loss_of_any_allocation);
    tcase_add_test(tests, a_late_bad_certificate_is_refused_whatever_allocation_fails);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
