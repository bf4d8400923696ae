#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "support/support.h"
#include "tlsshim.h"

static int64_t made(int64_t result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "the stage cannot be set: %s: %s\n", what, support_text(result));
        abort();
    }
    return result;
}

#define MADE(expression) made((expression), #expression)

static void handles_open(int64_t handles[KINDS])
{
    int64_t key = MADE(tlsshim_key_generate("P-256", 5));
    int64_t cert = MADE(tlsshim_cert_self_signed(key, "localhost,127.0.0.1", 19, 30));

    handles[TLSSHIM_KIND_KEY] = key;
    handles[TLSSHIM_KIND_CERT] = cert;
    handles[TLSSHIM_KIND_TEMPLATE] = MADE(tlsshim_template_new());
    MADE(tlsshim_template_set_subject(handles[TLSSHIM_KIND_TEMPLATE], "CN=a.test", 9));
    handles[TLSSHIM_KIND_IDENTITY] = MADE(tlsshim_identity_new(cert, key));
    handles[TLSSHIM_KIND_TRUST] = MADE(tlsshim_trust_new());
    MADE(tlsshim_trust_add_cert(handles[TLSSHIM_KIND_TRUST], cert));
}

static void handles_close(int64_t handles[KINDS])
{
    for (int kind = 0; kind < KINDS; kind++)
        if (handles[kind])
            tlsshim_close(handles[kind]);
}

void stage_open(struct stage *stage)
{
    memset(stage, 0, sizeof *stage);
    stage->before = tlsshim_live(0);
    handles_open(stage->stale);
    handles_close(stage->stale);
    handles_open(stage->live);
}

int64_t stage_close(struct stage *stage)
{
    handles_close(stage->live);
    return tlsshim_live(0) - stage->before;
}

static void *mapping(size_t size, int protection)
{
    void *data = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (data == MAP_FAILED)
        abort();
    return data;
}

void *forbidden_memory(void)
{
    static void *data;

    if (!data)
        data = mapping(4096, PROT_NONE);
    return data;
}

void *vast_memory(void)
{
    static void *data;

    if (!data)
        data = mapping((size_t)1 << 31, PROT_READ | PROT_WRITE);
    return data;
}
