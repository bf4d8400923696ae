/* Handshakes whose events are answered by other threads than those that met them, and that are closed meanwhile.
 * time limit: 300 s */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support/certs.h"
#include "support/pair.h"
#include "support/pki.h"

enum { PUMPS = 4, ANSWERERS = 3, SLOTS = 16 };

static int soak(int usual, int long_run)
{
    return getenv("SOAK") != NULL ? long_run : usual;
}

static int64_t contexts[2], keys[2]; /* of the client, of the server */

/* An identity whose key is elsewhere: with the answerers. */
static int64_t apart(int64_t identity, int64_t *key)
{
    int64_t cert = a_handle(tlsshim_identity_cert(identity));
    int64_t public_key = a_handle(tlsshim_cert_public_key(cert));
    int64_t external = a_handle(tlsshim_key_external(public_key));
    int64_t made = a_handle(tlsshim_identity_new(cert, external));

    *key = keep(a_handle(tlsshim_identity_key(identity)));
    ck_assert_ok(tlsshim_close(cert));
    ck_assert_ok(tlsshim_close(public_key));
    ck_assert_ok(tlsshim_close(external));
    return keep(made);
}

static void setup(void)
{
    const int32_t both = TLSSHIM_EVENT_VERIFY | TLSSHIM_EVENT_SIGN;

    keep_begin();
    contexts[0] = client_context(0, certs()->trust, apart(certs()->client, &keys[0]));
    contexts[1] =
        server_context(0, apart(certs()->server, &keys[1]), certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);
    ck_assert_ok(tlsshim_context_set_events(contexts[0], both));
    ck_assert_ok(tlsshim_context_set_events(contexts[1], both | TLSSHIM_EVENT_HELLO | TLSSHIM_EVENT_CERTIFICATE));
}

/* What the threads share: connections that are under way. A closed one's handle is only stale to those who still use
 * it. */
static struct {
    _Atomic int64_t conn[SLOTS];
    int end[SLOTS]; /* 0 = a client */
    atomic_bool over;
    atomic_int answers, done;
} shared;

static void sign(int64_t conn, int end)
{
    uint8_t message[8192], signature[1024];
    char scheme[64];
    int32_t scheme_len = tlsshim_conn_event_text(conn, TLSSHIM_DETAIL_SIGN_SCHEME, scheme, sizeof scheme);
    int32_t len = tlsshim_conn_event_bytes(conn, TLSSHIM_DETAIL_SIGN_MESSAGE, message, sizeof message);

    if (scheme_len <= 0 || len <= 0)
        return; /* another thread was faster */
    len = tlsshim_key_sign(keys[end], scheme, scheme_len, message, len, signature, sizeof signature);
    if (len <= 0)
        ck_abort_msg("signing: %s", support_text(len));
    (void)tlsshim_conn_sign_with(conn, signature, len);
}

static void answer(int64_t conn, int end)
{
    int32_t event = tlsshim_conn_event(conn);

    switch (event) {
    case TLSSHIM_EVENT_VERIFY:
        (void)tlsshim_conn_accept_peer(conn);
        break;
    case TLSSHIM_EVENT_CERTIFICATE:
    case TLSSHIM_EVENT_HELLO:
        (void)tlsshim_conn_event_done(conn);
        break;
    case TLSSHIM_EVENT_SIGN:
        sign(conn, end);
        break;
    default:
        return;
    }
    atomic_fetch_add(&shared.answers, 1);
}

static void *answer_all(void *unused)
{
    (void)unused;
    while (!atomic_load(&shared.over)) {
        for (int i = 0; i < SLOTS; i++) {
            int64_t conn = atomic_load(&shared.conn[i]);

            if (conn != 0)
                answer(conn, i % 2);
        }
        sched_yield();
    }
    return NULL;
}

struct pump {
    pthread_t thread;
    int number; /* owns the slots 2n and 2n + 1 */
    int rounds;
    bool closes; /* in the middle, at another point each time */
};

static void move(int64_t from, int64_t to)
{
    uint8_t bytes[8192];
    int32_t count = tlsshim_conn_drain(from, bytes, sizeof bytes);

    if (count > 0)
        (void)tlsshim_conn_feed(to, bytes, count);
}

static bool shaken(int64_t client, int64_t server, int most_steps)
{
    for (int step = 0; step < most_steps; step++) {
        int32_t ours = tlsshim_conn_handshake(client);
        int32_t theirs = tlsshim_conn_handshake(server);

        if (ours == TLSSHIM_OK && theirs == TLSSHIM_OK)
            return true;
        if (ours < TLSSHIM_NONE || theirs < TLSSHIM_NONE)
            ck_abort_msg("client %s, server %s", support_text(ours), support_text(theirs));
        move(client, server);
        move(server, client);
        sched_yield();
    }
    return false;
}

static void *pump(void *argument)
{
    const struct pump *p = argument;

    for (int round = 0; round < p->rounds; round++) {
        int64_t client = a_handle(tlsshim_conn_new(contexts[0], "www.test", 8));
        int64_t server = a_handle(tlsshim_conn_new(contexts[1], "", 0));

        atomic_store(&shared.conn[2 * p->number], client);
        atomic_store(&shared.conn[2 * p->number + 1], server);
        if (shaken(client, server, p->closes ? round % 23 : 1000000))
            atomic_fetch_add(&shared.done, 1);
        else if (!p->closes)
            ck_abort_msg("a handshake does not end");
        atomic_store(&shared.conn[2 * p->number], 0);
        atomic_store(&shared.conn[2 * p->number + 1], 0);
        must_be(tlsshim_close(client), TLSSHIM_OK);
        must_be(tlsshim_close(server), TLSSHIM_OK);
    }
    return NULL;
}

static void run(int rounds, bool closes)
{
    struct pump pumps[PUMPS];
    pthread_t answerers[ANSWERERS];

    memset(&shared, 0, sizeof shared);
    for (int i = 0; i < ANSWERERS; i++)
        ck_assert_int_eq(pthread_create(&answerers[i], NULL, answer_all, NULL), 0);
    for (int i = 0; i < PUMPS; i++) {
        pumps[i] = (struct pump){.number = i, .rounds = rounds, .closes = closes};
        ck_assert_int_eq(pthread_create(&pumps[i].thread, NULL, pump, &pumps[i]), 0);
    }
    for (int i = 0; i < PUMPS; i++)
        pthread_join(pumps[i].thread, NULL);
    atomic_store(&shared.over, true);
    for (int i = 0; i < ANSWERERS; i++)
        pthread_join(answerers[i], NULL);
    ck_assert_int_eq(tlsshim_live(TLSSHIM_KIND_CONN), 0);
}

START_TEST(events_are_answered_from_any_thread)
{
    int rounds = soak(50, 1000);

    run(rounds, false);
    ck_assert_int_eq(atomic_load(&shared.done), PUMPS * rounds);
    ck_assert_int_ge(atomic_load(&shared.answers), 6 * PUMPS * rounds);
}
END_TEST

START_TEST(connections_are_closed_while_others_answer_their_events)
{
    run(soak(150, 3000), true);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("event threads");
    TCase *thread = tcase_create("thread");

    tcase_add_checked_fixture(thread, setup, keep_end);
    tcase_set_timeout(thread, 290);
    tcase_add_test(thread, events_are_answered_from_any_thread);
    tcase_add_test(thread, connections_are_closed_while_others_answer_their_events);
    suite_add_tcase(suite, thread);
    certs();
    return run_suite(suite);
}
