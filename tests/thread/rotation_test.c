/* Ticket keys and whole configurations that change under load. SOAK=1: 30 s of rotation and 1,000 successors, else 2 s
 * and 100. time limit: 200 s */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/certs.h"
#include "support/support.h"

enum { THREADS = 4, KEY = 80, EVERY_MS = 100, ROOM = 32768 };

static bool soaking(void)
{
    return getenv("SOAK") != NULL;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wait_ms(int64_t ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* --- the stage: a service of which two configurations are right, "one" and "two" --- */

struct stage {
    int64_t ca, trust, identities[2], client_identity;
    int64_t server;
};

static struct stage stage;

static int64_t a_server(int which)
{
    int64_t context = a_handle(tlsshim_context_new(TLSSHIM_ROLE_SERVER));

    ck_assert_ok(tlsshim_context_add_identity(context, stage.identities[which], "", 0));
    ck_assert_ok(tlsshim_context_set_alpn(context, which == 0 ? "\3one" : "\3two", 4, TLSSHIM_ALPN_FAIL));
    if (which == 1) {
        ck_assert_ok(tlsshim_context_set_trust(context, stage.trust));
        ck_assert_ok(tlsshim_context_set_client_certificate(context, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE));
        ck_assert_ok(tlsshim_context_set_session_cache(context, 0)); /* tickets, so that both have to do with keys */
    }
    return context;
}

static void setup(void)
{
    stage.ca = certs_ca("CN=Rotation CA");
    stage.trust = certs_trust(stage.ca);
    stage.identities[0] = certs_leaf(stage.ca, "P-256", "CN=one", "www.test", -CERTS_DAY, CERTS_DAY);
    stage.identities[1] = certs_leaf(stage.ca, "P-256", "CN=two", "www.test,two.test", -CERTS_DAY, CERTS_DAY);
    stage.client_identity = certs_leaf(stage.ca, "P-256", "CN=client", "", -CERTS_DAY, CERTS_DAY);
    stage.server = a_server(0);
}

static void teardown(void)
{
    int64_t all[] = {stage.ca,    stage.trust, stage.identities[0], stage.identities[1], stage.client_identity,
                     stage.server};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        ck_assert_ok(tlsshim_close(all[i]));
    ck_assert_int_eq(tlsshim_live(0), 0);
}

/* --- clients --- */

struct client {
    pthread_t thread;
    int64_t context;
    atomic_bool *enough;
    int64_t pause_ms; /* between connections */
    int64_t connections, resumed, of_two;
    char trouble[1024];
};

struct ends {
    int64_t client, server;
    uint8_t wire[ROOM];
};

static bool move(struct ends *ends, int64_t from, int64_t to)
{
    int32_t len = tlsshim_conn_drain(from, ends->wire, ROOM);

    return len > 0 && tlsshim_conn_feed(to, ends->wire, len) == len;
}

/* A byte each way; the first result that is an error, or OK. */
static int64_t talk(struct ends *ends)
{
    bool asked = false, answered = false;
    uint8_t byte;

    for (;;) {
        int32_t mine = asked ? tlsshim_conn_read(ends->client, &byte, 1) : tlsshim_conn_write(ends->client, "a", 1);
        int32_t theirs = answered ? tlsshim_conn_handshake(ends->server) : tlsshim_conn_read(ends->server, &byte, 1);
        bool up, down;

        if (mine < 0 && tlsshim_error_code(mine) < -15)
            return mine;
        if (theirs < 0 && tlsshim_error_code(theirs) < -15)
            return theirs;
        if (asked && mine == 1)
            return TLSSHIM_OK;
        asked = asked || mine == 1;
        if (!answered && theirs == 1)
            answered = tlsshim_conn_write(ends->server, "b", 1) == 1;
        up = move(ends, ends->client, ends->server);
        down = move(ends, ends->server, ends->client);
        if (mine < 0 && theirs < 0 && !up && !down)
            return TLSSHIM_E_TRUNCATED; /* nothing goes on */
    }
}

static void close_all(const int64_t *handles, int count)
{
    for (int i = 0; i < count; i++)
        if (handles[i] > 0)
            tlsshim_close(handles[i]);
}

static int64_t number_of(int64_t conn, int32_t field)
{
    int64_t n = -1;

    tlsshim_conn_number(conn, field, &n);
    return n;
}

/* 0 or 1: the configuration of which all that shows is; -1: a mixture. */
static int configuration(const struct ends *ends)
{
    int64_t cert = tlsshim_conn_peer_cert(ends->client), asked = tlsshim_conn_peer_cert(ends->server);
    char name[8] = "", protocol[8] = "";
    int which;

    tlsshim_cert_text(cert, TLSSHIM_CERT_COMMON_NAME, name, sizeof name);
    tlsshim_conn_text(ends->client, TLSSHIM_CONN_ALPN, protocol, sizeof protocol);
    which = memcmp(name, "two", 3) == 0;
    if (memcmp(name, protocol, 3) != 0 || (asked > 0) != (which == 1) ||
        number_of(ends->server, TLSSHIM_CONN_VERIFIED) != which)
        which = -1;
    close_all((int64_t[]){cert, asked}, 2);
    return which;
}

static void one_connection(struct client *client)
{
    struct ends ends = {.client = tlsshim_conn_new(client->context, "www.test", 8),
                        .server = tlsshim_conn_new(stage.server, "", 0)};
    int64_t result = talk(&ends);
    int which = 0;

    if (result == TLSSHIM_OK) {
        which = configuration(&ends);
        client->connections++;
        client->of_two += which == 1;
        client->resumed += number_of(ends.client, TLSSHIM_CONN_RESUMED);
    }
    if (result != TLSSHIM_OK)
        snprintf(client->trouble, sizeof client->trouble, "connection %lld: %s", (long long)client->connections,
                 support_text(result));
    else if (which < 0)
        snprintf(client->trouble, sizeof client->trouble, "connection %lld mixes the configurations",
                 (long long)client->connections);
    else if (number_of(ends.client, TLSSHIM_CONN_RESUMED) != number_of(ends.server, TLSSHIM_CONN_RESUMED))
        snprintf(client->trouble, sizeof client->trouble, "the ends disagree about resumption");
    close_all((int64_t[]){ends.client, ends.server}, 2);
}

static void *visit(void *argument)
{
    struct client *client = argument;

    while (!atomic_load(client->enough) && client->trouble[0] == 0) {
        one_connection(client);
        if (client->pause_ms > 0)
            wait_ms(client->pause_ms);
    }
    return NULL;
}

static void begin(struct client clients[THREADS], atomic_bool *enough, int64_t pause_ms)
{
    for (int i = 0; i < THREADS; i++) {
        struct client *client = &clients[i];

        *client = (struct client){.enough = enough, .pause_ms = pause_ms};
        client->context = a_handle(tlsshim_context_new(TLSSHIM_ROLE_CLIENT));
        ck_assert_ok(tlsshim_context_set_trust(client->context, stage.trust));
        ck_assert_ok(tlsshim_context_add_identity(client->context, stage.client_identity, "", 0));
        ck_assert_ok(tlsshim_context_set_alpn(client->context, "\3one\3two", 8, TLSSHIM_ALPN_REQUIRE));
        ck_assert_ok(tlsshim_context_set_session_cache(client->context, 16));
        ck_assert_int_eq(pthread_create(&client->thread, NULL, visit, client), 0);
    }
}

/* The sum of all; the first trouble fails the test. */
static struct client end(struct client clients[THREADS], atomic_bool *enough)
{
    struct client sum = {0};

    atomic_store(enough, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(clients[i].thread, NULL);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_msg(clients[i].trouble[0] == 0, "thread %d: %s", i, clients[i].trouble);
        sum.connections += clients[i].connections;
        sum.resumed += clients[i].resumed;
        sum.of_two += clients[i].of_two;
        ck_assert_ok(tlsshim_close(clients[i].context));
    }
    return sum;
}

/* --- ticket keys --- */

/* The new key first, the one before second, and none else. */
static void rotate(uint8_t keys[2 * KEY])
{
    memcpy(keys + KEY, keys, KEY);
    ck_assert_int_eq(tlsshim_ticket_keys_new(1, keys, KEY), KEY);
    ck_assert_ok(tlsshim_context_set_ticket_keys(stage.server, keys, 2 * KEY));
}

static struct client rotate_under_load(int64_t pause_ms, int *rotations)
{
    struct client clients[THREADS];
    atomic_bool enough = false;
    uint8_t keys[2 * KEY];
    int64_t until;

    ck_assert_int_eq(tlsshim_ticket_keys_new(1, keys, KEY), KEY);
    rotate(keys);
    begin(clients, &enough, pause_ms);
    until = now_ms() + (soaking() ? 30000 : 2000);
    for (*rotations = 0; now_ms() < until; ++*rotations) {
        wait_ms(EVERY_MS);
        rotate(keys);
    }
    return end(clients, &enough);
}

static void tell(const char *what, const struct client *sum, int changes)
{
    printf("%s: %d changes, %lld connections, %lld resumed (%.1f %%), none failed\n", what, changes,
           (long long)sum->connections, (long long)sum->resumed,
           100.0 * (double)sum->resumed / (double)sum->connections);
}

/* A ticket opens for the rest of its period and the one after it: clients that come back within a period always
 * resume. One that the machine holds up for longer may not, so the bound leaves room for one such stop in each change.
 */
START_TEST(clients_that_come_back_in_time_resume_across_rotations)
{
    int rotations;
    struct client sum = rotate_under_load(0, &rotations);

    tell("rotation, busy clients", &sum, rotations);
    ck_assert_int_gt(sum.connections, (int64_t)THREADS * 10);
    ck_assert_int_ge(sum.resumed, sum.connections - THREADS - (int64_t)THREADS * rotations / 2);
}
END_TEST

START_TEST(clients_that_come_back_after_several_rotations_do_not_resume)
{
    int rotations;
    struct client sum = rotate_under_load(5 * EVERY_MS, &rotations);

    tell("rotation, rare clients", &sum, rotations);
    ck_assert_int_gt(sum.connections, THREADS);
    ck_assert_int_le(sum.resumed, sum.connections / 4);
}
END_TEST

/* --- successors --- */

START_TEST(successors_come_under_load_and_none_is_mixed_with_another)
{
    struct client clients[THREADS], sum;
    atomic_bool enough = false;
    const int times = soaking() ? 1000 : 100;

    begin(clients, &enough, 0);
    for (int i = 0; i < times; i++) {
        int64_t successor = a_server((i + 1) % 2);

        ck_assert_ok(tlsshim_context_replace(stage.server, successor));
        ck_assert_ok(tlsshim_close(successor));
        wait_ms(5);
    }
    sum = end(clients, &enough);
    tell("successors", &sum, times);
    ck_assert_int_gt(sum.of_two, 0);
    ck_assert_int_lt(sum.of_two, sum.connections);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rotation");
    TCase *tcase = tcase_create("rotation");

    tcase_set_timeout(tcase, 150);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, clients_that_come_back_in_time_resume_across_rotations);
    tcase_add_test(tcase, clients_that_come_back_after_several_rotations_do_not_resume);
    tcase_add_test(tcase, successors_come_under_load_and_none_is_mixed_with_another);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
