/* Every way in which a peer can be wrong, by both roles of its victim and both versions: the victim's call fails with
 * the code, the peer reads the alert, the text names the cause, and no application byte passes in either direction.
 * The peer sends such bytes right behind its last message of the handshake, sealed as it should be. */
#include <string.h>

#include "support/pair.h"
#include "support/pki.h"
#include "wrong/wrong.h"

struct turn {
    const struct wrong *wrong;
    bool client; /* the victim */
    int32_t version;
};

struct run {
    const struct wrong *wrong;
    bool client;
    int32_t version;
    struct rogue rogue;
    struct shown shown;
    int64_t conn;
    int32_t result; /* the victim's first error */
    int32_t got;    /* application bytes that the victim's host was given */
    bool forged;
};

static struct run run;

static const char mine[] = "what the victim's host has to say", theirs[] = "what nobody may be given";

/* --- the two ends --- */

static int32_t victim_version(void)
{
    return run.wrong->any ? 0 : run.version;
}

static void victim_begin(const struct shown *shown)
{
    int64_t trust = shown->trust != 0 ? shown->trust : certs()->trust;
    const char *name = run.wrong->name != NULL ? run.wrong->name : run.client ? "www.test" : "";
    int64_t context =
        run.client ? client_context(victim_version(), trust, certs()->client)
                   : server_context(victim_version(), certs()->server, trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);

    if (run.wrong->set != NULL)
        run.wrong->set(context);
    run.conn = keep(tlsshim_conn_new(context, run.client ? name : "", run.client ? (int32_t)strlen(name) : 0));
    if (!run.client && run.wrong->name != NULL)
        ck_assert_ok(tlsshim_conn_set_verify_name(run.conn, str(name)));
}

static int show_staple(SSL *ssl, void *arg)
{
    const struct shown *shown = arg;
    uint8_t *staple = OPENSSL_memdup(shown->staple, (size_t)shown->staple_len);

    ck_assert_ptr_nonnull(staple);
    SSL_set_tlsext_status_ocsp_resp(ssl, staple, shown->staple_len);
    return SSL_TLSEXT_ERR_OK;
}

static void rogue_show(struct shown *shown)
{
    if (shown->staple != NULL) {
        SSL_CTX_set_tlsext_status_cb(run.rogue.ctx, show_staple);
        SSL_CTX_set_tlsext_status_arg(run.rogue.ctx, shown);
    }
    ck_assert_int_eq(SSL_use_cert_and_key(run.rogue.ssl, shown->leaf, shown->key, shown->rest, 1), 1);
    X509_free(shown->leaf);
    sk_X509_pop_free(shown->rest, X509_free);
    EVP_PKEY_free(shown->key);
}

static void both_begin(struct turn turn)
{
    const struct wrong *wrong = turn.wrong;
    bool client = turn.client;

    memset(&run, 0, sizeof run);
    run.wrong = wrong;
    run.client = client;
    run.version = turn.version;
    rogue_begin(&run.rogue, !client);
    (wrong->chain != NULL ? wrong->chain : good)(&run.shown, !client);
    rogue_connect(&run.rogue);
    rogue_show(&run.shown);
    run.rogue.hook = wrong->within;
    if (wrong->before != NULL)
        wrong->before(&run.rogue);
    victim_begin(&run.shown);
    if (wrong->bytes != NULL) {
        SSL_free(run.rogue.ssl);
        run.rogue.ssl = NULL;
        rogue_raw(&run.rogue, wrong->bytes, wrong->len);
    }
}

/* --- the victim's side --- */

static void note(int32_t result)
{
    if (result > TLSSHIM_E_HANDLE)
        return;
    if (run.result == 0)
        run.result = result;
    ck_assert_msg(result == run.result, "another error now: %s, before %s", support_text(result),
                  support_text(run.result));
}

/* Its host tries everything: a byte that is to be sent is only refused while the peer may still turn out wrong. */
static void victim_tries(bool writes)
{
    char data[256];
    int32_t result = tlsshim_conn_read(run.conn, data, sizeof data);

    if (result > 0)
        run.got += result;
    note(result);
    if (writes) {
        result = tlsshim_conn_write(run.conn, mine, sizeof mine);
        ck_assert_msg(result < 0, "the victim may write though its peer is wrong");
        note(result);
    }
    note(tlsshim_conn_handshake(run.conn));
    if (run.wrong->answer != NULL && run.result == 0 && tlsshim_conn_event(run.conn) > 0)
        run.wrong->answer(run.conn);
}

