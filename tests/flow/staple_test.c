/* OCSP answers beside certificates: what a server shows, and what a client makes of it. */
#include <string.h>

#include "support/answers.h"
#include "support/bare.h"
#include "support/clock.h"
#include "support/pair.h"

enum { ROOM = 8192, REVOKED_ALERT = 44, STATUS_ALERT = 113, VERSIONS = 2 };

static int64_t must_staple; /* an identity whose certificate demands an answer */

static int32_t version_of(int i)
{
    return i % VERSIONS == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
}

static int64_t a_must_staple(void)
{
    int64_t key = a_handle(tlsshim_key_generate("P-256", 5)), tmpl = a_handle(tlsshim_template_new());
    int64_t cert, identity;

    ck_assert_ok(tlsshim_template_add_name(tmpl, "www.test", 8));
    ck_assert_ok(tlsshim_template_set_must_staple(tmpl, 1));
    cert = a_handle(tlsshim_template_issue(tmpl, key, certs()->ca));
    identity = a_handle(tlsshim_identity_new(cert, key));
    tlsshim_close(cert);
    tlsshim_close(tmpl);
    tlsshim_close(key);
    return identity;
}

static void begin(void)
{
    if (must_staple == 0)
        must_staple = a_must_staple();
    keep_begin();
    clock_shift = 0;
}

/* --- a client judges what a server staples, whatever that is --- */

enum what { GOOD, REVOKED, UNKNOWN, EXPIRED, EARLY, BY_STRANGER, OF_OTHER, DAMAGED, EXCUSE, MISSING };

static int32_t bytes_of(enum what what, int64_t about, uint8_t *der)
{
    struct answer answer = answer_of(about, certs()->ca);
    int32_t len;

    switch (what) {
    case REVOKED:
        answer.status = TLSSHIM_OCSP_REVOKED;
        break;
    case UNKNOWN:
        answer.status = TLSSHIM_OCSP_UNKNOWN;
        break;
    case EXPIRED:
        answer.from = -7200, answer.until = -3600;
        break;
    case EARLY:
        answer.from = 3600, answer.until = 7200;
        break;
    case BY_STRANGER:
        answer.signer = certs()->other_ca;
        break;
    case OF_OTHER:
        answer.about = certs()->server_rsa;
        break;
    case EXCUSE:
        memcpy(der, "\x30\x03\x0a\x01\x06", 5);
        return 5;
    case MISSING:
        return 0;
    default:
        break;
    }
    len = answer_der(&answer, der, ROOM);
    if (what == DAMAGED)
        der[len - 1] ^= 1;
    return len;
}

struct stapled {
    uint8_t der[ROOM];
    int32_t len;
};

static int staple_anything(SSL *ssl, void *arg)
{
    const struct stapled *stapled = arg;

    if (stapled->len == 0)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, OPENSSL_memdup(stapled->der, (size_t)stapled->len), stapled->len);
    return SSL_TLSEXT_ERR_OK;
}

static int64_t asking(int i, int32_t mode)
{
    int64_t client = client_context(version_of(i), certs()->trust, 0);

    ck_assert_ok(tlsshim_context_set_staple_mode(client, mode));
    return client;
}

/* A connection of the client to a server that staples this to its certificate. */
static int64_t met(int i, int64_t client, int64_t identity, enum what what, int32_t *result, int *alert)
{
    struct stapled stapled;
    struct bare *server = bare_new(false, version_of(i), identity);
    int64_t conn = keep(tlsshim_conn_new(client, "www.test", 8));

    stapled.len = bytes_of(what, identity, stapled.der);
    SSL_CTX_set_tlsext_status_cb(server->ctx, staple_anything);
    SSL_CTX_set_tlsext_status_arg(server->ctx, &stapled);
    bare_begin(server);
    *result = bare_meet(server, conn);
    *alert = server->alert;
    bare_free(server);
    return conn;
}

