#include "template.h"

#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "general_name.h"

enum { COMMON_NAME_MOST = 64 };

static void free_template(void *object)
{
    template_drop(object);
}

static int64_t memory_of_template(void *object)
{
    const struct template *tmpl = object;

    return (int64_t)sizeof *tmpl + 256 * (int64_t)sk_GENERAL_NAME_num(tmpl->names);
}

static int64_t copy_template(void *object);

static const struct handle_kind kind = {
    .number = TLSSHIM_KIND_TEMPLATE, .free = free_template, .memory = memory_of_template, .copy = copy_template};

int32_t template_pin(int64_t handle, struct template **tmpl)
{
    void *object = NULL;
    int32_t result = handle_pin(handle, &kind, &object);

    *tmpl = object;
    return result;
}

void template_drop(struct template *tmpl)
{
    if (tmpl == NULL || !refs_drop(&tmpl->refs))
        return;
    X509_NAME_free(tmpl->subject);
    GENERAL_NAMES_free(tmpl->names);
    sk_ASN1_OBJECT_pop_free(tmpl->more_usages, ASN1_OBJECT_free);
    GENERAL_NAMES_free(tmpl->crl_urls);
    GENERAL_NAMES_free(tmpl->ocsp_urls);
    NAME_CONSTRAINTS_free(tmpl->constraints);
    EVP_PKEY_free(tmpl->requester);
    pthread_mutex_destroy(&tmpl->lock);
    free(tmpl);
}

struct template *template_make(void)
{
    struct template *tmpl = calloc(1, sizeof *tmpl);

    if (tmpl == NULL)
        return NULL;
    refs_start(&tmpl->refs);
    pthread_mutex_init(&tmpl->lock, NULL);
    tmpl->path_length = PATH_UNLIMITED;
    tmpl->names = GENERAL_NAMES_new();
    tmpl->crl_urls = GENERAL_NAMES_new();
    tmpl->ocsp_urls = GENERAL_NAMES_new();
    tmpl->more_usages = sk_ASN1_OBJECT_new_null();
    if (tmpl->names != NULL && tmpl->crl_urls != NULL && tmpl->ocsp_urls != NULL && tmpl->more_usages != NULL)
        return tmpl;
    template_drop(tmpl);
    return NULL;
}

int64_t template_handle_new(struct template *tmpl)
{
    int64_t handle;

    if (tmpl == NULL)
        return TLSSHIM_E_MEMORY;
    handle = handle_new(&kind, tmpl);
    if (handle < 0)
        template_drop(tmpl);
    return handle;
}

static bool copy_names(GENERAL_NAMES **to, const GENERAL_NAMES *from)
{
    GENERAL_NAMES_free(*to);
    *to = sk_GENERAL_NAME_deep_copy(from, (sk_GENERAL_NAME_copyfunc)GENERAL_NAME_dup, GENERAL_NAME_free);
    return *to != NULL;
}

static bool copy_parts(struct template *to, const struct template *from)
{
    if (from->subject != NULL && (to->subject = X509_NAME_dup(from->subject)) == NULL)
        return false;
    if (from->constraints != NULL &&
        (to->constraints = ASN1_item_dup(ASN1_ITEM_rptr(NAME_CONSTRAINTS), from->constraints)) == NULL)
        return false;
    sk_ASN1_OBJECT_pop_free(to->more_usages, ASN1_OBJECT_free);
    to->more_usages = sk_ASN1_OBJECT_deep_copy(from->more_usages, (sk_ASN1_OBJECT_copyfunc)OBJ_dup, ASN1_OBJECT_free);
    if (to->more_usages == NULL)
        return false;
    if (from->requester != NULL && EVP_PKEY_up_ref(from->requester) == 1)
        to->requester = from->requester;
    return copy_names(&to->names, from->names) && copy_names(&to->crl_urls, from->crl_urls) &&
           copy_names(&to->ocsp_urls, from->ocsp_urls);
}

static int64_t copy_template(void *object)
{
    struct template *from = object;
    struct template *to = template_make();
    bool good;

    if (to == NULL)
        return TLSSHIM_E_MEMORY;
    pthread_mutex_lock(&from->lock);
    to->has_validity = from->has_validity;
    to->not_before = from->not_before;
    to->not_after = from->not_after;
    to->ca = from->ca;
    to->path_length = from->path_length;
    to->has_usage = from->has_usage;
    to->usage = from->usage;
    memcpy(to->serial, from->serial, sizeof to->serial);
    to->serial_len = from->serial_len;
    to->digest = from->digest;
    to->must_staple = from->must_staple;
    good = copy_parts(to, from);
    pthread_mutex_unlock(&from->lock);
    if (good)
        return template_handle_new(to);
    template_drop(to);
    return TLSSHIM_E_MEMORY;
}

/* --- what follows from the rest --- */

int32_t template_usage(const struct template *tmpl)
{
    if (tmpl->has_usage)
        return tmpl->usage;
    if (tmpl->ca || sk_ASN1_OBJECT_num(tmpl->more_usages) > 0)
        return 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(tmpl->names); i++) {
        int type = sk_GENERAL_NAME_value(tmpl->names, i)->type;

        if (type == GEN_DNS || type == GEN_IPADD)
            return TLSSHIM_USAGE_SERVER;
    }
    return TLSSHIM_USAGE_CLIENT;
}

int32_t template_subject(const struct template *tmpl, X509_NAME **subject)
{
    struct buffer text = {0};
    X509_NAME *name;
    bool good;

    if (tmpl->subject != NULL) {
        *subject = X509_NAME_dup(tmpl->subject);
        return *subject == NULL ? TLSSHIM_E_MEMORY : TLSSHIM_OK;
    }
    if (sk_GENERAL_NAME_num(tmpl->names) == 0)
        return error_new(TLSSHIM_E_ARGUMENT, "the template has neither a subject nor names: set one of them");
    name = X509_NAME_new();
    general_name_value(sk_GENERAL_NAME_value(tmpl->names, 0), &text);
    good = name != NULL && !text.failed;
    /* A common name has at most 64 characters; longer names are told by the alternative names alone. */
    if (good && text.len <= COMMON_NAME_MOST)
        good = X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, text.data, (int)text.len, -1, 0) == 1;
    buffer_free(&text);
    if (!good) {
        X509_NAME_free(name);
        return TLSSHIM_E_MEMORY;
    }
    *subject = name;
    return TLSSHIM_OK;
}

int64_t tlsshim_template_new(void)
{
    struct visit visit;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = template_handle_new(template_make());
    visit_leave(&visit);
    return result;
}
