#include "context.h"

#include <stdlib.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"

static void free_context(void *object)
{
    context_drop(object);
}

static int64_t memory_of(void *object)
{
    const struct context *context = object;

    /* An SSL_CTX with its tables was measured at about 24 KiB. */
    return (int64_t)sizeof *context + 24 * 1024 + (int64_t)context->settings.identities.entry_count * 512 +
           (int64_t)(context->settings.psks.count * sizeof(struct psk));
}

static int64_t copy_context(void *object);

static const struct handle_kind context_kind = {
    .number = TLSSHIM_KIND_CONTEXT, .free = free_context, .memory = memory_of, .copy = copy_context};

int32_t context_pin(int64_t handle, struct context **context)
{
    void *object;
    int32_t result = handle_pin(handle, &context_kind, &object);

    if (result == TLSSHIM_OK)
        *context = object;
    return result;
}

struct context *context_ref(struct context *context)
{
    refs_take(&context->refs);
    return context;
}

void context_drop(struct context *context)
{
    if (context == NULL || !refs_drop(&context->refs))
        return;
    setup_drop(context->setup);
    store_drop(context->store);
    settings_free(&context->settings);
    pthread_mutex_destroy(&context->lock);
    free(context);
}

static int64_t context_handle(struct context *context)
{
    int64_t handle = handle_new(&context_kind, context);

    if (handle < 0)
        context_drop(context);
    return handle;
}

static struct context *context_alloc(void)
{
    struct context *context = calloc(1, sizeof *context);

    if (context != NULL) {
        refs_start(&context->refs);
        pthread_mutex_init(&context->lock, NULL);
    }
    return context;
}

int32_t context_role(struct context *context)
{
    int32_t role;

    pthread_mutex_lock(&context->lock);
    role = context->settings.role;
    pthread_mutex_unlock(&context->lock);
    return role;
}

int32_t context_setup(struct context *context, struct setup **setup)
{
    int32_t result = TLSSHIM_OK;

    pthread_mutex_lock(&context->lock);
    if (context->setup == NULL)
        result = setup_new(&context->settings, context->store, &context->setup);
    if (result == TLSSHIM_OK)
        *setup = setup_ref(context->setup);
    pthread_mutex_unlock(&context->lock);
    return result;
}

int64_t tlsshim_context_new(int32_t role)
{
    struct context *context;
    struct visit visit;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    if (role != TLSSHIM_ROLE_CLIENT && role != TLSSHIM_ROLE_SERVER) {
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no role", role);
    } else {
        context = context_alloc();
        if (context != NULL && settings_init(&context->settings, role) && (context->store = store_new()) != NULL) {
            result = context_handle(context);
        } else {
            context_drop(context);
            result = TLSSHIM_E_MEMORY;
        }
    }
    visit_leave(&visit);
    return result;
}

static int64_t copy_context(void *object)
{
    struct context *from = object;
    struct context *to = context_alloc();
    bool copied;

    if (to == NULL)
        return TLSSHIM_E_MEMORY;
    pthread_mutex_lock(&from->lock);
    copied = settings_copy(&from->settings, &to->settings);
    pthread_mutex_unlock(&from->lock);
    if (!copied) {
        context_drop(to);
        return TLSSHIM_E_MEMORY;
    }
    to->store = store_ref(from->store);
    return context_handle(to);
}

int32_t change_begin(int64_t handle, const char *setter, struct change *change)
{
    int32_t result = context_pin(handle, &change->context);

    if (result < 0)
        return result;
    change->handle = handle;
    result = visit_enter(&change->visit);
    if (result < 0) {
        handle_unpin(handle);
        return result;
    }
    pthread_mutex_lock(&change->context->lock);
    change->settings = &change->context->settings;
    if (change->context->setup == NULL)
        return TLSSHIM_OK;
    pthread_mutex_unlock(&change->context->lock);
    result =
        error_new(TLSSHIM_E_FROZEN, "%s comes too late: the context already serves connections; change a copy", setter);
    visit_leave(&change->visit);
    handle_unpin(handle);
    return result;
}

int32_t change_end(struct change *change, int32_t result)
{
    pthread_mutex_unlock(&change->context->lock);
    visit_leave(&change->visit);
    handle_unpin(change->handle);
    return result;
}

/* The successor's settings are copied first, so that no two contexts are ever locked together. */
static int32_t replace(struct context *live, struct context *successor)
{
    struct settings settings;
    struct setup *setup;
    int32_t result;
    bool copied;

    pthread_mutex_lock(&successor->lock);
    copied = settings_copy(&successor->settings, &settings);
    pthread_mutex_unlock(&successor->lock);
    if (!copied)
        return TLSSHIM_E_MEMORY;
    if (settings.role != context_role(live))
        result = error_new(TLSSHIM_E_MISMATCH, "a context is replaced by one of the same role");
    else
        result = setup_new(&settings, live->store, &setup);
    if (result == TLSSHIM_OK && (result = staples_merge(&live->store->staples, &successor->store->staples)) < 0)
        setup_drop(setup);
    if (result < 0) {
        settings_free(&settings);
        return result;
    }
    pthread_mutex_lock(&live->lock);
    setup_drop(live->setup);
    settings_free(&live->settings);
    live->setup = setup;
    live->settings = settings;
    pthread_mutex_unlock(&live->lock);
    return TLSSHIM_OK;
}