static const struct trial {
    enum what what;
    int32_t mode;
    bool demanded; /* by the certificate */
    int32_t code;  /* 0 = it goes through */
    int32_t verify_code;
    const char *says; /* the report */
} trials[] = {
    {GOOD, TLSSHIM_STAPLE_ASK, false, 0, 0, "judged good; its stapled OCSP answer is good until 20"},
    {GOOD, TLSSHIM_STAPLE_REQUIRE, false, 0, 0, "its stapled OCSP answer is good until 20"},
    {GOOD, TLSSHIM_STAPLE_REQUIRE, true, 0, 0, "its stapled OCSP answer is good until 20"},
    {GOOD, TLSSHIM_STAPLE_OFF, true, 0, 0, "the peer's certificate was judged good (name"},
    {REVOKED, TLSSHIM_STAPLE_ASK, false, TLSSHIM_E_REVOKED, 23, "certificate was revoked on 20"},
    {REVOKED, TLSSHIM_STAPLE_REQUIRE, false, TLSSHIM_E_REVOKED, 23, "(keyCompromise)"},
    {REVOKED, TLSSHIM_STAPLE_OFF, false, 0, 0, "judged good"},
    {UNKNOWN, TLSSHIM_STAPLE_ASK, false, TLSSHIM_E_STAPLE, 75, "does not know the certificate"},
    {EXPIRED, TLSSHIM_STAPLE_ASK, false, TLSSHIM_E_STAPLE, 74, "the OCSP answer expired on 20"},
    {EARLY, TLSSHIM_STAPLE_ASK, false, TLSSHIM_E_STAPLE, 74, "is not valid before 20"},
    {BY_STRANGER, TLSSHIM_STAPLE_ASK, false, TLSSHIM_E_STAPLE, 74, "signed by nobody known"},
    {OF_OTHER, TLSSHIM_STAPLE_ASK, false, TLSSHIM_E_STAPLE, 74, "about other certificates"},
    {DAMAGED, TLSSHIM_STAPLE_ASK, false, TLSSHIM_E_STAPLE, 74, "the signature on the OCSP answer"},
    {DAMAGED, TLSSHIM_STAPLE_OFF, false, 0, 0, "judged good"},
    {EXCUSE, TLSSHIM_STAPLE_ASK, false, TLSSHIM_E_STAPLE, 74, "excuse"},
    {MISSING, TLSSHIM_STAPLE_OFF, true, 0, 0, "judged good"},
    {MISSING, TLSSHIM_STAPLE_ASK, false, 0, 0, "judged good; it stapled no OCSP answer"},
    {MISSING, TLSSHIM_STAPLE_ASK, true, TLSSHIM_E_STAPLE, 73, "its certificate demands one (must-staple)"},
    {MISSING, TLSSHIM_STAPLE_REQUIRE, false, TLSSHIM_E_STAPLE, 73, "stapled no OCSP answer, and one is required"},
};
enum { TRIALS = VERSIONS * sizeof trials / sizeof trials[0] };

static int alert_for(int i, int32_t code)
{
    if (code == 0)
        return -1;
    return code == TLSSHIM_E_REVOKED && version_of(i) == TLSSHIM_TLS_1_3 ? REVOKED_ALERT : STATUS_ALERT;
}

START_TEST(a_client_judges_what_is_stapled)
{
    const struct trial *trial = &trials[_i / VERSIONS];
    int64_t identity = trial->demanded ? must_staple : certs()->server;
    int32_t result;
    int alert;
    int64_t conn = met(_i, asking(_i, trial->mode), identity, trial->what, &result, &alert);
    char byte;

    ck_assert_result(result, trial->code);
    ck_assert_int_eq(alert, alert_for(_i, trial->code));
    ck_assert_msg(strstr(text_of(conn, TLSSHIM_CONN_VERIFY_REPORT), trial->says) != NULL, "%s",
                  text_of(conn, TLSSHIM_CONN_VERIFY_REPORT));
    ck_assert_int_eq(number_of(conn, TLSSHIM_CONN_VERIFY_CODE), trial->verify_code);
    if (trial->code == 0) {
        ck_assert_int_eq(number_of(conn, TLSSHIM_CONN_VERIFIED), 1);
        return;
    }
    ck_assert_int_eq(error_number_of(result, TLSSHIM_ERROR_VERIFY_CODE), trial->verify_code);
    ck_assert_ptr_nonnull(strstr(error_text_of(result), trial->says));
    ck_assert_int_eq(tlsshim_conn_state(conn) & TLSSHIM_STATE_HANDSHAKE_DONE, 0);
    ck_assert_int_eq(tlsshim_conn_write(conn, "x", 1), result);
    ck_assert_int_eq(tlsshim_conn_read(conn, &byte, 1), result);
    ck_assert_int_eq(number_of(conn, TLSSHIM_CONN_ERROR), result);
    ck_assert_int_eq(tlsshim_cert_count(keep(tlsshim_conn_peer_cert(conn))), 1);
}
END_TEST

