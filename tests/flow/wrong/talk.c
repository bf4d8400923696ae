/* Records, messages and alerts that are altered, out of place or nonsense. */
#include <string.h>

#include "talk.h"

/* --- editing --- */

size_t number_at(const struct piece *piece, size_t at)
{
    return (size_t)piece->data[at] << 8 | piece->data[at + 1];
}

void put_number(struct piece *piece, size_t at, size_t n)
{
    piece->data[at] = (uint8_t)(n >> 8);
    piece->data[at + 1] = (uint8_t)n;
}

/* Puts other bytes in the place of some; the message's length follows. */
void splice(struct piece *piece, size_t at, size_t gone, const void *data, size_t len)
{
    ck_assert_uint_le(piece->len + len, ROGUE_PIECE);
    ck_assert_uint_le(at + gone, piece->len);
    memmove(piece->data + at + len, piece->data + at + gone, piece->len - at - gone);
    memcpy(piece->data + at, data, len);
    piece->len = piece->len - gone + len;
    put_number(piece, 2, piece->len - 4);
}

bool modern(const struct rogue *rogue)
{
    return SSL_version(rogue->ssl) >= TLS1_3_VERSION;
}

void flood(struct rogue *rogue, const char *alert)
{
    for (int i = 0; i < 8; i++)
        rogue_say(rogue, ALERT, alert, 2);
}

/* --- what both can do --- */

void bad_finished(struct rogue *rogue, struct piece *piece)
{
    (void)rogue;
    if (piece_is(piece, FINISHED))
        piece->data[piece->len - 1] ^= 1;
}

void bad_signature(struct rogue *rogue, struct piece *piece)
{
    (void)rogue;
    if (piece_is(piece, CERTIFICATE_VERIFY) || piece_is(piece, SERVER_KEY))
        piece->data[piece->len - 1] ^= 1;
}

/* RSA PKCS#1 with SHA-1, which nobody has offered. */
void other_scheme(struct rogue *rogue, struct piece *piece)
{
    (void)rogue;
    if (piece_is(piece, CERTIFICATE_VERIFY))
        put_number(piece, 4, 0x0201);
    if (piece_is(piece, SERVER_KEY))
        put_number(piece, 8U + piece->data[7], 0x0201);
}

void no_certificate_message(struct rogue *rogue, struct piece *piece)
{
    (void)rogue;
    if (piece_is(piece, CERTIFICATE))
        piece->dropped = true;
}

void hello_again(struct rogue *rogue, struct piece *piece)
{
    const uint8_t hello[4] = {rogue->client ? CLIENT_HELLO : SERVER_HELLO, 0, 0, 0};

    if (piece_is(piece, CERTIFICATE))
        rogue_say(rogue, HANDSHAKE, hello, sizeof hello);
}

void data_before_the_end(struct rogue *rogue, struct piece *piece)
{
    if (piece_is(piece, FINISHED))
        rogue_say(rogue, DATA, "early", 5);
}

void data_in_the_clear(struct rogue *rogue, struct piece *piece)
{
    if (piece_is(piece, CERTIFICATE))
        rogue_raw(rogue, "\27\3\3\0\5clear", 10);
}

void early_ccs(struct rogue *rogue, struct piece *piece)
{
    if (piece_is(piece, CERTIFICATE))
        rogue_raw(rogue, "\24\3\3\0\1\1", 6);
}

void long_ccs(struct rogue *rogue, struct piece *piece)
{
    if (piece_is(piece, CERTIFICATE))
        rogue_raw(rogue, "\24\3\3\0\2\1\1", 7);
}

void unknown_message(struct rogue *rogue, struct piece *piece)
{
    if (piece_is(piece, CERTIFICATE))
        rogue_say(rogue, HANDSHAKE, "\143\0\0\0", 4);
}

void empty_record(struct rogue *rogue, struct piece *piece)
{
    for (int i = 0; i < 40 && piece_is(piece, CERTIFICATE); i++)
        rogue_say(rogue, HANDSHAKE, "", 0);
}

void bad_mac(struct rogue *rogue, struct piece *piece)
{
    rogue->spoil = piece_is(piece, FINISHED);
}

