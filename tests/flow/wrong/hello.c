/* Hellos and key shares that are altered. */
#include <string.h>

#include "talk.h"

enum { RANDOM = 6, SESSION = 38 };

static bool is_hello(const struct rogue *rogue, const struct piece *piece)
{
    return piece_is(piece, rogue->client ? CLIENT_HELLO : SERVER_HELLO);
}

/* Behind the session id: ciphers or the cipher. */
static size_t ciphers_at(const struct piece *piece)
{
    return SESSION + 1U + piece->data[SESSION];
}

static size_t extensions_at(const struct piece *piece)
{
    size_t at = ciphers_at(piece);

    if (piece_is(piece, ENCRYPTED_EXTENSIONS))
        return 4;
    if (piece_is(piece, SERVER_HELLO))
        return at + 3;
    at += 2 + number_at(piece, at);
    return at + 1 + piece->data[at];
}

/* The value's place in the message; 0 = it is not there. */
static size_t find_extension(const struct piece *piece, size_t type, size_t *len)
{
    size_t at = extensions_at(piece), end = at + 2 + number_at(piece, at);

    for (at += 2; at + 4 <= end; at += 4 + *len) {
        *len = number_at(piece, at + 2);
        if (number_at(piece, at) == type)
            return at + 4;
    }
    return 0;
}

static size_t must_find(const struct piece *piece, size_t type)
{
    size_t len, at = find_extension(piece, type, &len);

    ck_assert_msg(at > 0, "the hello has no extension %zu", type);
    return at;
}

static void add_extension(struct piece *piece, size_t type, const void *value, size_t len)
{
    size_t at = extensions_at(piece);
    uint8_t data[64] = {(uint8_t)(type >> 8), (uint8_t)type, (uint8_t)(len >> 8), (uint8_t)len};

    memcpy(data + 4, value, len);
    put_number(piece, at, number_at(piece, at) + 4 + len);
    splice(piece, piece->len, 0, data, 4 + len);
}

enum {
    NAME_EXTENSION = 0,
    GROUPS_EXTENSION = 10,
    PROTOCOL_EXTENSION = 16,
    VERSION_EXTENSION = 43,
    SHARE_EXTENSION = 51
};

/* --- hellos --- */

void hello_with_tail(struct rogue *rogue, struct piece *piece)
{
    if (is_hello(rogue, piece))
        splice(piece, piece->len, 0, "x", 1);
}

void extension_twice(struct rogue *rogue, struct piece *piece)
{
    size_t at;
    uint8_t value[64];

    if (!is_hello(rogue, piece))
        return;
    at = extensions_at(piece) + 2;
    memcpy(value, piece->data + at + 4, number_at(piece, at + 2));
    add_extension(piece, number_at(piece, at), value, number_at(piece, at + 2));
}

void zero_share(struct rogue *rogue, struct piece *piece)
{
    size_t at;

    if (!is_hello(rogue, piece))
        return;
    at = must_find(piece, SHARE_EXTENSION) + (rogue->client ? 2 : 0);
    ck_assert_uint_eq(number_at(piece, at), 0x001d); /* X25519 */
    memset(piece->data + at + 4, 0, number_at(piece, at + 2));
}

/* With P-256 alone, where points can be wrong. */
void point_off_the_curve(struct rogue *rogue, struct piece *piece)
{
    size_t len, at;

    if (piece_is(piece, SERVER_KEY))
        piece->data[8 + piece->data[7] - 1] ^= 1;
    else if (piece_is(piece, CLIENT_KEY))
        piece->data[piece->len - 1] ^= 1;
    else if (is_hello(rogue, piece) && (at = find_extension(piece, SHARE_EXTENSION, &len)) > 0)
        piece->data[at + len - 1] ^= 1;
}

void no_null_compression(struct rogue *rogue, struct piece *piece)
{
    if (is_hello(rogue, piece))
        piece->data[extensions_at(piece) - 1] = 1;
}

void broken_server_name(struct rogue *rogue, struct piece *piece)
{
    if (is_hello(rogue, piece))
        piece->data[must_find(piece, NAME_EXTENSION) + 4] ^= 1;
}

void nul_in_server_name(struct rogue *rogue, struct piece *piece)
{
    if (is_hello(rogue, piece))
        piece->data[must_find(piece, NAME_EXTENSION) + 5 + 3] = 0;
}

void no_groups(struct rogue *rogue, struct piece *piece)
{
    if (is_hello(rogue, piece))
        put_number(piece, must_find(piece, GROUPS_EXTENSION) - 4, 0x5a5a);
}

void name_another(struct rogue *rogue, struct piece *piece)
{
    if (is_hello(rogue, piece) && rogue->count++ == 1)
        memcpy(piece->data + must_find(piece, NAME_EXTENSION) + 5, "oth", 3);
}

/* --- what a server can do --- */

void unknown_cipher(struct rogue *rogue, struct piece *piece)
{
    if (is_hello(rogue, piece))
        put_number(piece, ciphers_at(piece), 0x002f);
}

void old_version(struct rogue *rogue, struct piece *piece)
{
    if (is_hello(rogue, piece))
        put_number(piece, modern(rogue) ? must_find(piece, VERSION_EXTENSION) : 4, 0x0301);
}

void compressed(struct rogue *rogue, struct piece *piece)
{
    if (is_hello(rogue, piece))
        piece->data[ciphers_at(piece) + 2] = 1;
}

void unasked_extension(struct rogue *rogue, struct piece *piece)
{
    if (piece_is(piece, modern(rogue) ? ENCRYPTED_EXTENSIONS : SERVER_HELLO))
        add_extension(piece, PROTOCOL_EXTENSION, "\0\3\2h2", 5);
}

void downgrade_1_2(struct rogue *rogue, struct piece *piece)
{
    if (is_hello(rogue, piece))
        memcpy(piece->data + RANDOM + 24, "DOWNGRD\1", 8);
}

void downgrade_1_1(struct rogue *rogue, struct piece *piece)
{
    if (is_hello(rogue, piece))
        memcpy(piece->data + RANDOM + 24, "DOWNGRD\0", 8);
}

void other_session_id(struct rogue *rogue, struct piece *piece)
{
    if (is_hello(rogue, piece))
        piece->data[SESSION + 1] ^= 1;
}

void share_of_another_group(struct rogue *rogue, struct piece *piece)
{
    if (is_hello(rogue, piece))
        put_number(piece, must_find(piece, SHARE_EXTENSION), 0x0018);
}

void share_in_encrypted_extensions(struct rogue *rogue, struct piece *piece)
{
    (void)rogue;
    if (piece_is(piece, ENCRYPTED_EXTENSIONS))
        add_extension(piece, SHARE_EXTENSION, "\0\x1d\0\1x", 5);
}

void two_protocols(struct rogue *rogue, struct piece *piece)
{
    if (piece_is(piece, modern(rogue) ? ENCRYPTED_EXTENSIONS : SERVER_HELLO))
        add_extension(piece, PROTOCOL_EXTENSION, "\0\6\2h2\2h3", 8);
}

void curve_not_offered(struct rogue *rogue, struct piece *piece)
{
    (void)rogue;
    if (piece_is(piece, SERVER_KEY))
        put_number(piece, 5, 1);
}