START_TEST(a_server_learns_that_its_answer_is_missed)
{
    struct pair *pair =
        pair_new(asking(_i, TLSSHIM_STAPLE_REQUIRE), server_context(version_of(_i), certs()->server, 0, 0), 512);

    pair_handshake(pair);
    ck_assert_result(pair->client_result, TLSSHIM_E_STAPLE);
    ck_assert_result(pair->server_result, TLSSHIM_E_REJECTED);
    ck_assert_int_eq(error_number_of(pair->server_result, TLSSHIM_ERROR_ALERT), STATUS_ALERT);
}
END_TEST

START_TEST(the_host_is_shown_the_judgement_on_an_answer_that_came_with_the_certificate)
{
    int64_t client = asking(1, TLSSHIM_STAPLE_REQUIRE);
    struct pair *pair;
    int64_t n = -1;

    ck_assert_ok(tlsshim_context_set_events(client, TLSSHIM_EVENT_VERIFY));
    pair = pair_new(client, server_context(version_of(1), certs()->server, 0, 0), 512);
    pair_handshake(pair);
    ck_assert_int_eq(pair->client_result, TLSSHIM_WANT_EVENT);
    ck_assert_ok(tlsshim_conn_event_number(pair->client, TLSSHIM_DETAIL_VERIFY_CODE, &n));
    ck_assert_int_eq(n, 73);
    ck_assert_ok(tlsshim_conn_accept_peer(pair->client)); /* which does not mend it */
    pair_handshake(pair);
    ck_assert_result(pair->client_result, TLSSHIM_E_STAPLE);
}
END_TEST

START_TEST(a_remembered_chain_spares_nobody_the_answer)
{
    int64_t client = asking(_i, TLSSHIM_STAPLE_REQUIRE);
    int32_t result;
    int alert;

    met(_i, client, certs()->server, GOOD, &result, &alert);
    ck_assert_int_eq(result, TLSSHIM_OK);
    met(_i, client, certs()->server, MISSING, &result, &alert);
    ck_assert_result(result, TLSSHIM_E_STAPLE);
    met(_i, client, certs()->server, REVOKED, &result, &alert);
    ck_assert_result(result, TLSSHIM_E_REVOKED);
}
END_TEST

static const struct switch_trial {
    int32_t (*skip)(int64_t context, int32_t on);
    enum what what;
    int32_t code;
} switch_trials[] = {
    {tlsshim_context_insecure_skip_chain, BY_STRANGER, 0},
    {tlsshim_context_insecure_skip_chain, MISSING, 0},
    {tlsshim_context_insecure_skip_chain, EXPIRED, 0},
    {tlsshim_context_insecure_skip_chain, REVOKED, TLSSHIM_E_REVOKED},
    {tlsshim_context_insecure_skip_time, EXPIRED, 0},
    {tlsshim_context_insecure_skip_time, EARLY, 0},
    {tlsshim_context_insecure_skip_time, MISSING, TLSSHIM_E_STAPLE},
    {tlsshim_context_insecure_skip_time, BY_STRANGER, TLSSHIM_E_STAPLE},
    {tlsshim_context_insecure_skip_name, EXPIRED, TLSSHIM_E_STAPLE},
    {tlsshim_context_insecure_skip_purpose, MISSING, TLSSHIM_E_STAPLE},
};
enum { SWITCH_TRIALS = VERSIONS * sizeof switch_trials / sizeof switch_trials[0] };

