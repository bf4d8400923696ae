/* tlsshim cert: keys, certificates and requests. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tool.h"

static const char help[] =
    "tlsshim cert self-signed NAME... [options]       a certificate for these hosts or addresses, signed by itself\n"
    "tlsshim cert ca [--subject DN] [options]         a root CA; with --ca, an intermediate one\n"
    "tlsshim cert leaf --ca BASE NAME... [options]    a certificate for these names, issued by a CA\n"
    "tlsshim cert csr NAME... [options]               a certificate request\n"
    "tlsshim cert issue --ca BASE FILE [options]      a certificate for the request in FILE\n"
    "\n"
    "A certificate goes to BASE.pem with its chain, its key to BASE.key (readable by you alone), a request to "
    "BASE.csr.\n"
    "\n"
    "  --out BASE            where to; default: the first name, or \"ca\"\n"
    "  --force               overwrite what is there\n"
    "  --ca BASE             the issuer: BASE.pem and BASE.key\n"
    "  --key FILE            use this private key in place of a new one\n"
    "  --key-type TYPE       P-256 (default), P-384, P-521, ED25519, ED448, RSA-2048 ... RSA-8192\n"
    "  --passphrase-file F   the first line of F opens or seals the key\n"
    "  --ca-passphrase-file F  the same for the CA's key\n"
    "  --subject DN          \"CN=www.test,O=Example\"; default: the first name as common name\n"
    "  --days N              how long it is valid; default: 397 (self-signed and leaf), 3653 (ca)\n"
    "  --from TIME           2026-11-21 or 2026-11-21T22:30:00Z; default: an hour ago\n"
    "  --until TIME          in place of --days\n"
    "  --usage LIST          server,client,code-signing,email,ocsp,timestamp; default: by the names\n"
    "  --path-length N       how many CAs may stand below this CA\n"
    "  --permit NAME         a CA for such names only (host, address range, mail domain); may be repeated\n"
    "  --exclude NAME        a CA for no such names; may be repeated\n"
    "  --crl URL, --ocsp URL where revocations are told\n"
    "  --must-staple         clients must insist on a stapled OCSP answer\n"
    "  --digest NAME         SHA256, SHA384, SHA512\n";

enum { DAY = 86400, HOUR = 3600, DEFAULT_DAYS = 397 };

struct job {
    const char *command;
    const char *out;
    bool force;
    int64_t tmpl;
    int64_t key;      /* 0 = none yet */
    bool key_is_new;  /* and so is to be written */
    int64_t ca;       /* identity, or 0 */
    char *passphrase; /* "" = none */
};

static char *passphrase_from(struct args *args, const char *option)
{
    const char *file = args_value(args, option);
    char *line = file == NULL ? NULL : read_line(file);

    if (line != NULL && line[0] == 0)
        fail("%s: its first line is empty: it should be the passphrase", file);
    return line == NULL ? strdup("") : line;
}

static int64_t load_ca(const char *base, const char *passphrase)
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

static void take_key(struct job *job, struct args *args)
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

static int32_t number(const char *text, const char *option)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (*text == 0 || *end != 0 || n < 0 || n > 1000000)
        misuse("%s wants a number, not \"%s\"", option, text);
    return (int32_t)n;
}

static void take_validity(struct job *job, struct args *args)
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
        until = from + (int64_t)(days_text == NULL ? DEFAULT_DAYS : number(days_text, "--days")) * DAY - 1;
    good(tlsshim_template_set_validity(job->tmpl, from, until), "--from and --until");
}

static void take_settings(struct job *job, struct args *args)
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

static void take_names(struct job *job, struct args *args, bool wanted)
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
static struct job start(struct args *args, const char *command)
{
    struct job job = {.command = command};
    const char *ca = args_value(args, "--ca");
    char *ca_passphrase = passphrase_from(args, "--ca-passphrase-file");

    job.out = args_value(args, "--out");
    job.force = args_flag(args, "--force");
    job.passphrase = passphrase_from(args, "--passphrase-file");
    job.tmpl = good(tlsshim_template_new(), NULL);
    if (ca != NULL)
        job.ca = load_ca(ca, ca_passphrase);
    free(ca_passphrase);
    return job;
}

static void need_ca(const struct job *job)
{
    if (job->ca == 0)
        misuse("cert %s wants an issuer: --ca BASE", job->command);
}

static void no_ca(const struct job *job)
{
    if (job->ca != 0)
        misuse("cert %s has no issuer: leave --ca out", job->command);
}

/* Paths that may be written: whoever gave no --out and a name such as "*.a.test" gets a file of a plainer name. */
static char *base_of(const struct job *job)
{
    char *base = strdup(job->out == NULL ? "ca" : job->out);

    for (char *c = base; *c != 0; c++)
        if (*c == '*')
            *c = '_';
    return base;
}

