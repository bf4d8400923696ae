/* Filling templates. */
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "dn.h"
#include "general_name.h"
#include "instant.h"
#include "name.h"
#include "template.h"
#include "usage.h"

enum { SUBJECT_LIMIT = 16384, OID_LIMIT = 256, URL_LIMIT = 4096, NAMES_MOST = 10000 };

/* --- with the lock held --- */

static int32_t set_subject(struct template *tmpl, struct bytes text)
{
    X509_NAME *name = NULL;
    int32_t result = text.len == 0 ? TLSSHIM_OK : dn_parse(text, &name);

    if (result < 0)
        return result;
    X509_NAME_free(tmpl->subject);
    tmpl->subject = name;
    return TLSSHIM_OK;
}

static int32_t add_name(struct template *tmpl, struct bytes text)
{
    GENERAL_NAME *name = NULL;
    int32_t result;

    if (sk_GENERAL_NAME_num(tmpl->names) >= NAMES_MOST)
        return error_new(TLSSHIM_E_LIMIT, "the template has %d names already", NAMES_MOST);
    result = general_name_parse(text, &name);
    if (result < 0)
        return result;
    for (int i = 0; i < sk_GENERAL_NAME_num(tmpl->names); i++)
        if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(tmpl->names, i), name) == 0) {
            GENERAL_NAME_free(name);
            return TLSSHIM_OK;
        }
    if (sk_GENERAL_NAME_push(tmpl->names, name) == 0) {
        GENERAL_NAME_free(name);
        return TLSSHIM_E_MEMORY;
    }
    return TLSSHIM_OK;
}

static int32_t add_usage(struct template *tmpl, struct bytes text)
{
    char *oid = bytes_dup_text(text);
    ASN1_OBJECT *object;

    if (oid == NULL)
        return TLSSHIM_E_MEMORY;
    object = OBJ_txt2obj(oid, 1);
    free(oid);
    if (object == NULL)
        return error_backend(TLSSHIM_E_ARGUMENT,
                             "the usage is no object identifier; write it like \"1.3.6.1.5.5.7.3.1\"");
    if (sk_ASN1_OBJECT_push(tmpl->more_usages, object) == 0) {
        ASN1_OBJECT_free(object);
        return TLSSHIM_E_MEMORY;
    }
    return TLSSHIM_OK;
}

static int32_t set_serial(struct template *tmpl, struct bytes serial)
{
    while (serial.len > 0 && serial.data[0] == 0) {
        serial.data++;
        serial.len--;
        if (serial.len == 0)
            return error_new(TLSSHIM_E_ARGUMENT, "the serial number is 0; it must be positive");
    }
    if (serial.len == SERIAL_MOST && serial.data[0] >= 0x80)
        return error_new(TLSSHIM_E_ARGUMENT, "the serial number has more than 159 bits: RFC 5280 allows 20 octets with "
                                             "the sign");
    memcpy(tmpl->serial, serial.data, serial.len);
    tmpl->serial_len = serial.len;
    return TLSSHIM_OK;
}

static int32_t set_digest(struct template *tmpl, struct bytes name)
{
    static const char *const good[] = {"SHA256", "SHA384", "SHA512"};
    static const char *const weak[] = {"MD5", "SHA1", "SHA-1", "MD4", "MD2"};
    char text[16] = "";
    size_t len = 0;

    if (name.len == 0) {
        tmpl->digest = NULL;
        return TLSSHIM_OK;
    }
    for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++)
        if (strlen(weak[i]) == name.len && strncasecmp(weak[i], (const char *)name.data, name.len) == 0)
            return error_new(TLSSHIM_E_WEAK, "signatures with %s are forged easily: use SHA256 or better", weak[i]);
    for (size_t i = 0; i < name.len && len < sizeof text - 1; i++)
        if (name.data[i] != '-')
            text[len++] = (char)name.data[i];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (strcasecmp(good[i], text) == 0 && name.len <= strlen(good[i]) + 1) {
            tmpl->digest = good[i];
            return TLSSHIM_OK;
        }
    return error_new(TLSSHIM_E_ARGUMENT, "no such digest for certificates; there are SHA256, SHA384, SHA512");
}

