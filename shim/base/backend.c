#include "backend.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend_narrow.h"
#include "code.h"
#include "config.h"
#include "gate.h"
#include "origin.h"
#include "process.h"

/* The queue of the thread as the host left it. OpenSSL keeps at most 16 entries. */
struct host_errors {
    int count;
    struct host_error {
        unsigned long code;
        int line;
        int flags;
        char *file;
        char *function;
        char *data;
    } at[16];
};

enum { START_NOT = 0, START_DONE = 1, START_FAILED = 2 };

static atomic_int start_state;
static int32_t start_failure;
static OSSL_LIB_CTX *private_context;
static OSSL_LIB_CTX *whole_context;

OSSL_LIB_CTX *backend_context(void)
{
    return private_context;
}

OSSL_LIB_CTX *backend_whole(void)
{
    return whole_context;
}

bool backend_exiting(void)
{
    return gate_closed();
}

static char *dup_or_null(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

/* Without memory for a copy the queue is only emptied: the host's call fails of the same cause soon enough. */
static struct host_errors *host_errors_take(void)
{
    struct host_errors *taken;
    struct host_error *e;
    const char *file, *function, *data;
    unsigned long code;

    if (ERR_peek_error() == 0)
        return NULL;
    taken = calloc(1, sizeof *taken);
    while (taken != NULL && taken->count < 16) {
        e = &taken->at[taken->count];
        code = ERR_get_error_all(&file, &e->line, &function, &data, &e->flags);
        if (code == 0)
            return taken;
        e->code = code;
        e->file = dup_or_null(file);
        e->function = dup_or_null(function);
        e->data = (e->flags & ERR_TXT_STRING) != 0 && data != NULL ? OPENSSL_strdup(data) : NULL;
        taken->count++;
    }
    ERR_clear_error();
    return taken;
}

static void host_errors_put(struct host_errors *taken)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
    if (taken == NULL)
        return;
    for (int i = 0; i < taken->count; i++) {
        struct host_error *e = &taken->at[i];

        ERR_new();
        ERR_set_debug(e->file, e->line, e->function);
        ERR_set_error(ERR_GET_LIB(e->code), ERR_GET_REASON(e->code), NULL);
        if (e->data != NULL) /* the queue frees it */
            ERR_set_error_data(e->data, ERR_TXT_MALLOCED | ERR_TXT_STRING);
        free(e->file);
        free(e->function);
    }
    free(taken);
}

#ifdef TLSSHIM_BACKEND_STATIC
enum { EXIT_OPTION = OPENSSL_INIT_NO_ATEXIT };
#else
enum { EXIT_OPTION = 0 };
#endif
enum { START_OPTIONS = OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS | EXIT_OPTION };

int32_t backend_stopped(void)
{
    if (!gate_closed() && OPENSSL_init_crypto(EXIT_OPTION, NULL) == 1)
        return TLSSHIM_OK;
    ERR_clear_error();
    return error_new(TLSSHIM_E_STATE, "the process is exiting");
}

static int32_t context_configured(OSSL_LIB_CTX *context, const char *config)
{
    int32_t result = config_load(context, config);

    if (result == TLSSHIM_OK)
        private_context = context;
    return result;
}

static int32_t context_narrowed(OSSL_LIB_CTX *context)
{
    /* Named, so that no lookup falls back to what the machine's configuration says. */
    OSSL_PROVIDER *provider = OSSL_PROVIDER_load(context, "default");

    if (provider == NULL)
        return error_backend(TLSSHIM_E_INTERNAL, "the backend's default provider does not load");
    private_context = narrow_context_new(provider);
    if (private_context != NULL)
        return TLSSHIM_OK;
    OSSL_PROVIDER_unload(provider);
    return error_backend(TLSSHIM_E_INTERNAL, "the backend's default provider cannot be handed on");
}

/* A configuration file has a say in the providers, so its context stays as it is. */
static int32_t context_make(const char *config)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    int32_t result;

    if (context == NULL)
        return error_backend(TLSSHIM_E_INTERNAL, "no library context");
    result = config != NULL ? context_configured(context, config) : context_narrowed(context);
    if (result < 0)
        OSSL_LIB_CTX_free(context);
    else
        whole_context = context;
    return result;
}

/* Registered before anything else, so that an exit in the middle of the start waits as well. */
static int32_t watch_exit(void)
{
    static bool watching;
    int32_t result = backend_stopped();

    if (result < 0)
        return result;
    if (!watching && OPENSSL_atexit(gate_close) != 1)
        return TLSSHIM_E_MEMORY;
    watching = true;
    return TLSSHIM_OK;
}

static int32_t start(const char *config)
{
    struct host_errors *host_errors;
    int32_t result = origin_check();

    if (result < 0)
        return result;
    host_errors = host_errors_take();
    result = watch_exit();
    if (result == TLSSHIM_OK && OPENSSL_init_ssl(START_OPTIONS, NULL) == 1)
        result = context_make(config);
    else if (result == TLSSHIM_OK)
        result = error_backend(TLSSHIM_E_INTERNAL, "the backend does not start");
    host_errors_put(host_errors);
    return result;
}

/* In the start lock, and counted in, so that a fork or an exit waits for it. */
static int32_t start_once_inside(const char *config)
{
    int32_t result;

    switch (atomic_load(&start_state)) {
    case START_DONE:
        return config == NULL ? TLSSHIM_OK
                              : error_new(TLSSHIM_E_FROZEN, "the configuration file must be named before first use");
    case START_FAILED:
        return start_failure;
    default:
        break;
    }
    result = start(config);
    if (result == TLSSHIM_OK) {
        atomic_store(&start_state, START_DONE);
    } else if (code_bare(result) == TLSSHIM_E_UNSUPPORTED) {
        start_failure = result;
        error_keep(result);
        atomic_store(&start_state, START_FAILED);
    }
    return result;
}

