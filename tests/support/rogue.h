/* A peer that is OpenSSL's own up to where a test lets it go wrong: each of its records is opened before it goes out,
 * may be altered, dropped or preceded by others, and is sealed again; and the records of its partner are read along.
 * Both rest on the secrets that it logs. */
#ifndef TESTS_SUPPORT_ROGUE_H
#define TESTS_SUPPORT_ROGUE_H

#include <openssl/ssl.h>

#include "support/support.h"

enum { ROGUE_PIECE = 18000, ROGUE_WIRE = 1 << 20 };

/* Types of records and messages (RFC 8446 sections 5.1 and 4). */
enum { CCS = 20, ALERT = 21, HANDSHAKE = 22, DATA = 23 };
enum {
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    TICKET = 4,
    ENCRYPTED_EXTENSIONS = 8,
    CERTIFICATE = 11,
    SERVER_KEY = 12,
    CERTIFICATE_REQUEST = 13,
    SERVER_DONE = 14,
    CERTIFICATE_VERIFY = 15,
    CLIENT_KEY = 16,
    FINISHED = 20,
    KEY_UPDATE = 24,
};

/* What one record holds. */
struct piece {
    uint8_t type;
    size_t len;
    bool dropped;
    uint8_t data[ROGUE_PIECE];
};

/* How far a direction has come. */
struct cursor {
    bool sealed;
    int epoch; /* of TLS 1.3: handshake, application */
    uint64_t sequence;
};

struct stretch {
    size_t len;
    uint8_t data[ROGUE_WIRE];
};

struct rogue {
    SSL_CTX *ctx;
    SSL *ssl; /* NULL: the test alone says what goes out */
    BIO *in, *out;
    bool client;
    uint8_t secrets[5][48];
    uint8_t block[40]; /* the keys of TLS 1.2 */
    bool block_made;
    struct cursor opening, saying, hearing;
    void (*hook)(struct rogue *, struct piece *); /* sees each piece before it goes out */
    int count;                                    /* for the hook's own use */
    bool spoil;                                   /* the next record is damaged after it was sealed */
    bool finished;                                /* its Finished is on the way */
    struct stretch wire;                          /* for the partner */
    struct stretch made, heard;                   /* not yet whole records of either */

    /* What the partner has said. */
    int alert, alert_level, alerts; /* the last alert, and how many */
    size_t data_heard;              /* application bytes */
    int unreadable;                 /* records that could not be opened */
};

/* The context alone, for settings; level 0, every version, AES-128-GCM. Freed by rogue_end. */
void rogue_begin(struct rogue *rogue, bool client);
void rogue_connect(struct rogue *rogue);
void rogue_end(struct rogue *rogue);

/* Lets the peer act on what it was fed; what it says is then on the wire. */
void rogue_step(struct rogue *rogue);
void rogue_hear(struct rogue *rogue, const void *data, size_t len);
/* Puts a record on the wire, sealed if it is time for that; or bytes as they are. */
void rogue_say(struct rogue *rogue, uint8_t type, const void *data, size_t len);
void rogue_raw(struct rogue *rogue, const void *data, size_t len);
/* Whether both ends' keys for application data are there. */
bool rogue_done(const struct rogue *rogue);

bool piece_is(const struct piece *piece, uint8_t message);

#endif
