#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/certs.h"
#include "support/support.h"

uint8_t fuzz_room[FUZZ_ROOM];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

void fuzz_broken(const char *promise)
{
    fprintf(stderr, "broken: %s\n", promise);
    abort();
}

int64_t fuzz_result(int64_t result)
{
    if (support_has_code(result, TLSSHIM_E_INTERNAL) || support_has_code(result, TLSSHIM_E_HANDLE))
        fuzz_broken(support_text(result));
    return result;
}

int64_t fuzz_must(int64_t result)
{
    if (result < 0)
        fuzz_broken(support_text(result));
    return result;
}

void fuzz_close(int64_t handle)
{
    if (handle > 0)
        fuzz_must(tlsshim_close(handle));
}

int64_t fuzz_context(int32_t role, int32_t version)
{
    const struct fuzz_stage *stage = fuzz_stage();
    int64_t context = fuzz_must(tlsshim_context_new(role));
    bool server = role == TLSSHIM_ROLE_SERVER;

    fuzz_must(tlsshim_context_set_trust(context, stage->trust));
    fuzz_must(tlsshim_context_add_identity(context, server ? stage->server_identity : stage->client_identity, "", 0));
    if (version != 0)
        fuzz_must(tlsshim_context_set_versions(context, version, version));
    return context;
}

const struct fuzz_stage *fuzz_stage(void)
{
    static struct fuzz_stage stage;

    if (stage.ca != 0)
        return &stage;
    stage.ca = certs_ca("CN=Fuzz CA");
    stage.trust = certs_trust(stage.ca);
    stage.server_identity = certs_leaf(stage.ca, "P-256", "CN=server", "www.test", -CERTS_DAY, CERTS_DAY);
    stage.client_identity = certs_leaf(stage.ca, "P-256", "CN=client", "", -CERTS_DAY, CERTS_DAY);
    stage.client = fuzz_context(TLSSHIM_ROLE_CLIENT, 0);
    stage.server = fuzz_context(TLSSHIM_ROLE_SERVER, 0);
    return &stage;
}

void fuzz_seed(const char *name, const void *data, size_t len)
{
    const char *folder = getenv("FUZZ_SEEDS");
    char path[4096];
    FILE *file;

    if (folder == NULL)
        return;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, len, file) != len || fclose(file) != 0)
        fuzz_broken("a seed can be written");
}

static bool move(int64_t from, int64_t to)
{
    static uint8_t wire[32768];
    int32_t len = tlsshim_conn_drain(from, wire, sizeof wire);

    if (len > 0)
        fuzz_result(tlsshim_conn_feed(to, wire, len)); /* one that has failed takes no more */
    return len > 0;
}

int fuzz_connect(int64_t client, int64_t server)
{
    int32_t mine, theirs;
    bool up, down;

    do {
        mine = (int32_t)fuzz_result(tlsshim_conn_handshake(client));
        theirs = (int32_t)fuzz_result(tlsshim_conn_handshake(server));
        up = move(client, server);
        down = move(server, client);
    } while (up || down);
    return mine == TLSSHIM_OK && theirs == TLSSHIM_OK;
}

int64_t fuzz_session(int64_t client_context, int64_t server_context)
{
    int64_t client = fuzz_must(tlsshim_conn_new(client_context, "www.test", 8));
    int64_t server = fuzz_must(tlsshim_conn_new(server_context, "", 0));
    int64_t session;

    if (!fuzz_connect(client, server))
        fuzz_broken("the stage's ends connect");
    fuzz_must(tlsshim_conn_write(server, "x", 1));
    fuzz_connect(client, server);
    fuzz_must(tlsshim_conn_read(client, fuzz_room, FUZZ_ROOM));
    session = fuzz_result(tlsshim_conn_take_session(client));
    fuzz_close(client);
    fuzz_close(server);
    return session;
}

void fuzz_drive(int64_t conn)
{
    int32_t result;

    do {
        while (fuzz_result(tlsshim_conn_drain(conn, fuzz_room, FUZZ_ROOM)) > 0)
            ;
        result = (int32_t)fuzz_result(tlsshim_conn_read(conn, fuzz_room, FUZZ_ROOM));
    } while (result > 0 || result == TLSSHIM_WANT_DRAIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static int64_t live = -1;

    fuzz_stage();
    if (live < 0) { /* what the target makes once is made by its first input */
        fuzz(data, len);
        live = tlsshim_live(0);
    }
    fuzz(data, len);
    if (tlsshim_live(0) != live)
        fuzz_broken("a handle was left open");
    return 0;
}
