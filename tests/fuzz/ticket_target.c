/* Tickets that a client brings back, to a server that seals with known keys: the first byte says which server and
 * whether the rest is what a ticket holds inside, to be sealed as the server would, or the ticket as it comes.
 *
 * What changes from run to run stands in the seeds as a mark of the same length: times, the server's rules
 * and the session's secret. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"

enum {
    KINDS = 4,
    MUTUAL = 1,
    OLD = 2,
    SEALED = 4,
    NAME = 16,
    IV = 16,
    MAC = 32,
    KEY = 80,
    RULES = 32,
    SECRET_MOST = 48,
    TICKET = 8192
};
enum { HEAD = 54, PEER_NAME = 8, SUM = 32, TICK_TAG = 0xaa };

static const char rules_mark[] = "the rules of this process' server"; /* its first 32 bytes */
static const char secret_mark[] = "the secret that both ends of the session share..";
static const char full_mark[] = "FULL.AT.", end_mark[] = "THE.END.", time_mark[] = "TIME";

struct kind {
    int64_t client, server;
    uint8_t export[16384]; /* of a true session */
    size_t export_len;
    uint8_t rules[RULES];
    uint8_t secret[SECRET_MOST];
    size_t secret_len;
};

static struct kind kinds[KINDS];
static uint8_t key[KEY];

struct out {
    uint8_t data[3 * TICKET];
    size_t len;
};

static void add(struct out *out, const void *data, size_t len)
{
    if (out->len + len > sizeof out->data)
        fuzz_broken("there is room");
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

/* --- DER, as far as a session needs it --- */

struct part {
    const uint8_t *begin, *content;
    size_t len; /* of the content */
};

static struct part part_at(const uint8_t *at)
{
    struct part part = {at, at + 2, at[1]};

    if (at[1] >= 0x80) {
        part.len = 0;
        part.content += at[1] & 0x7f;
        for (const uint8_t *digit = at + 2; digit < part.content; digit++)
            part.len = part.len << 8 | *digit;
    }
    return part;
}

static void add_part(struct out *out, uint8_t tag, const void *content, size_t len)
{
    uint8_t head[4] = {tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};

    add(out, head, sizeof head);
    add(out, content, len);
}

/* The part of an exported session that holds its ticket. */
static struct part ticket_of(const uint8_t *der)
{
    struct part all = part_at(der), part = part_at(all.content);

    while (part.begin[0] != TICK_TAG) {
        if (part.content + part.len >= all.content + all.len)
            fuzz_broken("the stage's session has a ticket");
        part = part_at(part.content + part.len);
    }
    return part;
}

/* --- sealing --- */

static void crypt(struct out *out, const uint8_t *iv, const uint8_t *data, size_t len, int seal)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int some, more;

    if (cipher == NULL || EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key + NAME + 32, iv, seal) != 1 ||
        EVP_CipherUpdate(cipher, out->data + out->len, &some, data, (int)len) != 1 ||
        EVP_CipherFinal_ex(cipher, out->data + out->len + some, &more) != 1)
        fuzz_broken("the stage can seal and open");
    out->len += (size_t)(some + more);
    EVP_CIPHER_CTX_free(cipher);
}

static void seal(const struct out *inside, struct out *ticket)
{
    static const uint8_t iv[IV] = {1};

    add(ticket, key, NAME);
    add(ticket, iv, IV);
    crypt(ticket, iv, inside->data, inside->len, 1);
    HMAC(EVP_sha256(), key + NAME, 32, ticket->data, ticket->len, ticket->data + ticket->len, NULL);
    ticket->len += MAC;
}

static void swap_mark(struct out *out, const void *mark, const void *with, size_t len)
{
    for (size_t i = 0; i + len <= out->len; i++)
        if (memcmp(out->data + i, mark, len) == 0)
            memcpy(out->data + i, with, len);
}

static void big_endian(uint64_t number, uint8_t *out, int len)
{
    for (int i = len - 1; i >= 0; i--, number >>= 8)
        out[i] = (uint8_t)number;
}

/* --- the stage --- */

/* What the true ticket holds, with marks, is a seed; the rules are read from it. */
static void learn(struct kind *kind, uint8_t number)
{
    static struct out inside;
    struct part part = ticket_of(kind->export + HEAD + PEER_NAME);
    struct part ticket = part_at(part.content);
    const uint8_t *at, *data;
    void *appdata;
    char name[] = "inside-0";
    SSL_SESSION *session;
    unsigned len;
    size_t size;
    uint8_t second[4];

    inside.len = 0;
    number |= SEALED;
    add(&inside, &number, 1);
    crypt(&inside, ticket.content + NAME, ticket.content + NAME + IV, ticket.len - NAME - IV - MAC, 0);
    at = inside.data + 1;
    session = d2i_SSL_SESSION(NULL, &at, (long)inside.len - 1);
    if (session == NULL || SSL_SESSION_get0_ticket_appdata(session, &appdata, &size) != 1 || size != 16)
        fuzz_broken("the stage can open a ticket");
    data = SSL_SESSION_get0_id_context(session, &len);
    memcpy(kind->rules, data, RULES);
    kind->secret_len = SSL_SESSION_get_master_key(session, kind->secret, SECRET_MOST);
    big_endian((uint64_t)SSL_SESSION_get_time(session), second, 4);
    swap_mark(&inside, kind->secret, secret_mark, kind->secret_len);
    swap_mark(&inside, data, rules_mark, RULES);
    swap_mark(&inside, appdata, full_mark, 8);
    swap_mark(&inside, (uint8_t *)appdata + 8, end_mark, 8);
    swap_mark(&inside, second, time_mark, 4);
    SSL_SESSION_free(session);
    name[sizeof name - 2] = (char)('0' + (number & 3));
    fuzz_seed(name, inside.data, inside.len);
    name[0] = 'o'; /* and as it comes, "onside" */
    inside.data[0] = number & 3;
    memcpy(inside.data + 1, ticket.content, ticket.len);
    fuzz_seed(name, inside.data, ticket.len + 1);
}