void unsealed_finished(struct rogue *rogue, struct piece *piece)
{
    const uint8_t head[5] = {HANDSHAKE, 3, 3, 0, (uint8_t)piece->len};

    if (!piece_is(piece, FINISHED))
        return;
    rogue_raw(rogue, head, sizeof head);
    rogue_raw(rogue, piece->data, piece->len);
    piece->dropped = true;
}

void long_record(struct rogue *rogue, struct piece *piece)
{
    if (piece_is(piece, CERTIFICATE))
        rogue_raw(rogue, rogue->saying.sealed ? "\27\3\3\x48\1" : "\26\3\3\x48\1", 5);
}

/* Sealed as it should be, and longer inside than a record may be. */
void long_inside(struct rogue *rogue, struct piece *piece)
{
    static const uint8_t much[16385] = {99};

    if (piece_is(piece, FINISHED))
        rogue_say(rogue, HANDSHAKE, much, sizeof much);
}

void long_message(struct rogue *rogue, struct piece *piece)
{
    (void)rogue;
    if (piece_is(piece, CERTIFICATE))
        memcpy(piece->data + 1, "\x0a\0\0", 3);
}

void certificate_tail(struct rogue *rogue, struct piece *piece)
{
    (void)rogue;
    if (piece_is(piece, CERTIFICATE))
        splice(piece, piece->len, 0, "x", 1);
}

void certificate_is_no_der(struct rogue *rogue, struct piece *piece)
{
    if (piece_is(piece, CERTIFICATE))
        piece->data[modern(rogue) ? 11 : 10] ^= 0x55;
}

void empty_certificate(struct rogue *rogue, struct piece *piece)
{
    if (piece_is(piece, CERTIFICATE))
        splice(piece, 4, piece->len - 4, "\0\0\0\0", modern(rogue) ? 4 : 3);
}

void warning_flood(struct rogue *rogue, struct piece *piece)
{
    if (piece_is(piece, CERTIFICATE))
        flood(rogue, (char[]){1, USER_CANCELED});
}

/* The last message before a peer of TLS 1.2 changes ciphers, between which and its Finished nothing may come; of TLS
 * 1.3 the Finished itself. */
static bool near_the_end(const struct rogue *rogue, const struct piece *piece)
{
    return piece_is(piece, modern(rogue) ? FINISHED : rogue->client ? CLIENT_KEY : SERVER_DONE);
}

static void alert_near_the_end(struct rogue *rogue, struct piece *piece, const char *alert, size_t len)
{
    if (!near_the_end(rogue, piece))
        return;
    rogue_say(rogue, ALERT, alert, len);
    piece->dropped = true;
}

void goodbye_within(struct rogue *rogue, struct piece *piece)
{
    if (near_the_end(rogue, piece))
        rogue_say(rogue, ALERT, (char[]){1, USER_CANCELED}, 2);
    alert_near_the_end(rogue, piece, "\1\0", 2);
}

void unknown_record(struct rogue *rogue, struct piece *piece)
{
    if (near_the_end(rogue, piece))
        rogue_say(rogue, 99, "what", 4);
}

void fatal_40(struct rogue *rogue, struct piece *piece)
{
    alert_near_the_end(rogue, piece, (char[]){2, 40}, 2);
}

void fatal_48(struct rogue *rogue, struct piece *piece)
{
    alert_near_the_end(rogue, piece, (char[]){2, 48}, 2);
}

void short_alert(struct rogue *rogue, struct piece *piece)
{
    alert_near_the_end(rogue, piece, "\2", 1);
}

void odd_alert(struct rogue *rogue, struct piece *piece)
{
    alert_near_the_end(rogue, piece, (char[]){7, 40}, 2);
}

void ticket_before_the_end(struct rogue *rogue, struct piece *piece)
{
    if (piece_is(piece, FINISHED))
        rogue_say(rogue, HANDSHAKE, (char[]){TICKET, 0, 0, 0}, 4);
}

void update_within(struct rogue *rogue, struct piece *piece)
{
    if (piece_is(piece, FINISHED))
        rogue_say(rogue, HANDSHAKE, (char[]){KEY_UPDATE, 0, 0, 1, 0}, 5);
}
