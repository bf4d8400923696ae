/* Stapled answers that change while handshakes show them: each handshake shows one of them, whole. time limit: 120 s */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/certs.h"
#include "support/support.h"

enum { CLIENTS = 3, HANDSHAKES = 100, ROOM = 16384, ANSWERS = 3 };

static int64_t server, cert;
static atomic_int running;

struct answer {
    uint8_t der[2048];
    int32_t len;
};
static struct answer answers[ANSWERS];

static void setup(void)
{
    int64_t now = time(NULL);

    cert = a_handle(tlsshim_identity_cert(certs()->server));
    server = a_handle(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    ck_assert_ok(tlsshim_context_add_identity(server, certs()->server, "", 0));
    for (int i = 0; i < ANSWERS; i++) {
        answers[i].len = tlsshim_ocsp_issue(cert, certs()->ca, TLSSHIM_OCSP_GOOD, 0, now - 100 + i, now + 86400,
                                            answers[i].der, sizeof answers[i].der);
        ck_assert_int_gt(answers[i].len, 0);
    }
    ck_assert_ok(tlsshim_context_set_staple(server, certs()->server, answers[0].der, answers[0].len));
}

static void teardown(void)
{
    ck_assert_ok(tlsshim_close(server));
    ck_assert_ok(tlsshim_close(cert));
}

static bool known(int64_t conn)
{
    uint8_t der[2048];
    int32_t len = tlsshim_conn_bytes(conn, TLSSHIM_CONN_STAPLE, der, sizeof der);

    for (int i = 0; i < ANSWERS; i++)
        if (len == answers[i].len && memcmp(der, answers[i].der, (size_t)len) == 0)
            return true;
    return false;
}

static void carry(int64_t from, int64_t to)
{
    uint8_t wire[ROOM];
    int32_t len;

    while ((len = tlsshim_conn_drain(from, wire, sizeof wire)) > 0)
        tlsshim_conn_feed(to, wire, len);
}

/* What went wrong, or "". */
static void meet(int64_t context, char trouble[512])
{
    int64_t client = tlsshim_conn_new(context, "www.test", 8), here = tlsshim_conn_new(server, "", 0);
    int32_t result = TLSSHIM_WANT_FEED, there = result;

    for (int steps = 0; steps < 10 && (result != TLSSHIM_OK || there != TLSSHIM_OK); steps++) {
        result = tlsshim_conn_handshake(client);
        carry(client, here);
        there = tlsshim_conn_handshake(here);
        carry(here, client);
    }
    if (result != TLSSHIM_OK || there != TLSSHIM_OK)
        snprintf(trouble, 512, "client %.200s, server %.200s", support_text(result), support_text(there));
    else if (!known(client))
        snprintf(trouble, 512, "an answer came that nobody gave");
    tlsshim_close(client);
    tlsshim_close(here);
}

static void *be_client(void *argument)
{
    char *trouble = argument;
    int64_t context = tlsshim_context_new(TLSSHIM_ROLE_CLIENT);

    tlsshim_context_set_trust(context, certs()->trust);
    tlsshim_context_set_staple_mode(context, TLSSHIM_STAPLE_REQUIRE);
    for (int i = 0; i < HANDSHAKES && trouble[0] == 0; i++)
        meet(context, trouble);
    tlsshim_close(context);
    atomic_fetch_sub(&running, 1);
    return NULL;
}

START_TEST(each_handshake_shows_one_of_the_answers_that_change_meanwhile)
{
    pthread_t clients[CLIENTS];
    char trouble[CLIENTS][512] = {{0}};
    int64_t changes = 0;

    atomic_store(&running, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(pthread_create(&clients[i], NULL, be_client, trouble[i]), 0);
    for (; atomic_load(&running) > 0; changes++) {
        const struct answer *next = &answers[changes % ANSWERS];
        int64_t successor;

        must_be(tlsshim_context_set_staple(server, certs()->server, next->der, next->len), TLSSHIM_OK);
        if (changes % 8 != 0)
            continue;
        successor = a_handle(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
        must_be(tlsshim_context_add_identity(successor, certs()->server, "", 0), TLSSHIM_OK);
        must_be(tlsshim_context_set_staple(successor, certs()->server, answers[1].der, answers[1].len), TLSSHIM_OK);
        must_be(tlsshim_context_replace(server, successor), TLSSHIM_OK);
        must_be(tlsshim_close(successor), TLSSHIM_OK);
    }
    for (int i = 0; i < CLIENTS; i++) {
        ck_assert_int_eq(pthread_join(clients[i], NULL), 0);
        ck_assert_str_eq(trouble[i], "");
    }
    ck_assert_int_gt(changes, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("staple_storm");
    TCase *tcase = tcase_create("staple_storm");

    certs();
    tcase_set_timeout(tcase, 100);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, each_handshake_shows_one_of_the_answers_that_change_meanwhile);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