static void carry_to_victim(void)
{
    struct stretch *wire = &run.rogue.wire;
    size_t at = 0;

    while (at < wire->len && run.result == 0) {
        int32_t taken = tlsshim_conn_feed(run.conn, wire->data + at, (int32_t)(wire->len - at));

        ck_assert_ok(taken);
        at += (size_t)taken;
        if (at < wire->len)
            victim_tries(false);
    }
    wire->len = 0;
}

static void carry_to_rogue(void)
{
    uint8_t data[16384];
    int32_t len;

    while ((len = tlsshim_conn_drain(run.conn, data, sizeof data)) > 0)
        rogue_hear(&run.rogue, data, (size_t)len);
    ck_assert_msg(len == 0 || len == run.result, "drain: %s", support_text(len));
}

/* --- how it goes --- */

static void forge(void)
{
    if (run.forged)
        return;
    rogue_say(&run.rogue, DATA, theirs, sizeof theirs);
    run.forged = true;
}

static bool victim_done(void)
{
    return (tlsshim_conn_state(run.conn) & TLSSHIM_STATE_HANDSHAKE_DONE) != 0;
}

static bool later(const struct wrong *wrong)
{
    return wrong->late != NULL || wrong->asks;
}

static void handshake(bool writes)
{
    for (int steps = 0; steps < 8; steps++) {
        rogue_step(&run.rogue);
        if (run.rogue.finished && !later(run.wrong))
            forge();
        carry_to_victim();
        victim_tries(writes);
        carry_to_rogue();
    }
}

static void ask_late(void)
{
    int32_t result = tlsshim_conn_request_certificate(run.conn);

    ck_assert_msg(result == TLSSHIM_OK, "%s", support_text(result));
    carry_to_rogue();
    rogue_step(&run.rogue);
}

static void misbehave_late(void)
{
    ck_assert_msg(victim_done() && rogue_done(&run.rogue), "they are not even connected: %s", support_text(run.result));
    if (run.wrong->late != NULL)
        run.wrong->late(&run.rogue);
    if (run.wrong->asks)
        ask_late();
    forge();
    for (int steps = 0; steps < 2; steps++) {
        carry_to_victim();
        victim_tries(false);
        carry_to_rogue();
        rogue_step(&run.rogue);
    }
}

static void play(struct turn turn, bool writes)
{
    const struct wrong *wrong = turn.wrong;

    both_begin(turn);
    handshake(writes && !later(wrong));
    if (later(wrong))
        misbehave_late();
    if (wrong->ends && run.result == 0) {
        ck_assert_ok(tlsshim_conn_feed_end(run.conn));
        victim_tries(!later(wrong));
        carry_to_rogue();
    }
    rogue_step(&run.rogue);
}

static void play_ends(void)
{
    rogue_end(&run.rogue);
    OPENSSL_free(run.shown.staple);
}

/* --- the promise --- */

static bool takes_place(struct turn turn)
{
    const struct wrong *wrong = turn.wrong;
    int versions = wrong->versions == 0 ? OF_1_2 | OF_1_3 : wrong->versions;

    if ((wrong->any || wrong->bytes != NULL) && turn.version == TLSSHIM_TLS_1_2)
        return false;
    return (wrong->victims & (turn.client ? CLIENT : SERVER)) != 0 &&
           (versions & (turn.version == TLSSHIM_TLS_1_2 ? OF_1_2 : OF_1_3)) != 0;
}

static bool told_by_newer(void)
{
    const struct wrong *wrong = run.wrong;

    return run.version == TLSSHIM_TLS_1_2 && wrong->says_newer != NULL &&
           strstr(error_text_of(run.result), wrong->says_newer) != NULL;
}

static int wanted_alert(void)
{
    const struct wrong *wrong = run.wrong;

    if (told_by_newer())
        return wrong->alert_newer;
    if (run.version == TLSSHIM_TLS_1_3 && wrong->alert_13 != 0)
        return wrong->alert_13 < 0 ? 0 : wrong->alert_13;
    return wrong->alert;
}

static void judge(void)
{
    const struct wrong *wrong = run.wrong;
    const char *says = run.version == TLSSHIM_TLS_1_3 && wrong->says_13 != NULL ? wrong->says_13 : wrong->says;
    char label[160];

    snprintf(label, sizeof label, "%s, to a %s of TLS 1.%d", wrong->way, run.client ? "client" : "server",
             run.version == TLSSHIM_TLS_1_2 ? 2 : 3);
    ck_assert_msg(support_has_code(run.result, wrong->code), "%s: %s, wanted %s", label, support_text(run.result),
                  support_name(wrong->code));
    ck_assert_msg(told_by_newer() || strstr(error_text_of(run.result), says) != NULL,
                  "%s: the text is \"%s\", without \"%s\"", label, error_text_of(run.result), says);
    ck_assert_msg(run.rogue.alert == wanted_alert() && run.rogue.unreadable == 0,
                  "%s: the peer read alert %d, wanted %d; %d records were unreadable", label, run.rogue.alert,
                  wanted_alert(), run.rogue.unreadable);
    ck_assert_msg(run.rogue.alerts <= 1, "%s: %d alerts", label, run.rogue.alerts);
    ck_assert_msg(run.got == 0, "%s: the victim's host was given %d bytes", label, run.got);
    ck_assert_msg(run.rogue.data_heard == 0, "%s: the peer was given %zu bytes", label, run.rogue.data_heard);
    ck_assert_msg(later(wrong) || !victim_done(), "%s: the victim calls itself connected", label);
}

