/* Certificate requests: made of templates, and read into them. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "cert_fields.h"
#include "dn.h"
#include "extension.h"
#include "general_name.h"
#include "name.h"
#include "pem.h"
#include "template.h"
#include "usage.h"

enum { SIGNATURE_OVERHEAD = 64 };

/* --- made --- */

static bool add_wishes(const struct template *tmpl, X509_REQ *request, bool no_subject)
{
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    bool good = extensions != NULL && extension_names(&extensions, tmpl->names, no_subject) &&
                extension_usages(&extensions, template_usage(tmpl), tmpl->more_usages) &&
                (!tmpl->must_staple || extension_must_staple(&extensions));

    if (good && sk_X509_EXTENSION_num(extensions) > 0)
        good = X509_REQ_add_extensions(request, extensions) == 1;
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return good;
}

static int32_t fill(const struct template *tmpl, EVP_PKEY *pkey, X509_REQ **made)
{
    X509_NAME *subject = NULL;
    X509_REQ *request;
    int32_t result = template_subject(tmpl, &subject);

    if (result < 0)
        return result;
    request = X509_REQ_new_ex(backend_context(), NULL);
    if (request == NULL || X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_subject_name(request, subject) != 1 || X509_REQ_set_pubkey(request, pkey) != 1 ||
        !add_wishes(tmpl, request, X509_NAME_entry_count(subject) == 0)) {
        result = error_backend(TLSSHIM_E_INTERNAL, "the request cannot be made");
        X509_REQ_free(request);
        request = NULL;
    }
    X509_NAME_free(subject);
    *made = request;
    return result;
}

static int32_t sign(const struct template *tmpl, X509_REQ *request, EVP_PKEY *pkey, bool pem, void *csr, int32_t cap)
{
    const EVP_MD *md = key_default_digest(pkey);
    struct buffer out = {0};
    unsigned char *der = NULL;
    int len;

    if (tmpl->digest != NULL && md == NULL)
        return error_new(TLSSHIM_E_ARGUMENT, "the key has its own digest: set none in the template");
    if (tmpl->digest != NULL)
        md = EVP_get_digestbyname(tmpl->digest);
    if (X509_REQ_sign(request, pkey, md) <= 0)
        return error_backend(TLSSHIM_E_MISMATCH, "the key cannot sign requests");
    len = i2d_X509_REQ(request, &der);
    if (len <= 0)
        return TLSSHIM_E_MEMORY;
    if (pem)
        pem_write(&out, PEM_STRING_X509_REQ, (struct bytes){der, (size_t)len});
    else
        buffer_add(&out, der, (size_t)len);
    OPENSSL_free(der);
    return buffer_out(&out, csr, cap);
}

static int32_t make_request(const struct template *tmpl, struct key *key, int32_t format, void *csr, int32_t cap)
{
    X509_REQ *request = NULL;
    size_t bound;
    int len;
    int32_t result = key_needs_private(key);

    if (result == TLSSHIM_OK)
        result = fill(tmpl, key->pkey, &request);
    if (result < 0)
        return result;
    len = i2d_re_X509_REQ_tbs(request, NULL);
    bound = (size_t)(len > 0 ? len : 0) + (size_t)EVP_PKEY_get_size(key->pkey) + SIGNATURE_OVERHEAD;
    if (format == TLSSHIM_FORMAT_PEM)
        bound = pem_length(PEM_STRING_X509_REQ, bound);
    if ((size_t)cap < bound)
        result = (int32_t)bound;
    else
        result = sign(tmpl, request, key->pkey, format == TLSSHIM_FORMAT_PEM, csr, cap);
    X509_REQ_free(request);
    return result;
}

static int32_t template_request(struct template *tmpl, struct key *key, int32_t format, void *csr, int32_t cap)
{
    int32_t result;

    if (format != TLSSHIM_FORMAT_PEM && format != TLSSHIM_FORMAT_DER)
        return error_new(TLSSHIM_E_ARGUMENT, "format is neither PEM nor DER");
    if (cap < 0 || (cap > 0 && csr == NULL))
        return error_new(TLSSHIM_E_ARGUMENT, "csr has a negative capacity, or no address");
    pthread_mutex_lock(&tmpl->lock);
    result = make_request(tmpl, key, format, csr, cap);
    pthread_mutex_unlock(&tmpl->lock);
    return result;
}