static int32_t start_once(const char *config)
{
    struct process_page *page = process_page();
    atomic_int *inside;
    int cancel_state;
    int32_t result;

    if (page == NULL)
        return TLSSHIM_E_MEMORY;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    pthread_mutex_lock(&page->start_lock);
    result = gate_install();
    if (result == TLSSHIM_OK)
        result = gate_enter(&inside);
    if (result == TLSSHIM_OK) {
        result = start_once_inside(config);
        gate_leave(inside);
    }
    pthread_mutex_unlock(&page->start_lock);
    pthread_setcancelstate(cancel_state, NULL);
    return result;
}

int32_t backend_configure(const char *path)
{
    return start_once(path);
}

/* A visit within a visit of the same thread: our context is its default already. */
static bool inside_already(void)
{
    return private_context != NULL && OSSL_LIB_CTX_set0_default(NULL) == private_context;
}

static int32_t enter_the_gate(struct visit *visit)
{
    int32_t result;

    if (atomic_load_explicit(&start_state, memory_order_acquire) != START_DONE) {
        result = start_once(NULL);
        if (result < 0)
            return result;
    }
    visit->inside = gate_try();
    if (visit->inside != NULL)
        return TLSSHIM_OK;
    if (inside_already()) {
        visit->inside = gate_enter_again();
        return TLSSHIM_OK;
    }
    return gate_enter(&visit->inside);
}

static void uncancel(struct visit *visit)
{
    if (!visit->uncancelled)
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &visit->cancel_state);
    visit->uncancelled = true;
}

static void recancel(struct visit *visit)
{
    if (visit->uncancelled)
        pthread_setcancelstate(visit->cancel_state, NULL);
}

static void deepen(struct visit *visit)
{
    visit->deep = true;
    visit->host_context = OSSL_LIB_CTX_set0_default(private_context);
}

void backend_adopt_thread(void)
{
    OSSL_LIB_CTX_set0_default(private_context);
}

void visit_deepen(struct visit *visit)
{
    uncancel(visit);
    if (!visit->deep)
        deepen(visit);
}

int32_t visit_enter(struct visit *visit)
{
    int32_t result;

    *visit = (struct visit){0};
    uncancel(visit);
    result = enter_the_gate(visit);
    if (result < 0) {
        recancel(visit);
        return result;
    }
    deepen(visit);
    visit->host_errors = host_errors_take();
    return TLSSHIM_OK;
}

bool visit_try(struct visit *visit, enum visit_depth depth)
{
    *visit = (struct visit){0};
    if (depth != VISIT_QUICK)
        uncancel(visit);
    visit->inside = atomic_load_explicit(&start_state, memory_order_acquire) == START_DONE ? gate_try() : NULL;
    if (visit->inside == NULL) {
        recancel(visit);
        return false;
    }
    if (depth == VISIT_DEEP || ERR_peek_error() != 0) {
        visit_deepen(visit);
        visit->host_errors = host_errors_take();
    }
    return true;
}

void visit_leave(struct visit *visit)
{
    if (visit->deep) {
        host_errors_put(visit->host_errors);
        OSSL_LIB_CTX_set0_default(visit->host_context);
    }
    gate_leave(visit->inside);
    recancel(visit);
}

/* The backend's reason strings are sentences in lower case; the constant's name is what people search for. */
static void reason_name(char *name, size_t cap, const char *text)
{
    size_t i = 0;

    for (; text[i] != 0 && i + 1 < cap; i++) {
        char c = text[i];

        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        else if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            c = '_';
        name[i] = c;
    }
    name[i] = 0;
}

/* What the backend reports of the system has no reason text there. */
static const char *reason_of(unsigned long code)
{
    return ERR_SYSTEM_ERROR(code) ? strerrordesc_np(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
}

/* Some BIOs do not say why they cannot be made, such as the one that holds a flight of the handshake. */
bool error_of_memory(unsigned long code)
{
    return ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE ||
           (ERR_GET_LIB(code) == ERR_LIB_BIO && ERR_GET_REASON(code) == ERR_R_INIT_FAIL);
}

bool error_from_backend(struct error_detail *detail)
{
    unsigned long code = ERR_peek_error();
    const char *reason = reason_of(code);
    const char *library = ERR_lib_error_string(code);

    ERR_clear_error();
    if (code == 0)
        return false;
    if (library != NULL)
        strncpy(detail->library, library, sizeof detail->library - 1);
    if (ERR_SYSTEM_ERROR(code)) {
        detail->errno_value = ERR_GET_REASON(code);
        return detail->errno_value == ENOMEM;
    }
    detail->reason = ERR_GET_REASON(code);
    if (reason != NULL)
        reason_name(detail->reason_text, sizeof detail->reason_text, reason);
    return error_of_memory(code);
}

void error_forget_backend(void)
{
    ERR_clear_error();
}

int32_t error_backend(int32_t code, const char *format, ...)
{
    struct error_detail detail = error_detail_none();
    const char *reason = reason_of(ERR_peek_error());
    char sentence[ERROR_TEXT_CAP / 2];
    int32_t stopped;
    va_list args;

    if (error_from_backend(&detail))
        return TLSSHIM_E_MEMORY;
    stopped = backend_stopped();
    if (stopped < 0)
        return stopped;
    va_start(args, format);
    error_sentence(sentence, sizeof sentence, format, args);
    va_end(args);
    error_say(&detail, reason != NULL ? "%s: %s" : "%s", sentence, reason);
    detail.side = TLSSHIM_SIDE_LOCAL;
    return error_publish(code, &detail);
}
