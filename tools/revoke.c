/* tlsshim cert crl, ocsp and pkcs12. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "job.h"

enum { LIST_DAYS = 7 };

struct span {
    int64_t from;
    int64_t until;
};

static struct span span_of(struct args *args)
{
    const char *from = args_value(args, "--from");
    const char *until = args_value(args, "--until");
    const char *days = args_value(args, "--days");
    struct span span;

    if (until != NULL && days != NULL)
        misuse("--days and --until exclude each other");
    span.from = from == NULL ? (int64_t)time(NULL) : moment(from);
    span.until = until != NULL ? moment(until)
                               : span.from + (int64_t)(days == NULL ? LIST_DAYS : job_number(days, "--days")) * DAY;
    return span;
}

/* A text that grows by lines. */
static void add_line(struct data *text, const char *first, const char *second)
{
    size_t len = strlen(first) + strlen(second) + 2;
    char *grown = realloc(text->bytes, (size_t)text->len + len + 1);

    if (grown == NULL)
        fail("out of memory");
    text->bytes = grown;
    text->len += snprintf(grown + text->len, len + 1, "%s %s\n", first, second);
}

static void add_revoked(struct data *entries, const char *told)
{
    char *path = strdup(told);
    char *comma = strrchr(path, ',');
    const char *reason = "";
    char *serial;
    int64_t cert;

    if (comma != NULL) {
        *comma = 0;
        reason = comma + 1;
    }
    cert = good(tlsshim_cert_load_file(str(path)), NULL);
    serial = cert_field(cert, TLSSHIM_CERT_SERIAL);
    add_line(entries, serial, reason);
    free(serial);
    free(path);
    tlsshim_close(cert);
}

int run_crl(struct args *args)
{
    struct job job = job_start(args, "crl");
    struct span span = span_of(args);
    struct data entries = {NULL, 0};
    struct data crl;
    const char *text;
    char *base;
    char *path;

    job_needs_ca(&job);
    if ((text = args_value(args, "--number")) != NULL)
        add_line(&entries, "number", text);
    while ((text = args_value(args, "--entry")) != NULL)
        add_line(&entries, text, "");
    while ((text = args_value(args, "--revoke")) != NULL)
        add_revoked(&entries, text);
    args_end(args, "cert crl");
    base = job_base(&job);
    path = with_ending(base, ".crl");
    data_of(&crl, path, tlsshim_crl_issue, job.ca, entries.bytes, entries.len, span.from, span.until,
            TLSSHIM_FORMAT_PEM);
    write_file(path, &crl, false, job.force);
    printf("%s: list of revoked certificates\n", path);
    data_end(&crl);
    free(entries.bytes);
    free(path);
    free(base);
    return EXIT_GOOD;
}

static int32_t status_of(const char *text)
{
    static const char *const names[] = {"good", "revoked", "unknown"};

    for (int32_t i = 0; i < 3; i++)
        if (text != NULL && strcmp(text, names[i]) == 0)
            return TLSSHIM_OCSP_GOOD + i;
    if (text != NULL)
        misuse("--status is good, revoked or unknown, not \"%s\"", text);
    return TLSSHIM_OCSP_GOOD;
}

int run_ocsp(struct args *args)
{
    struct job job = job_start(args, "ocsp");
    struct span span = span_of(args);
    int32_t status = status_of(args_value(args, "--status"));
    const char *revoked_at = args_value(args, "--revoked-at");
    const char *file;
    struct data answer;
    int64_t cert;
    char *base;
    char *path;

    job_needs_ca(&job);
    file = args_word(args);
    if (file == NULL)
        misuse("cert ocsp wants the file of a certificate");
    args_end(args, "cert ocsp");
    cert = good(tlsshim_cert_load_file(str(file)), NULL);
    base = job.out == NULL ? without_ending(file) : job_base(&job);
    path = with_ending(base, ".ocsp");
    data_of(&answer, file, tlsshim_ocsp_issue, cert, job.ca, status,
            revoked_at == NULL ? span.from : moment(revoked_at), span.from, span.until);
    write_file(path, &answer, false, job.force);
    printf("%s: OCSP answer\n", path);
    data_end(&answer);
    free(path);
    free(base);
    tlsshim_close(cert);
    return EXIT_GOOD;
}

int run_pkcs12(struct args *args)
{
    struct job job = job_start(args, "pkcs12");
    char *key_passphrase = job_passphrase(args, "--key-passphrase-file");
    const char *name = args_value(args, "--name");
    const char *from = args_word(args);
    struct data file;
    int64_t identity;
    char *base;
    char *path;

    if (from == NULL)
        misuse("cert pkcs12 wants BASE, of BASE.pem and BASE.key");
    if (job.passphrase[0] == 0)
        misuse("cert pkcs12 seals with a passphrase: --passphrase-file F");
    args_end(args, "cert pkcs12");
    identity = job_load(from, key_passphrase);
    base = job.out == NULL ? strdup(from) : job_base(&job);
    path = with_ending(base, ".p12");
    data_of(&file, path, tlsshim_identity_export_pkcs12, identity, str(job.passphrase), str(name == NULL ? "" : name));
    write_file(path, &file, true, job.force);
    printf("%s: PKCS#12, encrypted with the passphrase\n", path);
    data_end(&file);
    free(path);
    free(base);
    free(key_passphrase);
    tlsshim_close(identity);
    return EXIT_GOOD;
}