int32_t tlsshim_template_request(int64_t tmpl, int64_t key, int32_t format, void *csr, int32_t csr_cap)
{
    struct visit visit;
    struct template *t;
    struct key *k;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = template_pin(tmpl, &t);
    if (result == TLSSHIM_OK) {
        result = key_pin(key, &k);
        if (result == TLSSHIM_OK) {
            result = template_request(t, k, format, csr, csr_cap);
            handle_unpin(key);
        }
        handle_unpin(tmpl);
    }
    visit_leave(&visit);
    return result;
}

/* --- read --- */

static int32_t from_der(struct bytes der, X509_REQ **request)
{
    const unsigned char *at = der.data;
    /* Whatever its key: one request is read at a time. */
    X509_REQ *made = X509_REQ_new_ex(backend_whole(), NULL);

    if (made == NULL)
        return TLSSHIM_E_MEMORY;
    if (d2i_X509_REQ(&made, &at, (long)der.len) == NULL) {
        X509_REQ_free(made);
        return error_backend(TLSSHIM_E_FORMAT, "the request cannot be read");
    }
    if ((size_t)(at - der.data) != der.len) {
        X509_REQ_free(made);
        return error_new(TLSSHIM_E_FORMAT, "%zu bytes follow the request", der.len - (size_t)(at - der.data));
    }
    *request = made;
    return TLSSHIM_OK;
}

static int32_t from_pem(struct source *source, X509_REQ **request)
{
    struct pem_reader reader;
    struct pem_block block;
    bool found = false;
    int32_t more = 0;
    int32_t result = pem_start(&reader, source);

    while (result == TLSSHIM_OK && !found && (more = pem_next(&reader, &block)) > 0) {
        found = pem_is(&block, PEM_STRING_X509_REQ) || pem_is(&block, PEM_STRING_X509_REQ_OLD);
        if (found)
            result = from_der((struct bytes){block.data, (size_t)block.len}, request);
        pem_block_end(&block);
    }
    pem_end(&reader);
    if (result < 0 || found)
        return result;
    if (more < 0)
        return more;
    if (reader.number > 0 || source->bytes.len == 0)
        return error_new(TLSSHIM_E_EMPTY, "%s holds no certificate request", source->label);
    return error_new(TLSSHIM_E_FORMAT, "%s is neither PEM nor DER", source->label);
}

static int32_t read_request(struct bytes csr, X509_REQ **request)
{
    struct source source;

    if (der_shaped(csr))
        return from_der(csr, request);
    source_of(&source, csr);
    return from_pem(&source, request);
}

/* A name as somebody else wrote it goes into a certificate only if it would as one of ours. */
static int32_t take_name(struct template *tmpl, const GENERAL_NAME *name)
{
    struct buffer text = {0};
    GENERAL_NAME *taken = NULL;
    struct error_detail detail = error_detail_none();
    int32_t result;

    if (name->type != GEN_DNS && name->type != GEN_IPADD && name->type != GEN_EMAIL && name->type != GEN_URI)
        return TLSSHIM_OK;
    buffer_text(&text, general_name_kind(name));
    buffer_text(&text, ":");
    general_name_value(name, &text);
    if (text.failed)
        result = TLSSHIM_E_MEMORY;
    else
        result = text.len > NAME_LIMIT ? TLSSHIM_E_ARGUMENT
                                       : general_name_parse((struct bytes){text.data, text.len}, &taken);
    if (result != TLSSHIM_OK && result != TLSSHIM_E_MEMORY) {
        error_say(&detail, "the request asks for a name that cannot be: %.*s", text.len < 200 ? (int)text.len : 200,
                  (const char *)text.data);
        detail.side = TLSSHIM_SIDE_LOCAL;
        result = error_publish(TLSSHIM_E_FORMAT, &detail);
    } else if (result == TLSSHIM_OK && sk_GENERAL_NAME_push(tmpl->names, taken) == 0) {
        GENERAL_NAME_free(taken);
        result = TLSSHIM_E_MEMORY;
    }
    buffer_free(&text);
    return result;
}