/* The URLs of a text with spaces between them. */
static int32_t parse_urls(struct bytes text, GENERAL_NAMES **urls)
{
    GENERAL_NAMES *read = GENERAL_NAMES_new();
    int32_t result = read == NULL ? TLSSHIM_E_MEMORY : TLSSHIM_OK;

    for (size_t at = 0, end; result == TLSSHIM_OK && at < text.len; at = end + 1) {
        char url[URL_LIMIT + 8] = "URI:";
        GENERAL_NAME *name = NULL;

        for (end = at; end < text.len && text.data[end] != ' '; end++)
            ;
        if (end == at)
            continue;
        memcpy(url + 4, text.data + at, end - at);
        result = general_name_parse((struct bytes){(uint8_t *)url, end - at + 4}, &name);
        if (result == TLSSHIM_OK && sk_GENERAL_NAME_push(read, name) == 0) {
            GENERAL_NAME_free(name);
            result = TLSSHIM_E_MEMORY;
        }
    }
    if (result < 0)
        GENERAL_NAMES_free(read);
    else
        *urls = read;
    return result;
}

static int32_t set_urls(struct template *tmpl, struct bytes crl, struct bytes ocsp)
{
    GENERAL_NAMES *crls = NULL;
    GENERAL_NAMES *ocsps = NULL;
    int32_t result = parse_urls(crl, &crls);

    if (result == TLSSHIM_OK)
        result = parse_urls(ocsp, &ocsps);
    if (result < 0) {
        GENERAL_NAMES_free(crls);
        return result;
    }
    GENERAL_NAMES_free(tmpl->crl_urls);
    GENERAL_NAMES_free(tmpl->ocsp_urls);
    tmpl->crl_urls = crls;
    tmpl->ocsp_urls = ocsps;
    return TLSSHIM_OK;
}

static int32_t push_subtree(STACK_OF(GENERAL_SUBTREE) * *trees, GENERAL_NAME *name)
{
    GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();

    if (*trees == NULL)
        *trees = sk_GENERAL_SUBTREE_new_null();
    if (tree == NULL || *trees == NULL || sk_GENERAL_SUBTREE_push(*trees, tree) == 0) {
        GENERAL_SUBTREE_free(tree);
        GENERAL_NAME_free(name);
        return TLSSHIM_E_MEMORY;
    }
    GENERAL_NAME_free(tree->base);
    tree->base = name;
    return TLSSHIM_OK;
}

static int32_t add_constraint(struct template *tmpl, int32_t permitted, struct bytes text)
{
    GENERAL_NAME *name = NULL;
    int32_t result = general_name_parse_constraint(text, &name);

    if (result < 0)
        return result;
    if (tmpl->constraints == NULL)
        tmpl->constraints = NAME_CONSTRAINTS_new();
    if (tmpl->constraints == NULL) {
        GENERAL_NAME_free(name);
        return TLSSHIM_E_MEMORY;
    }
    return push_subtree(permitted ? &tmpl->constraints->permittedSubtrees : &tmpl->constraints->excludedSubtrees, name);
}

/* --- public --- */

/* A setter's stay: the visit, the pin and the lock. */
static int32_t enter(struct visit *visit, int64_t handle, struct template **tmpl)
{
    int32_t result = visit_enter(visit);

    if (result < 0)
        return result;
    result = template_pin(handle, tmpl);
    if (result < 0)
        visit_leave(visit);
    else
        pthread_mutex_lock(&(*tmpl)->lock);
    return result;
}

static void leave(struct visit *visit, int64_t handle, struct template *tmpl)
{
    pthread_mutex_unlock(&tmpl->lock);
    handle_unpin(handle);
    visit_leave(visit);
}

int32_t tlsshim_template_set_subject(int64_t tmpl, const void *subject, int32_t subject_len)
{
    struct visit visit;
    struct bytes text;
    struct template *t;
    int32_t result = enter(&visit, tmpl, &t);

    if (result < 0)
        return result;
    result = text_in(subject, subject_len, SUBJECT_LIMIT, "subject", &text);
    if (result == TLSSHIM_OK)
        result = set_subject(t, text);
    leave(&visit, tmpl, t);
    return result;
}

int32_t tlsshim_template_add_name(int64_t tmpl, const void *name, int32_t name_len)
{
    struct visit visit;
    struct bytes text;
    struct template *t;
    int32_t result = enter(&visit, tmpl, &t);

    if (result < 0)
        return result;
    result = text_in(name, name_len, NAME_LIMIT, "name", &text);
    if (result == TLSSHIM_OK)
        result = add_name(t, text);
    leave(&visit, tmpl, t);
    return result;
}

int32_t tlsshim_template_set_validity(int64_t tmpl, int64_t not_before, int64_t not_after)
{
    struct visit visit;
    struct template *t;
    int32_t result = enter(&visit, tmpl, &t);

    if (result < 0)
        return result;
    if (not_before < INSTANT_MIN || not_after > INSTANT_MAX)
        result = error_new(TLSSHIM_E_ARGUMENT, "the validity is outside the years 0 to 9999");
    else if (not_before > not_after)
        result = error_new(TLSSHIM_E_ARGUMENT, "not_before is later than not_after");
    else {
        t->has_validity = true;
        t->not_before = not_before;
        t->not_after = not_after;
    }
    leave(&visit, tmpl, t);
    return result;
}