/* One way, one role, one version. */
static struct turn turn_of(const struct wrong *table, int number)
{
    return (struct turn){&table[number / 4], number % 2 == 0, number / 2 % 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3};
}

START_TEST(a_wrong_peer_is_refused_with_a_reason_and_gets_and_gives_no_byte)
{
    play(turn_of(wrongs, _i), true);
    judge();
    play_ends();
}
END_TEST

/* What the judgements above rest on: here a byte would have been seen, in either direction. */
static const struct wrong rights[] = {
    {.way = "none", .victims = BOTH},
    {.way = "its staple is good", .victims = CLIENT, .chain = staple_good, .set = staple_required},
    {.way = "its late certificate is good",
     .victims = SERVER,
     .versions = OF_1_3,
     .set = certificate_late,
     .before = offer_late_certificate,
     .asks = true},
};
enum { RIGHTS = sizeof rights / sizeof rights[0] };

START_TEST(a_good_peer_gets_and_gives_every_byte)
{
    struct turn turn = turn_of(rights, _i);

    play(turn, false);
    ck_assert_msg(victim_done() && run.result == 0, "%s: %s", turn.wrong->way, support_text(run.result));
    ck_assert_int_eq(run.got, sizeof theirs);
    ck_assert_int_eq(number_of(run.conn, TLSSHIM_CONN_VERIFIED), 1);
    ck_assert_int_eq(tlsshim_conn_write(run.conn, mine, sizeof mine), sizeof mine);
    carry_to_rogue();
    rogue_step(&run.rogue);
    ck_assert_uint_eq(run.rogue.data_heard, sizeof mine);
    ck_assert_int_eq(run.rogue.unreadable, 0);
    ck_assert_int_eq(run.rogue.alerts, 0);
    play_ends();
}
END_TEST

/* The one wish that is not answered with an end (RFC 5246 section 7.2.2). */
START_TEST(a_wish_to_renegotiate_is_declined_and_harms_nobody)
{
    static const struct wrong wish = {.way = "it wants to renegotiate", .late = late_renegotiation};
    struct turn turn = turn_of(wrongs, _i);

    turn.wrong = &wish;
    both_begin(turn);
    handshake(false);
    late_renegotiation(&run.rogue);
    forge();
    carry_to_victim();
    victim_tries(false);
    carry_to_rogue();
    rogue_step(&run.rogue);
    ck_assert_int_eq(run.result, 0);
    ck_assert_int_eq(run.rogue.alert, 100);
    ck_assert_int_eq(run.rogue.alert_level, 1);
    ck_assert_int_eq(run.got, sizeof theirs);
    play_ends();
}
END_TEST

/* The rogue end is OpenSSL's own, throughout. */
static void own_algorithms(void)
{
    OSSL_LIB_CTX_set0_default(support_context());
}

int main(void)
{
    Suite *suite = suite_create("wrong_peer");
    TCase *tcase = tcase_create("wrong_peer");
    int tries = 0;

    certs();
    wrong_chains_begin();
    tcase_add_checked_fixture(tcase, own_algorithms, NULL);
    tcase_add_checked_fixture(tcase, keep_begin, keep_end);
    for (int turn = 0; turn < 4 * RIGHTS; turn++)
        if (takes_place(turn_of(rights, turn)))
            tcase_add_loop_test(tcase, a_good_peer_gets_and_gives_every_byte, turn, turn + 1);
    tcase_add_loop_test(tcase, a_wish_to_renegotiate_is_declined_and_harms_nobody, 0, 2);
    for (int turn = 0; turn < 4 * wrong_count; turn++) {
        if (!takes_place(turn_of(wrongs, turn)))
            continue;
        tries++;
        tcase_add_loop_test(tcase, a_wrong_peer_is_refused_with_a_reason_and_gets_and_gives_no_byte, turn, turn + 1);
    }
    suite_add_tcase(suite, tcase);
    printf("%d ways to be wrong, %d tries by role and version\n", wrong_count, tries);
    return run_suite(suite);
}
