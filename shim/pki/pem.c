#include "pem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/backend.h"
#include "../base/error.h"

void source_of(struct source *source, struct bytes bytes)
{
    memset(source, 0, sizeof *source);
    source->bytes = bytes;
    source->label = "the data";
}

static int32_t read_all(int fd, struct source *source, size_t limit)
{
    uint8_t chunk[16384];
    int32_t result = TLSSHIM_OK;

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);

        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            result = error_system(errno, "%s cannot be read", source->label);
            break;
        }
        if (source->held.len + (size_t)n > limit) {
            result = error_new(TLSSHIM_E_LIMIT, "%s is larger than %zu bytes", source->label, limit);
            break;
        }
        buffer_add(&source->held, chunk, (size_t)n);
        if (source->held.failed) {
            result = TLSSHIM_E_MEMORY;
            break;
        }
    }
    bytes_wipe(chunk, sizeof chunk);
    return result;
}

static void label_with_path(struct source *source, struct bytes path)
{
    struct buffer text = {0};
    size_t len;

    buffer_escaped(&text, path.data, path.len, sizeof source->path - 1);
    len = text.failed || text.len >= sizeof source->path ? 0 : text.len;
    if (len > 0)
        memcpy(source->path, text.data, len);
    source->path[len] = 0;
    source->label = len > 0 ? source->path : "the file";
    buffer_free(&text);
}

int32_t source_file(struct source *source, struct bytes path, size_t limit)
{
    char *name = bytes_dup_text(path);
    struct stat stat;
    int32_t result;
    int fd;

    memset(source, 0, sizeof *source);
    if (name == NULL)
        return TLSSHIM_E_MEMORY;
    label_with_path(source, path);
    do
        fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        result = error_system(errno, "%s cannot be opened", source->label);
    else if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && (uint64_t)stat.st_size > limit)
        result = error_new(TLSSHIM_E_LIMIT, "%s is larger than %zu bytes", source->label, limit);
    else
        result = read_all(fd, source, limit);
    if (fd >= 0)
        close(fd);
    free(name);
    if (result == TLSSHIM_OK)
        source->bytes =
            (struct bytes){source->held.len > 0 ? source->held.data : (const uint8_t *)"", source->held.len};
    else
        source_end(source);
    return result;
}

void source_end(struct source *source)
{
    buffer_free(&source->held);
    source->held = (struct buffer){0};
}

bool der_shaped(struct bytes bytes)
{
    const unsigned char *at = bytes.data;
    long len = 0;
    int tag = 0;
    int class = 0;
    int kind;

    if (bytes.len < 2 || bytes.data[0] != 0x30)
        return false;
    kind = ASN1_get_object(&at, &len, &tag, &class, (long)bytes.len);
    error_forget_backend();
    if ((kind & 0x80) == 0)
        return tag == V_ASN1_SEQUENCE;
    /* Cut off: DER still if a long length follows, where text would have gone on in letters. */
    return bytes.data[1] >= 0x80;
}

int32_t pem_start(struct pem_reader *reader, struct source *source)
{
    reader->source = source;
    reader->number = 0;
    reader->bio = BIO_new_mem_buf(source->bytes.data, (int)source->bytes.len);
    return reader->bio == NULL ? TLSSHIM_E_MEMORY : TLSSHIM_OK;
}

/* The line up to which the reader has come. */
static int line_reached(const struct pem_reader *reader)
{
    size_t left = BIO_ctrl_pending(reader->bio);
    size_t end = reader->source->bytes.len - left;
    int line = 1;

    for (size_t i = 0; i + 1 < end; i++)
        line += reader->source->bytes.data[i] == '\n';
    return line;
}

int32_t pem_next(struct pem_reader *reader, struct pem_block *block)
{
    memset(block, 0, sizeof *block);
    if (PEM_read_bio_ex(reader->bio, &block->name, &block->header, &block->data, &block->len, 0) == 1) {
        block->number = ++reader->number;
        return 1;
    }
    if (ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_PEM &&
        ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
        error_forget_backend();
        return 0;
    }
    return error_backend(TLSSHIM_E_FORMAT, "%s: the PEM block that ends near line %d is damaged", reader->source->label,
                         line_reached(reader));
}

