#include "trust_load.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/place.h"
#include "trust.h"

int32_t harvest_start(struct harvest *harvest)
{
    harvest->anchors = sk_X509_new_null();
    harvest->crls = sk_X509_CRL_new_null();
    if (harvest->anchors != NULL && harvest->crls != NULL)
        return TLSSHIM_OK;
    harvest_end(harvest);
    return TLSSHIM_E_MEMORY;
}

void harvest_end(struct harvest *harvest)
{
    sk_X509_pop_free(harvest->anchors, X509_free);
    sk_X509_CRL_pop_free(harvest->crls, X509_CRL_free);
}

static int32_t add_anchor(struct harvest *harvest, struct bytes der, bool trusted, const char *label, int number)
{
    X509 *cert = NULL;
    int32_t result = der_certificate(der, trusted, label, number, &cert);

    if (result == TLSSHIM_OK && sk_X509_push(harvest->anchors, cert) == 0) {
        X509_free(cert);
        result = TLSSHIM_E_MEMORY;
    }
    return result;
}

static int32_t add_crl(struct harvest *harvest, struct bytes der, const char *label, int number)
{
    X509_CRL *crl = NULL;
    int32_t result = der_crl(der, label, number, &crl);

    if (result == TLSSHIM_OK && sk_X509_CRL_push(harvest->crls, crl) == 0) {
        X509_CRL_free(crl);
        result = TLSSHIM_E_MEMORY;
    }
    return result;
}

static int32_t from_block(struct harvest *harvest, const struct pem_block *block, const char *label, int *certificates,
                          int *crls)
{
    struct bytes der = {block->data, (size_t)block->len};

    if (pem_is_certificate(block))
        return add_anchor(harvest, der, pem_is(block, PEM_STRING_X509_TRUSTED), label, ++*certificates);
    if (pem_is(block, PEM_STRING_X509_CRL))
        return add_crl(harvest, der, label, ++*crls);
    return TLSSHIM_OK;
}

static int32_t from_pem(struct harvest *harvest, struct source *source, bool lenient)
{
    struct pem_reader reader;
    struct pem_block block;
    int certificates = 0;
    int crls = 0;
    int32_t more = 0;
    int32_t result = pem_start(&reader, source);

    while (result == TLSSHIM_OK && (more = pem_next(&reader, &block)) > 0) {
        result = from_block(harvest, &block, source->label, &certificates, &crls);
        if (lenient && result != TLSSHIM_E_MEMORY)
            result = TLSSHIM_OK;
        pem_block_end(&block);
    }
    if (result == TLSSHIM_OK && more < 0 && !lenient)
        result = more;
    pem_end(&reader);
    if (result < 0 || certificates + crls > 0)
        return result;
    if (reader.number > 0 || source->bytes.len == 0)
        return error_new(TLSSHIM_E_EMPTY, "%s holds neither certificates nor CRLs", source->label);
    return error_new(TLSSHIM_E_FORMAT, "%s is neither PEM nor DER", source->label);
}

/* In a CRL the first field is an algorithm or a small version, and then an algorithm before the issuer's name; telling
 * them apart by reading both ways is simpler. */
static int32_t from_der(struct harvest *harvest, struct source *source)
{
    X509_CRL *crl = NULL;
    int32_t result = add_anchor(harvest, source->bytes, false, source->label, 1);
    const unsigned char *at = source->bytes.data;

    if (result == TLSSHIM_OK || result == TLSSHIM_E_MEMORY)
        return result;
    crl = d2i_X509_CRL(NULL, &at, (long)source->bytes.len);
    error_forget_backend();
    if (crl == NULL)
        return result;
    X509_CRL_free(crl);
    return add_crl(harvest, source->bytes, source->label, 1);
}

int32_t harvest_source(struct harvest *harvest, struct source *source, bool lenient)
{
    return der_shaped(source->bytes) ? from_der(harvest, source) : from_pem(harvest, source, lenient);
}

static int32_t harvest_file(struct harvest *harvest, struct bytes path, bool lenient)
{
    struct source source;
    int32_t result = source_file(&source, path, TRUST_LIMIT);

    if (result == TLSSHIM_OK) {
        result = harvest_source(harvest, &source, lenient);
        source_end(&source);
    }
    return result;
}

