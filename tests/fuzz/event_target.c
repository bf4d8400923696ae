/* A handshake between ours with every event on and both keys elsewhere, as a careless host answers it. The first byte
 * is the version (0 TLS 1.2, 1 TLS 1.3); then an answer a byte, in turn, and changes of three bytes each to what
 * passes, as in the peer target. What may never come of it: a peer that the host has refused, or was not asked about,
 * and that is let in all the same. */
#include <string.h>

#include "fuzz.h"

enum { ANSWERS = 12, CHANGES_MOST = 16, TURNS_MOST = 200 };

static int64_t contexts[2][2]; /* client and server, for the two versions */
static int64_t apart[2], keys[2];

struct party {
    int64_t conn;
    int end; /* 0 = the client */
    int refused, accepted;
};

struct answers {
    const uint8_t *at;
    size_t count, next;
};

static int64_t set_apart(int64_t identity, int64_t *key)
{
    int64_t cert = fuzz_must(tlsshim_identity_cert(identity)), public_key = fuzz_must(tlsshim_cert_public_key(cert));
    int64_t external = fuzz_must(tlsshim_key_external(public_key));
    int64_t made = fuzz_must(tlsshim_identity_new(cert, external));

    *key = fuzz_must(tlsshim_identity_key(identity));
    fuzz_close(cert);
    fuzz_close(public_key);
    fuzz_close(external);
    return made;
}

static void begin(void)
{
    const int32_t both = TLSSHIM_EVENT_VERIFY | TLSSHIM_EVENT_CERTIFICATE | TLSSHIM_EVENT_KEYLOG | TLSSHIM_EVENT_SIGN;

    apart[0] = set_apart(fuzz_stage()->client_identity, &keys[0]);
    apart[1] = set_apart(fuzz_stage()->server_identity, &keys[1]);
    for (int i = 0; i < 2; i++) {
        contexts[i][0] = fuzz_context(TLSSHIM_ROLE_CLIENT, i ? TLSSHIM_TLS_1_3 : TLSSHIM_TLS_1_2);
        contexts[i][1] = fuzz_context(TLSSHIM_ROLE_SERVER, i ? TLSSHIM_TLS_1_3 : TLSSHIM_TLS_1_2);
        fuzz_must(tlsshim_context_add_identity(contexts[i][1], apart[1], "", 0));
        fuzz_must(tlsshim_context_set_client_certificate(contexts[i][1], TLSSHIM_CLIENT_CERTIFICATE_REQUEST));
        fuzz_must(tlsshim_context_set_events(contexts[i][0], both | TLSSHIM_EVENT_SESSION));
        fuzz_must(tlsshim_context_set_events(contexts[i][1], both | TLSSHIM_EVENT_HELLO));
    }
}

static void sign(struct party *party)
{
    static uint8_t message[16384];
    uint8_t signature[512];
    char scheme[64];
    int32_t scheme_len =
        (int32_t)fuzz_must(tlsshim_conn_event_text(party->conn, TLSSHIM_DETAIL_SIGN_SCHEME, scheme, sizeof scheme));
    int32_t len =
        (int32_t)fuzz_must(tlsshim_conn_event_bytes(party->conn, TLSSHIM_DETAIL_SIGN_MESSAGE, message, sizeof message));

    len = (int32_t)fuzz_must(
        tlsshim_key_sign(keys[party->end], scheme, scheme_len, message, len, signature, sizeof signature));
    fuzz_must(tlsshim_conn_sign_with(party->conn, signature, len));
}

static void look(int64_t conn)
{
    int64_t n;

    for (int32_t field = TLSSHIM_DETAIL_SERVER_NAME; field <= TLSSHIM_DETAIL_SIGN_MESSAGE; field++) {
        fuzz_result(tlsshim_conn_event_text(conn, field, fuzz_room, FUZZ_ROOM));
        fuzz_result(tlsshim_conn_event_number(conn, field, &n));
        fuzz_result(tlsshim_conn_event_bytes(conn, field, fuzz_room, FUZZ_ROOM));
    }
    fuzz_close(fuzz_result(tlsshim_conn_peer_cert(conn)));
    fuzz_close(fuzz_result(tlsshim_conn_verified_chain(conn)));
}