static int32_t take_usages(struct template *tmpl, const STACK_OF(X509_EXTENSION) * extensions)
{
    EXTENDED_KEY_USAGE *usages = X509V3_get_d2i(extensions, NID_ext_key_usage, NULL, NULL);
    int32_t result = TLSSHIM_OK;

    for (int i = 0; result == TLSSHIM_OK && usages != NULL && i < sk_ASN1_OBJECT_num(usages); i++) {
        const ASN1_OBJECT *usage = sk_ASN1_OBJECT_value(usages, i);
        int32_t bit = usage_bit(OBJ_obj2nid(usage));
        ASN1_OBJECT *copy = bit != 0 ? NULL : OBJ_dup(usage);

        tmpl->usage |= bit;
        if (bit == 0 && (copy == NULL || sk_ASN1_OBJECT_push(tmpl->more_usages, copy) == 0)) {
            ASN1_OBJECT_free(copy);
            result = TLSSHIM_E_MEMORY;
        }
    }
    tmpl->has_usage = usages != NULL;
    sk_ASN1_OBJECT_pop_free(usages, ASN1_OBJECT_free);
    return result;
}

static int32_t take_wishes(struct template *tmpl, X509_REQ *request)
{
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    GENERAL_NAMES *names = NULL;
    int32_t result = TLSSHIM_OK;

    if (extensions != NULL) {
        names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
        for (int i = 0; result == TLSSHIM_OK && names != NULL && i < sk_GENERAL_NAME_num(names); i++)
            result = take_name(tmpl, sk_GENERAL_NAME_value(names, i));
        if (result == TLSSHIM_OK)
            result = take_usages(tmpl, extensions);
        tmpl->must_staple = usage_must_staple(extensions);
    }
    error_forget_backend();
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return result;
}

static int32_t take(struct template *tmpl, X509_REQ *request)
{
    X509_NAME *subject = X509_REQ_get_subject_name(request);
    EVP_PKEY *pkey = X509_REQ_get_pubkey(request);

    if (pkey == NULL)
        return error_backend(TLSSHIM_E_FORMAT, "the request's public key is of a kind that is not known, or damaged");
    tmpl->requester = pkey;
    if (X509_REQ_verify_ex(request, pkey, backend_context(), NULL) != 1)
        return error_backend(TLSSHIM_E_MISMATCH,
                             "the request is not signed by the key that it names: whoever sent it may "
                             "not have that key");
    if (X509_NAME_entry_count(subject) > 0 && (tmpl->subject = X509_NAME_dup(subject)) == NULL)
        return TLSSHIM_E_MEMORY;
    return take_wishes(tmpl, request);
}

static int64_t template_from_request(struct bytes csr)
{
    X509_REQ *request = NULL;
    struct template *tmpl;
    int32_t result = read_request(csr, &request);

    if (result < 0)
        return result;
    tmpl = template_make();
    result = tmpl == NULL ? TLSSHIM_E_MEMORY : take(tmpl, request);
    X509_REQ_free(request);
    if (result == TLSSHIM_OK)
        return template_handle_new(tmpl);
    template_drop(tmpl);
    return result;
}

int64_t tlsshim_template_from_request(const void *csr, int32_t csr_len)
{
    struct visit visit;
    struct bytes in;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = bytes_in(csr, csr_len, REQUEST_LIMIT, "csr", &in);
    if (result == TLSSHIM_OK)
        result = template_from_request(in);
    visit_leave(&visit);
    return result;
}

static int32_t request_text(struct bytes csr, void *text, int32_t cap)
{
    X509_REQ *request = NULL;
    struct buffer out = {0};
    BIO *bio;
    int32_t result = read_request(csr, &request);

    if (result < 0)
        return result;
    bio = BIO_new(BIO_s_mem());
    if (bio == NULL)
        result = TLSSHIM_E_MEMORY;
    else if (X509_REQ_print_ex(bio, request, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB, 0) != 1)
        result = error_backend(TLSSHIM_E_FORMAT, "the request cannot be printed");
    else {
        printed_text(bio, &out);
        result = buffer_out(&out, text, cap);
    }
    BIO_free(bio);
    X509_REQ_free(request);
    return result;
}

int32_t tlsshim_request_text(const void *csr, int32_t csr_len, void *text, int32_t text_cap)
{
    struct visit visit;
    struct bytes in;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = bytes_in(csr, csr_len, REQUEST_LIMIT, "csr", &in);
    if (result == TLSSHIM_OK)
        result = request_text(in, text, text_cap);
    visit_leave(&visit);
    return result;
}
