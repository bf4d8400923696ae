/* A host that loads the library, uses it and looks whether anything of its own process has changed.
 * guest_host LIBRARY: says nothing and ends 0 if nothing has. */
#include <dirent.h>
#include <dlfcn.h>
#include <locale.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void *symbol(const char *name);

#define TLSSHIM(name) ((__typeof__(&tlsshim_##name))(uintptr_t)symbol("tlsshim_" #name))
#include "support/guest.h"

extern char **environ;

enum { SIGNALS = 65, ERRORS = 5 };

struct process {
    struct sigaction actions[SIGNALS];
    sigset_t blocked;
    struct rlimit limits[RLIMIT_NLIMITS];
    char locale[200];
    char folder[4096];
    mode_t mask;
    int descriptors;
    int threads;
    unsigned long environment;
    OSSL_LIB_CTX *context;
    EVP_MD *digest;
};

static void fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    exit(EXIT_FAILURE);
}

static void *library;

static void *symbol(const char *name)
{
    void *found = dlsym(library, name);

    if (found == NULL)
        fail("%s: %s", name, dlerror());
    return found;
}

static int64_t must(int64_t result, const char *what)
{
    char text[600] = "";

    if (result < 0) {
        TLSSHIM(error_text)(result, text, 599);
        fail("%s: %lld %s", what, (long long)result, text);
    }
    return result;
}

static int entries(const char *folder)
{
    DIR *open = opendir(folder);
    int count = 0;

    if (open == NULL)
        fail("%s cannot be read", folder);
    while (readdir(open) != NULL)
        count++;
    closedir(open);
    return count;
}

static unsigned long environment_hash(void)
{
    unsigned long hash = 5381;

    for (char **variable = environ; *variable != NULL; variable++)
        for (const char *c = *variable; *c != 0; c++)
            hash = hash * 33 + (unsigned char)*c;
    return hash;
}

static struct process look(void)
{
    struct process now;

    memset(&now, 0, sizeof now);
    for (int i = 1; i < SIGNALS; i++)
        sigaction(i, NULL, &now.actions[i]); /* 32 and 33 are the C library's own and stay zero */
    sigprocmask(SIG_SETMASK, NULL, &now.blocked);
    for (int i = 0; i < (int)RLIMIT_NLIMITS; i++)
        getrlimit((__rlimit_resource_t)i, &now.limits[i]);
    snprintf(now.locale, sizeof now.locale, "%s", setlocale(LC_ALL, NULL));
    if (getcwd(now.folder, sizeof now.folder) == NULL)
        fail("no working directory");
    now.mask = umask(0);
    umask(now.mask);
    now.descriptors = entries("/proc/self/fd");
    now.threads = entries("/proc/self/task");
    now.environment = environment_hash();
    now.context = OSSL_LIB_CTX_set0_default(NULL);
    return now;
}

static bool same_action(const struct sigaction *one, const struct sigaction *other)
{
    for (int i = 1; i < SIGNALS; i++)
        if (sigismember(&one->sa_mask, i) != sigismember(&other->sa_mask, i))
            return false;
    return one->sa_handler == other->sa_handler && one->sa_flags == other->sa_flags;
}

static void compare(const struct process *before, const char *when)
{
    struct process now = look();

    for (int i = 1; i < SIGNALS; i++)
        if (!same_action(&before->actions[i], &now.actions[i]))
            fail("%s: the disposition of signal %d has changed", when, i);
    for (int i = 1; i < SIGNALS; i++)
        if (sigismember(&before->blocked, i) != sigismember(&now.blocked, i))
            fail("%s: signal %d is blocked or no longer blocked", when, i);
    if (memcmp(before->limits, now.limits, sizeof now.limits) != 0)
        fail("%s: a resource limit has changed", when);
    if (strcmp(before->locale, now.locale) != 0 || strcmp(before->folder, now.folder) != 0 || before->mask != now.mask)
        fail("%s: locale, working directory or file mask has changed", when);
    if (before->descriptors != now.descriptors)
        fail("%s: %d descriptors were open, now %d", when, before->descriptors, now.descriptors);
    if (before->threads != now.threads)
        fail("%s: there were %d threads, now %d", when, before->threads, now.threads);
    if (before->environment != now.environment)
        fail("%s: the environment has changed", when);
    if (before->context != now.context)
        fail("%s: the thread's library context has changed", when);
}

static void leave_errors(void)
{
    for (int i = 0; i < ERRORS; i++) {
        ERR_new();
        ERR_set_debug("host.c", i, "host_function");
        ERR_set_error(ERR_LIB_USER, 100 + i, "host data %d", i);
    }
}

static void find_errors(const char *when)
{
    const char *file, *function, *data;
    char want[40];
    int line, flags;

    for (int i = 0; i < ERRORS; i++) {
        unsigned long code = ERR_get_error_all(&file, &line, &function, &data, &flags);

        snprintf(want, sizeof want, "host data %d", i);
        if (ERR_GET_LIB(code) != ERR_LIB_USER || ERR_GET_REASON(code) != 100 + i || line != i ||
            strcmp(file, "host.c") != 0 || strcmp(function, "host_function") != 0 || strcmp(data, want) != 0)
            fail("%s: error %d of the host's queue is %lx %s:%d %s \"%s\"", when, i, code, file, line, function, data);
    }
    if (ERR_peek_error() != 0)
        fail("%s: something was added to the host's error queue", when);
}

/* Keys, certificates, trust, a handshake: what works, and what fails. */
static void use(void)
{
    union guest guest;
    int64_t refused;

    must(guest_make(&guest), "guest_make");
    must(guest_connect(&guest), "guest_connect");
    refused = TLSSHIM(key_load)("-----BEGIN PRIVATE KEY-----\nnonsense\n", 37, "", 0);
    if (refused >= 0)
        fail("nonsense is no key");
    TLSSHIM(close)(guest.trust);
    guest.trust = must(TLSSHIM(trust_new)(), "trust_new");
    TLSSHIM(close)(guest.client);
    guest.client = must(TLSSHIM(context_new)(TLSSHIM_ROLE_CLIENT), "context_new");
    refused = TLSSHIM(context_set_trust)(guest.client, guest.trust); /* which trusts nobody */
    if (refused >= 0)
        refused = guest_connect(&guest);
    if (refused >= 0)
        fail("a stranger's certificate was taken");
    must(guest_close(&guest), "close");
    if (TLSSHIM(live)(0) != 0)
        fail("%lld handles are left", (long long)TLSSHIM(live)(0));
}

int main(int argc, char **argv)
{
    struct process before;

    if (argc != 2)
        fail("guest_host LIBRARY");
    setvbuf(stdout, NULL, _IONBF, 0);
    EVP_MD_free(EVP_MD_fetch(NULL, "SHA2-256", NULL)); /* the host uses its OpenSSL, too */
    leave_errors();
    before = look();
    library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fail("%s", dlerror());
    compare(&before, "loaded");
    use();
    compare(&before, "used");
    find_errors("used");
    use();
    if (ERR_peek_error() != 0)
        fail("something is left in an empty error queue");
    dlclose(library);
    compare(&before, "closed");
    return EXIT_SUCCESS;
}