/* The usual answer, or what a byte says in its place. */
static void answer(struct party *party, int32_t event, uint8_t how, const int64_t others[2])
{
    int64_t conn = party->conn;
    int64_t here = party->end == 0 ? fuzz_stage()->client_identity : fuzz_stage()->server_identity;

    if (how & 1)
        look(conn);
    if (how & 2)
        fuzz_result(tlsshim_conn_use_context(conn, others[1]));
    if (how & 4)
        fuzz_result(tlsshim_conn_use_identity(conn, how & 0x80 ? here : apart[party->end]));
    if (how & 8)
        fuzz_result(tlsshim_conn_sign_with(conn, "not a signature", 15));
    if ((how & 0x70) == 0x70 && tlsshim_conn_refuse(conn, how & 8 ? 80 : 40) == TLSSHIM_OK)
        party->refused = 1;
    else if (event == TLSSHIM_EVENT_VERIFY)
        party->accepted = tlsshim_conn_accept_peer(conn) == TLSSHIM_OK;
    else if (event == TLSSHIM_EVENT_SIGN)
        sign(party);
    else
        fuzz_result(tlsshim_conn_event_done(conn));
}

static int move(int64_t from, int64_t to, const uint8_t *changes, size_t count, size_t *passed)
{
    int32_t len = (int32_t)fuzz_result(tlsshim_conn_drain(from, fuzz_room, FUZZ_ROOM));

    for (size_t i = 0; i < count; i++) {
        size_t where = (size_t)changes[3 * i] << 8 | changes[3 * i + 1];

        if (where >= *passed && where < *passed + (size_t)(len > 0 ? len : 0))
            fuzz_room[where - *passed] ^= changes[3 * i + 2];
    }
    if (len <= 0)
        return 0;
    *passed += (size_t)len;
    fuzz_result(tlsshim_conn_feed(to, fuzz_room, len));
    return 1;
}

/* One step and, if that is what it wants, one answer; true if there was one. */
static int go(struct party *party, struct answers *answers, const int64_t others[2])
{
    int32_t result = (int32_t)fuzz_result(tlsshim_conn_handshake(party->conn));
    int32_t event = tlsshim_conn_event(party->conn);

    if (result != TLSSHIM_WANT_EVENT)
        return 0;
    if (event <= 0)
        fuzz_broken("an event that is wanted is there");
    answer(party, event, answers->next < answers->count ? answers->at[answers->next++] : 0, others);
    return 1;
}

static void check(const struct party *party)
{
    int64_t verified = 0;

    if ((tlsshim_conn_state(party->conn) & TLSSHIM_STATE_HANDSHAKE_DONE) == 0)
        return;
    if (party->refused)
        fuzz_broken("what the host refused never comes to an end");
    if (tlsshim_conn_number(party->conn, TLSSHIM_CONN_VERIFIED, &verified) == TLSSHIM_OK && verified &&
        !party->accepted)
        fuzz_broken("the host is asked about every peer");
}

void fuzz(const uint8_t *data, size_t len)
{
    struct answers answers = {data + 1, len > ANSWERS ? ANSWERS : (len > 0 ? len - 1 : 0), 0};
    const uint8_t *changes = data + 1 + answers.count;
    size_t left = len > 1 + answers.count ? (len - 1 - answers.count) / 3 : 0, passed = 0;
    size_t count = left < CHANGES_MOST ? left : CHANGES_MOST;
    struct party client = {.end = 0}, server = {.end = 1};
    const int64_t *both;
    int moved = 1;

    if (contexts[0][0] == 0)
        begin();
    if (len == 0)
        return;
    both = contexts[data[0] & 1];
    client.conn = fuzz_must(tlsshim_conn_new(both[0], "www.test", 8));
    server.conn = fuzz_must(tlsshim_conn_new(both[1], "", 0));
    for (int turn = 0; turn < TURNS_MOST && moved; turn++) {
        moved = go(&client, &answers, both);
        moved = go(&server, &answers, both) || moved;
        moved = move(client.conn, server.conn, changes, count, &passed) || moved;
        moved = move(server.conn, client.conn, changes, count, &passed) || moved;
    }
    check(&client);
    check(&server);
    fuzz_close(client.conn);
    fuzz_close(server.conn);
}