int32_t tlsshim_context_replace(int64_t context, int64_t successor)
{
    struct context *live = NULL;
    struct context *next = NULL;
    struct visit visit;
    int32_t result = context_pin(context, &live);

    if (result < 0)
        return result;
    result = context_pin(successor, &next);
    if (result == TLSSHIM_OK) {
        result = visit_enter(&visit);
        if (result == TLSSHIM_OK) {
            result = replace(live, next);
            visit_leave(&visit);
        }
        handle_unpin(successor);
    }
    handle_unpin(context);
    return result;
}

static int32_t context_text(const struct context *context, int32_t field, void *text, int32_t text_cap)
{
    const struct settings *s = &context->settings;

    switch (field) {
    case TLSSHIM_CONTEXT_CIPHERS:
        return text_out(text, text_cap, s->ciphers);
    case TLSSHIM_CONTEXT_CIPHERSUITES:
        return text_out(text, text_cap, s->ciphersuites);
    case TLSSHIM_CONTEXT_GROUPS:
        return text_out(text, text_cap, s->groups);
    case TLSSHIM_CONTEXT_SIGNATURES:
        return text_out(text, text_cap, s->signatures);
    default:
        return TLSSHIM_NONE;
    }
}

static int64_t context_counter(struct context *context, int32_t field)
{
    struct counters *c = &context->counters;

    switch (field) {
    case TLSSHIM_CONTEXT_HANDSHAKES:
        return atomic_load(&c->handshakes);
    case TLSSHIM_CONTEXT_RESUMPTIONS:
        return atomic_load(&c->resumptions);
    case TLSSHIM_CONTEXT_CACHE_HITS:
        return atomic_load(&c->hits);
    case TLSSHIM_CONTEXT_CACHE_MISSES:
        return atomic_load(&c->misses);
    case TLSSHIM_CONTEXT_CACHE_ENTRIES:
        return cache_count(&context->store->sessions);
    case TLSSHIM_CONTEXT_MISS_UNKNOWN:
        return atomic_load(&c->unknown);
    case TLSSHIM_CONTEXT_MISS_EXPIRED:
        return atomic_load(&c->expired);
    case TLSSHIM_CONTEXT_MISS_RULES:
        return atomic_load(&c->rules);
    case TLSSHIM_CONTEXT_MISS_DAMAGED:
        return atomic_load(&c->damaged);
    default:
        return TLSSHIM_NONE;
    }
}

/* What is in force once frozen; before, what was asked for, 0 for "as suits". */
static int64_t session_cache(const struct context *context)
{
    int32_t asked = context->settings.session_cache;

    if (context->setup != NULL)
        return context->store->sessions.most;
    return asked == SESSION_CACHE_AUTO ? 0 : asked;
}

static int64_t context_number(struct context *context, int32_t field)
{
    const struct settings *s = &context->settings;

    switch (field) {
    case TLSSHIM_CONTEXT_ROLE:
        return s->role;
    case TLSSHIM_CONTEXT_FROZEN:
        return context->setup != NULL;
    case TLSSHIM_CONTEXT_VERSION_MIN:
        return s->version_min;
    case TLSSHIM_CONTEXT_VERSION_MAX:
        return s->version_max;
    case TLSSHIM_CONTEXT_CLIENT_CERTIFICATE:
        return s->client_certificate;
    case TLSSHIM_CONTEXT_VERIFY_FLAGS:
        return s->verify_flags;
    case TLSSHIM_CONTEXT_VERIFY_DEPTH:
        return s->verify_depth;
    case TLSSHIM_CONTEXT_SECURITY_LEVEL:
        return s->security_level;
    case TLSSHIM_CONTEXT_TICKETS:
        return s->tickets;
    case TLSSHIM_CONTEXT_SESSION_LIFETIME:
        return s->session_lifetime;
    case TLSSHIM_CONTEXT_HANDSHAKE_TIMEOUT:
        return s->handshake_timeout;
    case TLSSHIM_CONTEXT_MEMORY:
        return s->memory;
    case TLSSHIM_CONTEXT_SESSION_CACHE:
        return session_cache(context);
    default:
        return context_counter(context, field);
    }
}

static bool field_known(int32_t field)
{
    return (field >= TLSSHIM_CONTEXT_ROLE && field <= TLSSHIM_CONTEXT_MEMORY) ||
           (field >= TLSSHIM_CONTEXT_HANDSHAKES && field <= TLSSHIM_CONTEXT_MISS_DAMAGED);
}

int32_t tlsshim_context_text(int64_t context, int32_t field, void *text, int32_t text_cap)
{
    struct context *c = NULL;
    int32_t result = context_pin(context, &c);

    if (result < 0)
        return result;
    pthread_mutex_lock(&c->lock);
    if (!field_known(field))
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no context field", field);
    else
        result = context_text(c, field, text, text_cap);
    pthread_mutex_unlock(&c->lock);
    handle_unpin(context);
    return result;
}

int32_t tlsshim_context_number(int64_t context, int32_t field, int64_t *n)
{
    struct context *c = NULL;
    int64_t number;
    int32_t result = context_pin(context, &c);

    if (result < 0)
        return result;
    pthread_mutex_lock(&c->lock);
    number = context_number(c, field);
    pthread_mutex_unlock(&c->lock);
    if (!field_known(field))
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no context field", field);
    else if (n == NULL)
        result = error_new(TLSSHIM_E_ARGUMENT, "the output n is NULL");
    else if (number == TLSSHIM_NONE)
        result = TLSSHIM_NONE;
    else
        *n = number;
    handle_unpin(context);
    return result;
}