START_TEST(a_switch_lets_an_answer_pass_that_is_still_judged)
{
    const struct switch_trial *trial = &switch_trials[_i / VERSIONS];
    int64_t client = asking(_i, TLSSHIM_STAPLE_REQUIRE);
    int32_t result;
    int alert;
    int64_t conn;

    ck_assert_ok(trial->skip(client, 1));
    conn = met(_i, client, certs()->server, trial->what, &result, &alert);
    ck_assert_result(result, trial->code);
    if (trial->code != 0)
        return;
    ck_assert_int_eq(number_of(conn, TLSSHIM_CONN_VERIFIED), 0);
    ck_assert_int_ne(number_of(conn, TLSSHIM_CONN_VERIFY_CODE), 0);
    ck_assert_ptr_nonnull(strstr(text_of(conn, TLSSHIM_CONN_VERIFY_REPORT), "; let pass by an insecure switch"));
}
END_TEST

/* --- a server shows its answers --- */

static int32_t give(int64_t context, int64_t identity, const struct answer *answer, struct stapled *out)
{
    struct stapled here;

    out = out != NULL ? out : &here;
    out->len = answer_der(answer, out->der, ROOM);
    return tlsshim_context_set_staple(context, identity, out->der, out->len);
}

static int32_t give_good(int64_t context, int64_t identity, int64_t seconds, struct stapled *out)
{
    struct answer answer = answer_of(identity, certs()->ca);

    answer.until = seconds;
    return give(context, identity, &answer, out);
}

static struct stapled shown(int64_t conn)
{
    struct stapled stapled;

    stapled.len = tlsshim_conn_bytes(conn, TLSSHIM_CONN_STAPLE, stapled.der, ROOM);
    return stapled;
}

static bool same(const struct stapled *a, const struct stapled *b)
{
    return a->len == b->len && (a->len < 0 || memcmp(a->der, b->der, (size_t)a->len) == 0);
}

/* What a client sees that asks this server for an answer. */
static struct stapled asked(int64_t client, int64_t server)
{
    struct pair *pair = pair_new(client, server, PIPE_MOST);
    struct stapled seen, sent;

    pair_connect(pair);
    seen = shown(pair->client);
    sent = shown(pair->server);
    ck_assert(same(&seen, &sent));
    return seen;
}

START_TEST(an_answer_is_shown_to_who_asks_and_seen_from_both_ends)
{
    int64_t server = server_context(version_of(_i), certs()->server, 0, 0);
    struct stapled given, seen;

    ck_assert_ok(give_good(server, certs()->server, 3600, &given));
    seen = asked(asking(_i, TLSSHIM_STAPLE_REQUIRE), server);
    ck_assert(same(&given, &seen));
    ck_assert_int_eq(asked(asking(_i, TLSSHIM_STAPLE_OFF), server).len, TLSSHIM_NONE);
}
END_TEST

START_TEST(the_answer_changes_while_the_context_serves)
{
    int64_t server = server_context(version_of(_i), certs()->server, 0, 0);
    int64_t client = asking(_i, TLSSHIM_STAPLE_ASK);
    struct stapled first, second, seen;

    ck_assert_int_eq(asked(client, server).len, TLSSHIM_NONE); /* now it is frozen */
    ck_assert_ok(give_good(server, certs()->server, 3600, &first));
    seen = asked(client, server);
    ck_assert(same(&first, &seen));
    ck_assert_ok(give_good(server, certs()->server, 7200, &second));
    seen = asked(client, server);
    ck_assert(same(&second, &seen));
    ck_assert_ok(tlsshim_context_set_staple(server, certs()->server, NULL, 0));
    ck_assert_int_eq(asked(client, server).len, TLSSHIM_NONE);
    ck_assert_ok(tlsshim_context_set_staple(server, certs()->server, NULL, 0));
}
END_TEST

