#include "chain.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "dn.h"

static int32_t keep(STACK_OF(X509) * certs, X509 *cert, const char *label)
{
    /* Takes the certificate over unless it is there already. */
    if (X509_add_cert(certs, cert, X509_ADD_FLAG_NO_DUP) != 1) {
        X509_free(cert);
        return TLSSHIM_E_MEMORY;
    }
    if (sk_X509_num(certs) > CHAIN_MOST)
        return error_new(TLSSHIM_E_LIMIT, "%s holds more than %d certificates: that is no chain; trust takes such sets",
                         label, CHAIN_MOST);
    return TLSSHIM_OK;
}

static int32_t add_one(STACK_OF(X509) * certs, struct bytes der, bool trusted, const char *label, int number)
{
    X509 *cert = NULL;
    int before = sk_X509_num(certs);
    int32_t result = der_certificate(der, trusted, label, number, &cert);

    if (result < 0)
        return result;
    result = keep(certs, cert, label);
    if (result == TLSSHIM_OK && sk_X509_num(certs) == before)
        X509_free(cert);
    return result;
}

static int32_t read_pem(struct source *source, STACK_OF(X509) * certs)
{
    struct pem_reader reader;
    struct pem_block block;
    int seen = 0;
    int32_t more = 0;
    int32_t result = pem_start(&reader, source);

    while (result == TLSSHIM_OK && (more = pem_next(&reader, &block)) > 0) {
        if (pem_is_certificate(&block))
            result = add_one(certs, (struct bytes){block.data, (size_t)block.len},
                             pem_is(&block, "TRUSTED CERTIFICATE"), source->label, ++seen);
        pem_block_end(&block);
    }
    if (result == TLSSHIM_OK && more < 0)
        result = more;
    pem_end(&reader);
    if (result < 0 || seen > 0)
        return result;
    if (reader.number > 0 || source->bytes.len == 0)
        return error_new(TLSSHIM_E_EMPTY, "%s holds no certificate", source->label);
    return error_new(TLSSHIM_E_FORMAT, "%s is neither PEM nor DER", source->label);
}

int32_t chain_from_source(struct source *source, STACK_OF(X509) * *certs)
{
    STACK_OF(X509) *read = sk_X509_new_null();
    int32_t result;

    if (read == NULL)
        return TLSSHIM_E_MEMORY;
    if (der_shaped(source->bytes))
        result = add_one(read, source->bytes, false, source->label, 1);
    else
        result = read_pem(source, read);
    if (result == TLSSHIM_OK)
        result = chain_order(read, false, source->label);
    if (result < 0) {
        sk_X509_pop_free(read, X509_free);
        return result;
    }
    *certs = read;
    return TLSSHIM_OK;
}

/* Issued by name and key identifier; whether the issuer was allowed to is for the judgement. */
static bool issued(X509 *issuer, X509 *subject)
{
    int code;

    if (issuer == subject)
        return false;
    code = X509_check_issued(issuer, subject);
    return code == X509_V_OK || code == X509_V_ERR_KEYUSAGE_NO_CERTSIGN ||
           code == X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH;
}

/* The first that issued none of the others; the first of all if they issued each other in a ring. */
static int find_leaf(STACK_OF(X509) * certs)
{
    int count = sk_X509_num(certs);

    for (int i = 0; i < count; i++) {
        bool issuer = false;

        for (int j = 0; j < count && !issuer; j++)
            issuer = issued(sk_X509_value(certs, i), sk_X509_value(certs, j));
        if (!issuer)
            return i;
    }
    return 0;
}

static int32_t out_of_place(STACK_OF(X509) * certs, int place, const char *label)
{
    X509 *odd = sk_X509_value(certs, place);
    struct error_detail detail = error_detail_none();
    char leaf[ERROR_NAME_CAP];

    dn_copy(X509_get_subject_name(sk_X509_value(certs, 0)), leaf, sizeof leaf);
    dn_copy(X509_get_subject_name(odd), detail.subject, sizeof detail.subject);
    dn_copy(X509_get_issuer_name(odd), detail.issuer, sizeof detail.issuer);
    detail.side = TLSSHIM_SIDE_LOCAL;
    error_say(&detail,
              "%s: the certificate %.160s has no place in the chain of %.160s: it issued none of it; take it out",
              label, detail.subject, leaf);
    return error_publish(TLSSHIM_E_MISMATCH, &detail);
}

int32_t chain_order(STACK_OF(X509) * certs, bool leaf_is_first, const char *label)
{
    int count = sk_X509_num(certs);
    int placed = 1;

    if (count < 2)
        return TLSSHIM_OK;
    if (!leaf_is_first) {
        int leaf = find_leaf(certs);

        sk_X509_unshift(certs, sk_X509_delete(certs, leaf));
    }
    /* Behind each certificate in turn come those that issued it: cross-certificates stand beside each other. */
    for (int at = 0; at < placed; at++)
        for (int i = placed; i < count; i++)
            if (issued(sk_X509_value(certs, i), sk_X509_value(certs, at))) {
                sk_X509_insert(certs, sk_X509_delete(certs, i), placed);
                placed++;
            }
    error_forget_backend();
    return placed < count ? out_of_place(certs, placed, label) : TLSSHIM_OK;
}
