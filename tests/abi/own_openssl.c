/* A host that links its own OpenSSL in, exports all of its symbols (as node does) and loads libtlsshim by name.
 * Prints what became of it: "error CODE TEXT", or "handshake VERSION" when all of the main job worked. */
#include <dlfcn.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlsshim.h"

/* The functions used, taken by name as a foreign function interface takes them. */
#define SHIM(name) __typeof__(tlsshim_##name) *name
static struct {
    SHIM(error_code);
    SHIM(error_text);
    SHIM(live);
    SHIM(close);
    SHIM(key_generate);
    SHIM(cert_self_signed);
    SHIM(identity_new);
    SHIM(trust_new);
    SHIM(trust_add_cert);
    SHIM(context_new);
    SHIM(context_set_trust);
    SHIM(context_add_identity);
    SHIM(conn_new);
    SHIM(conn_handshake);
    SHIM(conn_feed);
    SHIM(conn_drain);
    SHIM(conn_text);
} shim;

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);

    if (found == NULL) {
        printf("no symbol %s\n", name);
        exit(2);
    }
    return found;
}

#define TAKE(name) *(void **)&shim.name = symbol(library, "tlsshim_" #name)

static void take_all(void *library)
{
    TAKE(error_code);
    TAKE(error_text);
    TAKE(live);
    TAKE(close);
    TAKE(key_generate);
    TAKE(cert_self_signed);
    TAKE(identity_new);
    TAKE(trust_new);
    TAKE(trust_add_cert);
    TAKE(context_new);
    TAKE(context_set_trust);
    TAKE(context_add_identity);
    TAKE(conn_new);
    TAKE(conn_handshake);
    TAKE(conn_feed);
    TAKE(conn_drain);
    TAKE(conn_text);
}

/* Ends the program with the error's text unless the result is none. */
static int64_t must(int64_t result)
{
    char text[512];
    int32_t len;

    if (result >= 0)
        return result;
    len = shim.error_text(result, text, (int32_t)sizeof text);
    printf("error %d %.*s\n", shim.error_code(result), len > 0 && len <= (int32_t)sizeof text ? len : 0, text);
    exit(0);
}

/* Moves one side's bytes to the other. */
static void carry(int64_t from, int64_t to)
{
    char bytes[20000];
    int64_t n;

    while ((n = must(shim.conn_drain(from, bytes, (int32_t)sizeof bytes))) > 0)
        if (must(shim.conn_feed(to, bytes, (int32_t)n)) != n) {
            printf("the engine took less than it promises to\n");
            exit(2);
        }
}

static int64_t step(int64_t conn)
{
    int64_t result = shim.conn_handshake(conn);

    return result == TLSSHIM_WANT_FEED || result == TLSSHIM_WANT_DRAIN ? result : must(result);
}

static void shake_hands(void)
{
    int64_t key = must(shim.key_generate("P-256", 5));
    int64_t cert = must(shim.cert_self_signed(key, "www.test", 8, 1));
    int64_t identity = must(shim.identity_new(cert, key));
    int64_t trust = must(shim.trust_new());
    int64_t here = must(shim.context_new(TLSSHIM_ROLE_CLIENT));
    int64_t there = must(shim.context_new(TLSSHIM_ROLE_SERVER));
    int64_t all[8] = {key, cert, identity, trust, here, there};
    int64_t *client = &all[6], *server = &all[7];
    int64_t left = -1, right = -1;
    char version[16];
    int64_t len;

    must(shim.trust_add_cert(trust, cert));
    must(shim.context_set_trust(here, trust));
    must(shim.context_add_identity(there, identity, NULL, 0));
    *client = must(shim.conn_new(here, "www.test", 8));
    *server = must(shim.conn_new(there, NULL, 0));
    for (int turn = 0; turn < 20 && (left != 0 || right != 0); turn++) {
        left = step(*client);
        carry(*client, *server);
        right = step(*server);
        carry(*server, *client);
    }
    len = must(shim.conn_text(*client, TLSSHIM_CONN_VERSION, version, (int32_t)sizeof version));
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        must(shim.close(all[i]));
    printf("handshake %.*s, %" PRId64 " handles left\n", (int)len, version, shim.live(0));
}

/* The host's own use of its own OpenSSL, which must not notice the guest. */
static void use_own(const char *when)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());

    if (context == NULL || ERR_GET_REASON(ERR_peek_error()) != ERR_R_NESTED_ASN1_ERROR) {
        printf("the host's OpenSSL is disturbed %s\n", when);
        exit(2);
    }
    SSL_CTX_free(context);
}

int main(int argc, char **argv)
{
    void *library;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc != 2)
        return 2;
    ERR_raise(ERR_LIB_USER, ERR_R_NESTED_ASN1_ERROR);
    use_own("before");
    library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        printf("not loaded: %s\n", dlerror());
        return 2;
    }
    take_all(library);
    shake_hands();
    use_own("afterwards");
    return 0;
}