START_TEST(an_answer_is_shown_within_its_time_only)
{
    int64_t server = server_context(version_of(_i), certs()->server, 0, 0);
    int64_t client = asking(_i, TLSSHIM_STAPLE_ASK);

    ck_assert_ok(give_good(server, certs()->server, 1000, NULL));
    clock_shift = 900;
    ck_assert_int_gt(asked(client, server).len, 0);
    clock_shift = 1100;
    ck_assert_int_eq(asked(client, server).len, TLSSHIM_NONE);
    clock_shift = -100;
    ck_assert_int_eq(asked(client, server).len, TLSSHIM_NONE);
}
END_TEST

START_TEST(each_certificate_has_the_answer_about_it)
{
    int64_t other = keep(certs_leaf(certs()->ca, "P-256", "CN=b", "b.test", -CERTS_DAY, CERTS_DAY));
    const int64_t identities[] = {certs()->server, certs()->server_rsa, other};
    static const char *const wanted[] = {"ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "ecdsa_secp256r1_sha256"};
    static const char *const names[] = {"www.test", "www.test", "b.test"};
    int64_t server = server_context(version_of(_i), certs()->server, 0, 0);
    struct stapled given[3];

    ck_assert_ok(tlsshim_context_add_identity(server, certs()->server_rsa, "", 0));
    ck_assert_ok(tlsshim_context_add_identity(server, other, "b.test", 6));
    for (int i = 0; i < 3; i++)
        ck_assert_ok(give_good(server, identities[i], 3600, &given[i]));
    for (int i = 0; i < 3; i++) {
        struct bare *client = bare_new(true, version_of(_i), 0);
        int64_t conn = keep(tlsshim_conn_new(server, "", 0));
        const uint8_t *seen;

        ck_assert_int_eq(SSL_CTX_set1_sigalgs_list(client->ctx, wanted[i]), 1);
        SSL_CTX_set_tlsext_status_type(client->ctx, TLSEXT_STATUSTYPE_ocsp);
        bare_begin(client);
        ck_assert_int_eq(SSL_set_tlsext_host_name(client->ssl, names[i]), 1);
        ck_assert_int_eq(bare_meet(client, conn), TLSSHIM_OK);
        ck_assert_int_eq(SSL_get_tlsext_status_ocsp_resp(client->ssl, &seen), given[i].len);
        ck_assert_mem_eq(seen, given[i].der, (size_t)given[i].len);
        bare_free(client);
    }
}
END_TEST

START_TEST(an_answer_that_clients_would_refuse_is_refused_when_set)
{
    static const struct {
        enum what what;
        int32_t code;
    } bad[] = {
        {REVOKED, TLSSHIM_E_REVOKED}, {UNKNOWN, TLSSHIM_E_MISMATCH},  {EXPIRED, TLSSHIM_E_EXPIRED},
        {EARLY, TLSSHIM_E_EXPIRED},   {OF_OTHER, TLSSHIM_E_MISMATCH}, {EXCUSE, TLSSHIM_E_FORMAT},
    };
    int64_t server = server_context(version_of(_i), certs()->server, 0, 0);
    struct stapled given, refused, seen;

    ck_assert_ok(give_good(server, certs()->server, 3600, &given));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refused.len = bytes_of(bad[i].what, certs()->server, refused.der);
        ck_assert_result(tlsshim_context_set_staple(server, certs()->server, refused.der, refused.len), bad[i].code);
    }
    ck_assert_result(tlsshim_context_set_staple(server, certs()->server, "x", 1), TLSSHIM_E_FORMAT);
    ck_assert_result(tlsshim_context_set_staple(server, certs()->server, refused.der, 16381), TLSSHIM_E_LIMIT);
    ck_assert_result(tlsshim_context_set_staple(server, certs()->server_rsa, given.der, given.len), TLSSHIM_E_MISMATCH);
    ck_assert_result(
        tlsshim_context_set_staple(client_context(0, certs()->trust, 0), certs()->server, given.der, given.len),
        TLSSHIM_E_STATE);
    seen = asked(asking(_i, TLSSHIM_STAPLE_REQUIRE), server);
    ck_assert(same(&given, &seen));
}
END_TEST