void pem_block_end(struct pem_block *block)
{
    OPENSSL_free(block->name);
    OPENSSL_free(block->header);
    OPENSSL_clear_free(block->data, (size_t)block->len);
    memset(block, 0, sizeof *block);
}

void pem_end(struct pem_reader *reader)
{
    BIO_free(reader->bio);
    reader->bio = NULL;
}

bool pem_is(const struct pem_block *block, const char *name)
{
    return strcmp(block->name, name) == 0;
}

bool pem_is_certificate(const struct pem_block *block)
{
    return pem_is(block, PEM_STRING_X509) || pem_is(block, PEM_STRING_X509_OLD) ||
           pem_is(block, PEM_STRING_X509_TRUSTED);
}

static int32_t refused(const char *what, const char *label, int number, size_t rest)
{
    if (rest > 0)
        return error_new(TLSSHIM_E_FORMAT, "%s: %zu bytes follow %s %d", label, rest, what, number);
    return error_backend(TLSSHIM_E_FORMAT, "%s: %s %d cannot be read", label, what, number);
}

static X509 *certificate_in(OSSL_LIB_CTX *context, struct bytes der, bool trusted, const unsigned char **end)
{
    X509 *made = X509_new_ex(context, NULL);

    *end = der.data;
    if (made == NULL)
        return NULL;
    if ((trusted ? d2i_X509_AUX(&made, end, (long)der.len) : d2i_X509(&made, end, (long)der.len)) != NULL)
        return made;
    X509_free(made);
    return NULL;
}

/* Again where every kind of key can be read, if this one could not. */
static void certificate_again(struct bytes der, bool trusted, X509 **cert)
{
    const unsigned char *end;
    X509 *again;

    if (X509_get0_pubkey(*cert) != NULL)
        return;
    again = certificate_in(backend_whole(), der, trusted, &end);
    if (again != NULL) {
        X509_free(*cert);
        *cert = again;
    }
    error_forget_backend();
}

int32_t der_certificate(struct bytes der, bool trusted, const char *label, int number, X509 **cert)
{
    const unsigned char *end;
    X509 *made = certificate_in(backend_context(), der, trusted, &end);

    if (made == NULL)
        return refused("certificate", label, number, 0);
    if ((size_t)(end - der.data) != der.len) {
        X509_free(made);
        return refused("certificate", label, number, der.len - (size_t)(end - der.data));
    }
    certificate_again(der, trusted, &made);
    *cert = made;
    return TLSSHIM_OK;
}

int32_t der_crl(struct bytes der, const char *label, int number, X509_CRL **crl)
{
    const unsigned char *at = der.data;
    X509_CRL *made = X509_CRL_new_ex(backend_context(), NULL);

    if (made == NULL)
        return TLSSHIM_E_MEMORY;
    if (d2i_X509_CRL(&made, &at, (long)der.len) == NULL) {
        X509_CRL_free(made);
        return refused("CRL", label, number, 0);
    }
    if ((size_t)(at - der.data) != der.len) {
        X509_CRL_free(made);
        return refused("CRL", label, number, der.len - (size_t)(at - der.data));
    }
    *crl = made;
    return TLSSHIM_OK;
}

enum { PEM_LINE = 64 };

void pem_write(struct buffer *out, const char *name, struct bytes der)
{
    unsigned char line[PEM_LINE + 4];

    buffer_format(out, "-----BEGIN %s-----\n", name);
    for (size_t at = 0; at < der.len; at += PEM_LINE / 4 * 3) {
        size_t n = der.len - at < PEM_LINE / 4 * 3 ? der.len - at : PEM_LINE / 4 * 3;
        int written = EVP_EncodeBlock(line, der.data + at, (int)n);

        buffer_add(out, line, (size_t)written);
        buffer_text(out, "\n");
    }
    buffer_format(out, "-----END %s-----\n", name);
    bytes_wipe(line, sizeof line);
}

size_t pem_length(const char *name, size_t der_len)
{
    size_t groups = (der_len + 2) / 3;
    size_t lines = (groups * 4 + PEM_LINE - 1) / PEM_LINE;

    return 2 * strlen(name) + strlen("-----BEGIN -----\n-----END -----\n") + groups * 4 + lines;
}