static void begin(struct kind *kind, uint8_t number)
{
    int32_t version = number & OLD ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int64_t session;

    kind->client = fuzz_context(TLSSHIM_ROLE_CLIENT, version);
    kind->server = fuzz_context(TLSSHIM_ROLE_SERVER, version);
    if (number & MUTUAL)
        fuzz_must(tlsshim_context_set_client_certificate(kind->server, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE));
    fuzz_must(tlsshim_context_set_ticket_keys(kind->server, key, KEY));
    session = fuzz_must(fuzz_session(kind->client, kind->server));
    kind->export_len = (size_t)fuzz_must(tlsshim_session_export(session, kind->export, sizeof kind->export));
    fuzz_close(session);
    learn(kind, number);
}

/* The true session with another ticket, as an export. */
static int64_t session_with(const struct kind *kind, const struct out *ticket)
{
    static struct out parts, export, tick;
    const uint8_t *der = kind->export + HEAD + PEER_NAME;
    struct part all = part_at(der), old = ticket_of(der);
    const uint8_t *behind = old.content + old.len, *end = all.content + all.len;

    parts.len = export.len = tick.len = 0;
    add_part(&tick, 0x04, ticket->data, ticket->len);
    add(&parts, all.content, (size_t)(old.begin - all.content));
    add_part(&parts, TICK_TAG, tick.data, tick.len);
    add(&parts, behind, (size_t)(end - behind));
    add(&export, kind->export, HEAD + PEER_NAME);
    add_part(&export, 0x30, parts.data, parts.len);
    EVP_Digest(export.data, export.len, export.data + export.len, NULL, EVP_sha256(), NULL);
    return tlsshim_session_load(export.data, (int32_t)(export.len + SUM));
}

static int64_t resumed(int64_t conn)
{
    int64_t n = 0;

    tlsshim_conn_number(conn, TLSSHIM_CONN_RESUMED, &n);
    return n;
}

static void bring(const struct kind *kind, const struct out *ticket, int sealed)
{
    int64_t session = fuzz_must(session_with(kind, ticket));
    int64_t client = fuzz_must(tlsshim_conn_new(kind->client, "www.test", 8));
    int64_t server = fuzz_must(tlsshim_conn_new(kind->server, "", 0));

    fuzz_must(tlsshim_conn_set_session(client, session));
    if (fuzz_connect(client, server)) {
        if (resumed(client) != resumed(server))
            fuzz_broken("both ends agree on whether they resumed");
        if (resumed(server) && !sealed)
            fuzz_broken("only sealed tickets resume");
        fuzz_drive(server);
    } else if (!sealed) {
        fuzz_broken("a ticket that does not open costs a full handshake, no failure");
    }
    fuzz_close(client);
    fuzz_close(server);
    fuzz_close(session);
}

void fuzz(const uint8_t *data, size_t len)
{
    static struct out inside, ticket;
    struct kind *kind;
    uint64_t now = (uint64_t)time(NULL);
    uint8_t times[20];

    for (uint8_t i = 0; i < KINDS; i++) {
        if (kinds[i].client != 0)
            break;
        for (int k = 0; k < KEY; k++)
            key[k] = (uint8_t)(k + 1);
        begin(&kinds[i], i);
    }
    if (len < 2 || len > TICKET)
        return;
    kind = &kinds[data[0] & 3];
    inside.len = ticket.len = 0;
    add(&inside, data + 1, len - 1);
    big_endian(now, times, 8);
    big_endian(now + 7000, times + 8, 8);
    big_endian(now, times + 16, 4);
    swap_mark(&inside, rules_mark, kind->rules, RULES);
    swap_mark(&inside, secret_mark, kind->secret, kind->secret_len);
    swap_mark(&inside, full_mark, times, 8);
    swap_mark(&inside, end_mark, times + 8, 8);
    swap_mark(&inside, time_mark, times + 16, 4);
    if (data[0] & SEALED)
        seal(&inside, &ticket);
    else
        add(&ticket, inside.data, inside.len);
    bring(kind, &ticket, data[0] & SEALED);
}