START_TEST(whoever_signs_is_judged_where_the_chain_holds_the_issuer)
{
    int64_t server = server_context(0, certs()->server_deep, 0, 0);
    struct answer answer = answer_of(certs()->server_deep, certs()->ca);

    ck_assert_result(give(server, certs()->server_deep, &answer, NULL), TLSSHIM_E_MISMATCH);
}
END_TEST

START_TEST(copies_share_answers_and_a_successor_brings_its_own)
{
    int64_t server = server_context(version_of(_i), certs()->server, 0, 0);
    int64_t client = asking(_i, TLSSHIM_STAPLE_ASK);
    int64_t copy = keep(tlsshim_copy(server));
    int64_t successor = server_context(version_of(_i), certs()->server, 0, 0);
    struct stapled given, older, seen;
    struct answer old = answer_of(certs()->server, certs()->ca);

    ck_assert_ok(give_good(copy, certs()->server, 3600, &given));
    seen = asked(client, server);
    ck_assert(same(&given, &seen));
    old.from = -5000;
    ck_assert_ok(give(successor, certs()->server, &old, &older));
    ck_assert_ok(tlsshim_context_replace(server, successor)); /* which has nothing newer */
    seen = asked(client, server);
    ck_assert(same(&given, &seen));
    clock_shift = 100;
    ck_assert_ok(give_good(successor, certs()->server, 3600, &given));
    ck_assert_ok(tlsshim_context_replace(server, successor));
    seen = asked(client, server);
    ck_assert(same(&given, &seen));
}
END_TEST

START_TEST(many_certificates_keep_their_answers)
{
    enum { MANY = 40 };
    int64_t server = server_context(version_of(_i), certs()->server, 0, 0);
    int64_t client = asking(_i, TLSSHIM_STAPLE_REQUIRE);
    static struct stapled given[MANY];

    for (int i = 0; i < MANY; i++) {
        char name[16];
        int len = snprintf(name, sizeof name, "n%d.test", i);
        int64_t leaf = keep(certs_leaf(certs()->ca, "P-256", "CN=n", name, -CERTS_DAY, CERTS_DAY));

        ck_assert_ok(tlsshim_context_add_identity(server, leaf, name, len));
        ck_assert_ok(give_good(server, leaf, 3600, &given[i]));
    }
    for (int i = 0; i < MANY; i++) {
        char name[32];
        struct pair *pair;
        struct stapled seen;

        snprintf(name, sizeof name, "n%d.test", i);
        pair = pair_named(client, server, PIPE_MOST, name);
        pair_connect(pair);
        seen = shown(pair->client);
        ck_assert(same(&given[i], &seen));
    }
}
END_TEST

/* --- sessions --- */

static int64_t resumed(int64_t client, int64_t server)
{
    struct pair *pair = pair_new(client, server, 0);

    pair_handshake(pair);
    if (pair->client_result < 0)
        return pair->client_result;
    pair_send(pair, true, "a", 1);
    pair_send(pair, false, "b", 1);
    return number_of(pair->client, TLSSHIM_CONN_RESUMED);
}

static int64_t remembering(int i, int32_t mode)
{
    int64_t client = asking(i, mode);

    ck_assert_ok(tlsshim_context_set_session_cache(client, 10));
    return client;
}

START_TEST(a_session_resumes_without_an_answer_and_ends_with_the_one_it_rests_on)
{
    int64_t server = server_context(version_of(_i), certs()->server, 0, 0);
    int64_t client = remembering(_i, TLSSHIM_STAPLE_REQUIRE);

    ck_assert_ok(give_good(server, certs()->server, 1000, NULL));
    ck_assert_int_eq(resumed(client, server), 0);
    ck_assert_int_eq(resumed(client, server), 1);
    clock_shift = 1100;
    ck_assert_result(resumed(client, server), TLSSHIM_E_STAPLE); /* in full, since the server shows none any more */
}
END_TEST