int32_t tlsshim_template_set_ca(int64_t tmpl, int32_t path_length)
{
    struct visit visit;
    struct template *t;
    int32_t result = enter(&visit, tmpl, &t);

    if (result < 0)
        return result;
    if (path_length < PATH_UNLIMITED)
        result = error_new(TLSSHIM_E_ARGUMENT, "the path length is %d; -1 stands for no limit", path_length);
    else {
        t->ca = true;
        t->path_length = path_length;
    }
    leave(&visit, tmpl, t);
    return result;
}

int32_t tlsshim_template_set_usage(int64_t tmpl, int32_t mask)
{
    struct visit visit;
    struct template *t;
    int32_t result = enter(&visit, tmpl, &t);

    if (result < 0)
        return result;
    if ((mask & ~USAGE_ALL) != 0)
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no usage mask", mask);
    else {
        t->has_usage = true;
        t->usage = mask;
    }
    leave(&visit, tmpl, t);
    return result;
}

int32_t tlsshim_template_add_usage(int64_t tmpl, const void *oid, int32_t oid_len)
{
    struct visit visit;
    struct bytes text;
    struct template *t;
    int32_t result = enter(&visit, tmpl, &t);

    if (result < 0)
        return result;
    result = text_in(oid, oid_len, OID_LIMIT, "oid", &text);
    if (result == TLSSHIM_OK)
        result = add_usage(t, text);
    leave(&visit, tmpl, t);
    return result;
}

int32_t tlsshim_template_set_serial(int64_t tmpl, const void *serial, int32_t serial_len)
{
    struct visit visit;
    struct bytes in;
    struct template *t;
    int32_t result = enter(&visit, tmpl, &t);

    if (result < 0)
        return result;
    result = bytes_in(serial, serial_len, SERIAL_MOST, "serial", &in);
    if (result == TLSSHIM_OK)
        result = set_serial(t, in);
    leave(&visit, tmpl, t);
    return result;
}

int32_t tlsshim_template_set_digest(int64_t tmpl, const void *digest_name, int32_t digest_name_len)
{
    struct visit visit;
    struct bytes name;
    struct template *t;
    int32_t result = enter(&visit, tmpl, &t);

    if (result < 0)
        return result;
    result = text_in(digest_name, digest_name_len, 64, "digest_name", &name);
    if (result == TLSSHIM_OK)
        result = set_digest(t, name);
    leave(&visit, tmpl, t);
    return result;
}

int32_t tlsshim_template_set_must_staple(int64_t tmpl, int32_t on)
{
    struct visit visit;
    struct template *t;
    int32_t result = enter(&visit, tmpl, &t);

    if (result < 0)
        return result;
    if (on != 0 && on != 1)
        result = error_new(TLSSHIM_E_ARGUMENT, "on is %d; it is 0 or 1", on);
    else
        t->must_staple = on == 1;
    leave(&visit, tmpl, t);
    return result;
}

int32_t tlsshim_template_set_urls(int64_t tmpl, const void *crl, int32_t crl_len, const void *ocsp, int32_t ocsp_len)
{
    struct visit visit;
    struct bytes crls;
    struct bytes ocsps;
    struct template *t;
    int32_t result = enter(&visit, tmpl, &t);

    if (result < 0)
        return result;
    result = text_in(crl, crl_len, URL_LIMIT, "crl", &crls);
    if (result == TLSSHIM_OK)
        result = text_in(ocsp, ocsp_len, URL_LIMIT, "ocsp", &ocsps);
    if (result == TLSSHIM_OK)
        result = set_urls(t, crls, ocsps);
    leave(&visit, tmpl, t);
    return result;
}

int32_t tlsshim_template_add_constraint(int64_t tmpl, int32_t permitted, const void *name, int32_t name_len)
{
    struct visit visit;
    struct bytes text;
    struct template *t;
    int32_t result = enter(&visit, tmpl, &t);

    if (result < 0)
        return result;
    result = text_in(name, name_len, NAME_LIMIT, "name", &text);
    if (result == TLSSHIM_OK && permitted != 0 && permitted != 1)
        result = error_new(TLSSHIM_E_ARGUMENT, "permitted is %d; it is 0 or 1", permitted);
    if (result == TLSSHIM_OK)
        result = add_constraint(t, permitted, text);
    leave(&visit, tmpl, t);
    return result;
}