static void write_key(const struct job *job, const char *base)
{
    char *path = with_ending(base, ".key");
    struct data data;

    data_of(&data, path, tlsshim_key_export, job->key, TLSSHIM_FORMAT_PEM, str(job->passphrase));
    write_file(path, &data, true, job->force);
    printf("%s: private key%s\n", path, job->passphrase[0] != 0 ? ", sealed with the passphrase" : "");
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

static int finish(struct job *job, int64_t cert)
{
    char *base = base_of(job);

    /* The key first: a certificate without its key is of no use. */
    if (job->key_is_new)
        write_key(job, base);
    write_cert(job, base, cert);
    free(base);
    tlsshim_close(cert);
    return EXIT_GOOD;
}

static int self_signed(struct args *args)
{
    struct job job = start(args, "self-signed");

    no_ca(&job);
    take_key(&job, args);
    take_settings(&job, args);
    take_validity(&job, args);
    take_names(&job, args, true);
    args_end(args, "cert");
    return finish(&job, good(tlsshim_template_self_sign(job.tmpl, job.key), NULL));
}

static int ca(struct args *args)
{
    struct job job = start(args, "ca");
    const char *path_length = args_value(args, "--path-length");
    const char *text;
    int64_t cert;

    good(tlsshim_template_set_subject(job.tmpl, str(job.ca == 0 ? "CN=Private root CA" : "CN=Private CA")), NULL);
    good(tlsshim_template_set_ca(job.tmpl, path_length == NULL ? -1 : number(path_length, "--path-length")), NULL);
    while ((text = args_value(args, "--permit")) != NULL)
        good(tlsshim_template_add_constraint(job.tmpl, 1, str(text)), "--permit");
    while ((text = args_value(args, "--exclude")) != NULL)
        good(tlsshim_template_add_constraint(job.tmpl, 0, str(text)), "--exclude");
    take_key(&job, args);
    take_settings(&job, args);
    take_validity(&job, args);
    args_end(args, "cert");
    if (job.ca == 0)
        cert = good(tlsshim_template_self_sign(job.tmpl, job.key), NULL);
    else
        cert = good(tlsshim_template_issue(job.tmpl, job.key, job.ca), NULL);
    return finish(&job, cert);
}

static int leaf(struct args *args)
{
    struct job job = start(args, "leaf");

    need_ca(&job);
    take_key(&job, args);
    take_settings(&job, args);
    take_validity(&job, args);
    take_names(&job, args, true);
    args_end(args, "cert");
    return finish(&job, good(tlsshim_template_issue(job.tmpl, job.key, job.ca), NULL));
}

static int csr(struct args *args)
{
    struct job job = start(args, "csr");
    struct data data;
    char *base;
    char *path;

    no_ca(&job);
    take_key(&job, args);
    take_settings(&job, args);
    take_names(&job, args, true);
    args_end(args, "cert");
    base = base_of(&job);
    path = with_ending(base, ".csr");
    data_of(&data, path, tlsshim_template_request, job.tmpl, job.key, TLSSHIM_FORMAT_PEM);
    if (job.key_is_new)
        write_key(&job, base);
    write_file(path, &data, false, job.force);
    printf("%s: certificate request; hand it to the CA\n", path);
    data_end(&data);
    free(path);
    free(base);
    return EXIT_GOOD;
}

/* "dir/www.csr" becomes "dir/www". */
static char *without_ending(const char *path)
{
    char *base = strdup(path);
    char *dot = strrchr(base, '.');
    char *slash = strrchr(base, '/');

    if (dot != NULL && dot != base && (slash == NULL || dot > slash + 1))
        *dot = 0;
    return base;
}

static int issue(struct args *args)
{
    struct job job = start(args, "issue");
    const char *file;
    struct data request;
    int64_t cert;

    need_ca(&job);
    tlsshim_close(job.tmpl);
    file = args_word(args);
    if (file == NULL)
        misuse("cert issue wants the file of a request");
    request = read_file(file);
    job.tmpl = good(tlsshim_template_from_request(request.bytes, request.len), file);
    data_end(&request);
    take_settings(&job, args);
    take_validity(&job, args);
    args_end(args, "cert");
    if (job.out == NULL)
        job.out = without_ending(file);
    cert = good(tlsshim_template_issue(job.tmpl, 0, job.ca), file);
    return finish(&job, cert);
}

int run_cert(struct args *args)
{
    static const struct {
        const char *name;
        int (*run)(struct args *args);
    } commands[] = {{"self-signed", self_signed}, {"ca", ca}, {"leaf", leaf}, {"csr", csr}, {"issue", issue}};
    const char *name;

    if (args_flag(args, "--help")) {
        fputs(help, stdout);
        return EXIT_GOOD;
    }
    name = args_word(args);
    for (size_t i = 0; name != NULL && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(args);
    if (name == NULL)
        misuse("cert wants to know what to make: self-signed, ca, leaf, csr or issue; see tlsshim cert --help");
    misuse("cert makes no \"%s\"; it makes self-signed, ca, leaf, csr and issue", name);
}