START_TEST(a_session_made_without_the_demand_does_not_resume_under_it)
{
    int64_t server = server_context(version_of(_i), certs()->server, 0, 0);
    int64_t client = remembering(_i, TLSSHIM_STAPLE_ASK);
    struct pair *pair = pair_new(client, server, 0);
    int64_t session, strict;

    pair_connect(pair);
    pair_send(pair, false, "b", 1);
    session = keep(tlsshim_conn_take_session(pair->client));
    strict = keep(tlsshim_conn_new(asking(_i, TLSSHIM_STAPLE_REQUIRE), "www.test", 8));
    ck_assert_result(tlsshim_conn_set_session(strict, session), TLSSHIM_E_MISMATCH);
    ck_assert_int_eq(resumed(client, server), 1);
    ck_assert_ok(tlsshim_context_replace(client, remembering(_i, TLSSHIM_STAPLE_REQUIRE)));
    ck_assert_result(resumed(client, server), TLSSHIM_E_STAPLE);
}
END_TEST

START_TEST(what_a_switch_let_pass_is_not_resumed)
{
    int64_t server = server_context(version_of(_i), certs()->server, 0, 0);
    int64_t client = remembering(_i, TLSSHIM_STAPLE_REQUIRE);

    ck_assert_ok(tlsshim_context_insecure_skip_chain(client, 1));
    ck_assert_int_eq(resumed(client, server), 0);
    ck_assert_int_eq(resumed(client, server), 0);
}
END_TEST

/* --- settings --- */

START_TEST(the_mode_is_a_clients_and_set_in_time)
{
    int64_t client = client_context(0, certs()->trust, 0);

    for (int32_t mode = TLSSHIM_STAPLE_OFF; mode <= TLSSHIM_STAPLE_REQUIRE; mode++)
        ck_assert_ok(tlsshim_context_set_staple_mode(client, mode));
    ck_assert_result(tlsshim_context_set_staple_mode(client, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_context_set_staple_mode(client, 4), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_context_set_staple_mode(server_context(0, certs()->server, 0, 0), TLSSHIM_STAPLE_ASK),
                     TLSSHIM_E_STATE);
    keep(tlsshim_conn_new(client, "www.test", 8));
    ck_assert_result(tlsshim_context_set_staple_mode(client, TLSSHIM_STAPLE_ASK), TLSSHIM_E_FROZEN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("staple");
    TCase *tcase = tcase_create("staple");

    certs();
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, begin, keep_end);
    tcase_add_loop_test(tcase, a_client_judges_what_is_stapled, 0, TRIALS);
    tcase_add_loop_test(tcase, a_server_learns_that_its_answer_is_missed, 0, VERSIONS);
    tcase_add_test(tcase, the_host_is_shown_the_judgement_on_an_answer_that_came_with_the_certificate);
    tcase_add_loop_test(tcase, a_remembered_chain_spares_nobody_the_answer, 0, VERSIONS);
    tcase_add_loop_test(tcase, a_switch_lets_an_answer_pass_that_is_still_judged, 0, SWITCH_TRIALS);
    tcase_add_loop_test(tcase, an_answer_is_shown_to_who_asks_and_seen_from_both_ends, 0, VERSIONS);
    tcase_add_loop_test(tcase, the_answer_changes_while_the_context_serves, 0, VERSIONS);
    tcase_add_loop_test(tcase, an_answer_is_shown_within_its_time_only, 0, VERSIONS);
    tcase_add_loop_test(tcase, each_certificate_has_the_answer_about_it, 0, VERSIONS);
    tcase_add_loop_test(tcase, an_answer_that_clients_would_refuse_is_refused_when_set, 0, VERSIONS);
    tcase_add_test(tcase, whoever_signs_is_judged_where_the_chain_holds_the_issuer);
    tcase_add_loop_test(tcase, copies_share_answers_and_a_successor_brings_its_own, 0, VERSIONS);
    tcase_add_loop_test(tcase, many_certificates_keep_their_answers, 0, VERSIONS);
    tcase_add_loop_test(tcase, a_session_resumes_without_an_answer_and_ends_with_the_one_it_rests_on, 0, VERSIONS);
    tcase_add_loop_test(tcase, a_session_made_without_the_demand_does_not_resume_under_it, 0, VERSIONS);
    tcase_add_loop_test(tcase, what_a_switch_let_pass_is_not_resumed, 0, VERSIONS);
    tcase_add_test(tcase, the_mode_is_a_clients_and_set_in_time);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