/* Every regular file of a directory; those that hold nothing for us are passed over. */
static int32_t harvest_folder(struct harvest *harvest, DIR *folder, const char *name)
{
    struct dirent *entry;
    int32_t result = TLSSHIM_OK;

    while (result == TLSSHIM_OK && (entry = readdir(folder)) != NULL) {
        char path[PATH_LIMIT + 1];
        int len = snprintf(path, sizeof path, "%s/%s", name, entry->d_name);
        struct stat stat_of_file;

        if (len < 0 || len > PATH_LIMIT || stat(path, &stat_of_file) != 0 || !S_ISREG(stat_of_file.st_mode))
            continue;
        result = harvest_file(harvest, (struct bytes){(const uint8_t *)path, (size_t)len}, true);
        if (result != TLSSHIM_E_MEMORY)
            result = TLSSHIM_OK;
    }
    return result;
}

int32_t harvest_path(struct harvest *harvest, struct bytes path, bool lenient)
{
    char *name = bytes_dup_text(path);
    DIR *folder = NULL;
    int32_t result;

    if (name == NULL)
        return TLSSHIM_E_MEMORY;
    folder = opendir(name);
    if (folder == NULL && errno == ENOTDIR)
        result = harvest_file(harvest, path, lenient);
    else if (folder == NULL)
        result = error_system(errno, "%s cannot be opened", name);
    else {
        result = harvest_folder(harvest, folder, name);
        closedir(folder);
        if (result == TLSSHIM_OK && sk_X509_num(harvest->anchors) + sk_X509_CRL_num(harvest->crls) == 0)
            result = error_new(TLSSHIM_E_EMPTY, "%s has no file that holds certificates or CRLs", name);
    }
    free(name);
    return result;
}

/* --- the system's --- */

static pthread_mutex_t system_lock = PTHREAD_MUTEX_INITIALIZER;
static struct trust *system_set; /* kept until the process ends */

/* A place may name several directories with colons between. */
static int32_t harvest_folders(struct harvest *harvest, const char *folders)
{
    int32_t result = TLSSHIM_OK;

    while (result == TLSSHIM_OK && *folders != 0) {
        size_t len = strcspn(folders, ":");

        if (len > 0)
            result = harvest_path(harvest, (struct bytes){(const uint8_t *)folders, len}, true);
        if (result != TLSSHIM_E_MEMORY)
            result = TLSSHIM_OK;
        folders += len + (folders[len] == ':');
    }
    return result;
}

static int32_t no_system_anchors(const struct place_of_anchors *place)
{
    if (place->file[0] == 0 && place->folder[0] == 0)
        return error_new(TLSSHIM_E_EMPTY,
                         "this system has no trust anchors where they usually are: install its package of "
                         "CA certificates, or set SSL_CERT_FILE");
    return error_new(TLSSHIM_E_EMPTY, "there are no trust anchors in %.200s%s%.200s", place->file,
                     place->file[0] != 0 && place->folder[0] != 0 ? " and " : "", place->folder);
}

static int32_t read_system(struct trust **trust)
{
    struct place_of_anchors place;
    struct harvest harvest;
    struct trust *made = NULL;
    int32_t result;

    place_of_anchors(&place);
    result = harvest_start(&harvest);
    if (result < 0)
        return result;
    if (place.file[0] != 0)
        result = harvest_path(&harvest, (struct bytes){(const uint8_t *)place.file, strlen(place.file)}, true);
    if (result != TLSSHIM_E_MEMORY)
        result = harvest_folders(&harvest, place.folder);
    if (result == TLSSHIM_OK && sk_X509_num(harvest.anchors) == 0)
        result = no_system_anchors(&place);
    if (result == TLSSHIM_OK) {
        made = trust_make();
        result = made == NULL ? TLSSHIM_E_MEMORY : trust_merge(made, harvest.anchors, harvest.crls);
    }
    harvest_end(&harvest);
    if (result < 0) {
        trust_drop(made);
        return result;
    }
    trust_freeze(made);
    *trust = made;
    return TLSSHIM_OK;
}

int32_t trust_system(struct trust **trust)
{
    int32_t result = TLSSHIM_OK;

    pthread_mutex_lock(&system_lock);
    if (system_set == NULL)
        result = read_system(&system_set);
    if (result == TLSSHIM_OK)
        *trust = trust_ref(system_set);
    pthread_mutex_unlock(&system_lock);
    return result;
}
