#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { HOUR = 3600, DEFAULT_DAYS = 397 };

char *job_passphrase(struct args *args, const char *option)
{
    const char *file = args_value(args, option);
    char *line = file == NULL ? NULL : read_line(file);

    if (line != NULL && line[0] == 0)
        fail("%s: its first line is empty: it should be the passphrase", file);
    return line == NULL ? strdup("") : line;
}

int64_t job_load(const char *base, const char *passphrase)
{
    char *cert_path = with_ending(base, ".pem");
    char *key_path = with_ending(base, ".key");
    int64_t cert = good(tlsshim_cert_load_file(str(cert_path)), NULL);
    int64_t key = good(tlsshim_key_load_file(str(key_path), str(passphrase)), NULL);
    int64_t identity = good(tlsshim_identity_new(cert, key), key_path);

    tlsshim_close(cert);
    tlsshim_close(key);
    free(cert_path);
    free(key_path);
    return identity;
}

void job_key(struct job *job, struct args *args)
{
    const char *file = args_value(args, "--key");
    const char *type = args_value(args, "--key-type");

    if (file != NULL && type != NULL)
        misuse("--key and --key-type exclude each other");
    job->key_is_new = file == NULL;
    if (file != NULL)
        job->key = good(tlsshim_key_load_file(str(file), str(job->passphrase)), NULL);
    else
        job->key = good(tlsshim_key_generate(str(type == NULL ? "P-256" : type)), "--key-type");
}

int32_t job_number(const char *text, const char *option)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (*text == 0 || *end != 0 || n < 0 || n > 1000000)
        misuse("%s wants a number, not \"%s\"", option, text);
    return (int32_t)n;
}

void job_validity(struct job *job, struct args *args)
{
    const char *from_text = args_value(args, "--from");
    const char *until_text = args_value(args, "--until");
    const char *days_text = args_value(args, "--days");
    int64_t now = (int64_t)time(NULL);
    int64_t from = from_text == NULL ? now - HOUR : moment(from_text);
    int64_t until;

    if (until_text != NULL && days_text != NULL)
        misuse("--days and --until exclude each other");
    if (from_text == NULL && until_text == NULL && days_text == NULL)
        return;
    if (until_text != NULL)
        until = moment(until_text);
    else
        until = from + (int64_t)(days_text == NULL ? DEFAULT_DAYS : job_number(days_text, "--days")) * DAY - 1;
    good(tlsshim_template_set_validity(job->tmpl, from, until), "--from and --until");
}

void job_settings(struct job *job, struct args *args)
{
    const char *text;
    const char *crl = args_value(args, "--crl");
    const char *ocsp = args_value(args, "--ocsp");

    if ((text = args_value(args, "--subject")) != NULL)
        good(tlsshim_template_set_subject(job->tmpl, str(text)), "--subject");
    if ((text = args_value(args, "--usage")) != NULL)
        good(tlsshim_template_set_usage(job->tmpl, usage_mask(text)), "--usage");
    if ((text = args_value(args, "--digest")) != NULL)
        good(tlsshim_template_set_digest(job->tmpl, str(text)), "--digest");
    if (args_flag(args, "--must-staple"))
        good(tlsshim_template_set_must_staple(job->tmpl, 1), "--must-staple");
    if (crl != NULL || ocsp != NULL)
        good(tlsshim_template_set_urls(job->tmpl, str(crl == NULL ? "" : crl), str(ocsp == NULL ? "" : ocsp)),
             "--crl and --ocsp");
}

void job_names(struct job *job, struct args *args, bool wanted)
{
    const char *name = args_word(args);

    if (name == NULL && wanted)
        misuse("cert %s wants at least one name", job->command);
    for (; name != NULL; name = args_word(args)) {
        if (job->out == NULL)
            job->out = name;
        good(tlsshim_template_add_name(job->tmpl, str(name)), NULL);
    }
}

/* Everything that more than one of the commands knows. */
struct job job_start(struct args *args, const char *command)
{
    struct job job = {.command = command};
    const char *ca = args_value(args, "--ca");
    char *ca_passphrase = job_passphrase(args, "--ca-passphrase-file");

    job.out = args_value(args, "--out");
    job.force = args_flag(args, "--force");
    job.passphrase = job_passphrase(args, "--passphrase-file");
    job.tmpl = good(tlsshim_template_new(), NULL);
    if (ca != NULL)
        job.ca = job_load(ca, ca_passphrase);
    free(ca_passphrase);
    return job;
}

void job_needs_ca(const struct job *job)
{
    if (job->ca == 0)
        misuse("cert %s wants an issuer: --ca BASE", job->command);
}

void job_has_no_ca(const struct job *job)
{
    if (job->ca != 0)
        misuse("cert %s has no issuer: leave --ca out", job->command);
}

/* Paths that may be written: whoever gave no --out and a name such as "*.a.test" gets a file of a plainer name. */
char *job_base(const struct job *job)
{
    char *base = strdup(job->out == NULL ? "ca" : job->out);

    for (char *c = base; *c != 0; c++)
        if (*c == '*')
            *c = '_';
    return base;
}

void job_write_key(const struct job *job, const char *base)
{
    char *path = with_ending(base, ".key");
    struct data data;

    data_of(&data, path, tlsshim_key_export, job->key, TLSSHIM_FORMAT_PEM, str(job->passphrase));
    write_file(path, &data, true, job->force);
    printf("%s: private key%s\n", path, job->passphrase[0] != 0 ? ", encrypted with the passphrase" : "");
    data_end(&data);
    free(path);
}

static void write_cert(const struct job *job, const char *base, int64_t cert)
{
    char *path = with_ending(base, ".pem");
    char *subject = cert_field(cert, TLSSHIM_CERT_SUBJECT);
    char *until = cert_field(cert, TLSSHIM_CERT_NOT_AFTER);
    struct data data;

    data_of(&data, path, tlsshim_cert_export, cert, TLSSHIM_FORMAT_PEM);
    write_file(path, &data, false, job->force);
    printf("%s: certificate %s, valid until %s\n", path, subject, until);
    data_end(&data);
    free(until);
    free(subject);
    free(path);
}

int job_finish(struct job *job, int64_t cert)
{
    char *base = job_base(job);

    /* The key first: a certificate without its key is of no use. */
    if (job->key_is_new)
        job_write_key(job, base);
    write_cert(job, base, cert);
    free(base);
    tlsshim_close(cert);
    return EXIT_GOOD;
}
