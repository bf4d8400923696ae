/* session_load: the input is an export without its digest at the end. What loads is exported, asked and offered. */
#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"

enum { RULES_AT = 4, FULL_AT = 36, END_AT = 44, HEAD = 54, SUM = 32, CAP = 65536 };

/* The rules that a session must have to be offered by the stage's client: read from one that was made by it. */
static const uint8_t *own_rules(void)
{
    static uint8_t rules[SUM];
    static int known;
    const struct fuzz_stage *stage = fuzz_stage();
    int64_t session;

    if (known)
        return rules;
    session = fuzz_must(fuzz_session(stage->client, stage->server));
    fuzz_must(tlsshim_session_export(session, fuzz_room, FUZZ_ROOM));
    memcpy(rules, fuzz_room + RULES_AT, sizeof rules);
    known = 1;
    fuzz_close(session);
    return rules;
}

static void ask(int64_t session)
{
    uint8_t text[512];
    int64_t n;

    for (int32_t field = 0; field <= TLSSHIM_SESSION_ALPN + 1; field++) {
        fuzz_result(tlsshim_session_number(session, field, &n));
        fuzz_result(tlsshim_session_text(session, field, text, sizeof text));
    }
}

static void export_again(int64_t session)
{
    static uint8_t once[CAP * 2], twice[CAP * 2];
    int32_t len = (int32_t)fuzz_must(tlsshim_session_export(session, once, sizeof once));
    int64_t again = fuzz_must(tlsshim_session_load(once, len));

    if (fuzz_must(tlsshim_session_export(again, twice, sizeof twice)) != len || memcmp(once, twice, (size_t)len) != 0)
        fuzz_broken("an export that is loaded exports the same");
    fuzz_close(again);
}

static void offer(int64_t session)
{
    const struct fuzz_stage *stage = fuzz_stage();
    int64_t client = fuzz_must(tlsshim_conn_new(stage->client, "www.test", 8));
    int64_t server;

    if (fuzz_result(tlsshim_conn_set_session(client, session)) == TLSSHIM_OK) {
        server = fuzz_must(tlsshim_conn_new(stage->server, "", 0));
        fuzz_connect(client, server);
        fuzz_close(server);
    }
    fuzz_close(client);
}

static void load(uint8_t *export, size_t len)
{
    int64_t session;

    if (EVP_Digest(export, len, export + len, NULL, EVP_sha256(), NULL) != 1)
        fuzz_broken("SHA-256 works");
    session = fuzz_result(tlsshim_session_load(export, (int32_t)(len + SUM)));
    if (session < 0)
        return;
    ask(session);
    export_again(session);
    offer(session);
    fuzz_close(session);
}

static void put_time(uint8_t *at, uint64_t seconds)
{
    for (int i = 7; i >= 0; i--, seconds >>= 8)
        at[i] = (uint8_t)seconds;
}

void fuzz(const uint8_t *data, size_t len)
{
    static uint8_t export[CAP + SUM];
    uint64_t now = (uint64_t)time(NULL);

    if (len > CAP)
        return;
    fuzz_close(fuzz_result(tlsshim_session_load(data, (int32_t)len)));
    memcpy(export, data, len);
    load(export, len);
    if (len < HEAD)
        return;
    memcpy(export, "TSS\1", 4);
    memcpy(export + RULES_AT, own_rules(), SUM);
    put_time(export + FULL_AT, now);
    put_time(export + END_AT, now + 7200);
    load(export, len);
}
