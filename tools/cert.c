/* tlsshim cert: keys, certificates and requests. */
#include <stdio.h>
#include <stdlib.h>

#include "job.h"

static const char help[] =
    "tlsshim cert self-signed NAME... [options]       a certificate for these hosts or addresses, signed by itself\n"
    "tlsshim cert ca [--subject DN] [options]         a root CA; with --ca, an intermediate one\n"
    "tlsshim cert leaf --ca BASE NAME... [options]    a certificate for these names, issued by a CA\n"
    "tlsshim cert csr NAME... [options]               a certificate request\n"
    "tlsshim cert issue --ca BASE FILE [options]      a certificate for the request in FILE\n"
    "tlsshim cert crl --ca BASE [options]             a list of revoked certificates\n"
    "tlsshim cert ocsp --ca BASE FILE [options]       an OCSP answer about the certificate in FILE\n"
    "tlsshim cert pkcs12 BASE [options]               BASE.pem and BASE.key in one encrypted file\n"
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
    "  --key-passphrase-file F  pkcs12: opens the key\n"
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
    "  --digest NAME         SHA256, SHA384, SHA512\n"
    "  --revoke FILE[,REASON]  crl: the certificate in FILE is on the list; may be repeated\n"
    "  --entry \"SERIAL [REASON] [SECONDS]\"  crl: the same by serial number; may be repeated\n"
    "  --number N            crl: the number of the list; default: the time\n"
    "  --status STATUS       ocsp: good (default), revoked, unknown\n"
    "  --revoked-at TIME     ocsp: since when; default: now\n"
    "                        crl and ocsp hold for --days, by default 7\n"
    "  --name NAME           pkcs12: how programs show it\n";

static int self_signed(struct args *args)
{
    struct job job = job_start(args, "self-signed");

    job_has_no_ca(&job);
    job_key(&job, args);
    job_settings(&job, args);
    job_validity(&job, args);
    job_names(&job, args, true);
    args_end(args, "cert");
    return job_finish(&job, good(tlsshim_template_self_sign(job.tmpl, job.key), NULL));
}

static int ca(struct args *args)
{
    struct job job = job_start(args, "ca");
    const char *path_length = args_value(args, "--path-length");
    const char *text;
    int64_t cert;

    good(tlsshim_template_set_subject(job.tmpl, str(job.ca == 0 ? "CN=Private root CA" : "CN=Private CA")), NULL);
    good(tlsshim_template_set_ca(job.tmpl, path_length == NULL ? -1 : job_number(path_length, "--path-length")), NULL);
    while ((text = args_value(args, "--permit")) != NULL)
        good(tlsshim_template_add_constraint(job.tmpl, 1, str(text)), "--permit");
    while ((text = args_value(args, "--exclude")) != NULL)
        good(tlsshim_template_add_constraint(job.tmpl, 0, str(text)), "--exclude");
    job_key(&job, args);
    job_settings(&job, args);
    job_validity(&job, args);
    args_end(args, "cert");
    if (job.ca == 0)
        cert = good(tlsshim_template_self_sign(job.tmpl, job.key), NULL);
    else
        cert = good(tlsshim_template_issue(job.tmpl, job.key, job.ca), NULL);
    return job_finish(&job, cert);
}

static int leaf(struct args *args)
{
    struct job job = job_start(args, "leaf");

    job_needs_ca(&job);
    job_key(&job, args);
    job_settings(&job, args);
    job_validity(&job, args);
    job_names(&job, args, true);
    args_end(args, "cert");
    return job_finish(&job, good(tlsshim_template_issue(job.tmpl, job.key, job.ca), NULL));
}

static int csr(struct args *args)
{
    struct job job = job_start(args, "csr");
    struct data data;
    char *base;
    char *path;

    job_has_no_ca(&job);
    job_key(&job, args);
    job_settings(&job, args);
    job_names(&job, args, true);
    args_end(args, "cert");
    base = job_base(&job);
    path = with_ending(base, ".csr");
    data_of(&data, path, tlsshim_template_request, job.tmpl, job.key, TLSSHIM_FORMAT_PEM);
    if (job.key_is_new)
        job_write_key(&job, base);
    write_file(path, &data, false, job.force);
    printf("%s: certificate request; hand it to the CA\n", path);
    data_end(&data);
    free(path);
    free(base);
    return EXIT_GOOD;
}

static int issue(struct args *args)
{
    struct job job = job_start(args, "issue");
    const char *file;
    struct data request;
    int64_t cert;

    job_needs_ca(&job);
    tlsshim_close(job.tmpl);
    file = args_word(args);
    if (file == NULL)
        misuse("cert issue wants the file of a request");
    request = read_file(file);
    job.tmpl = good(tlsshim_template_from_request(request.bytes, request.len), file);
    data_end(&request);
    job_settings(&job, args);
    job_validity(&job, args);
    args_end(args, "cert");
    if (job.out == NULL)
        job.out = without_ending(file);
    cert = good(tlsshim_template_issue(job.tmpl, 0, job.ca), file);
    return job_finish(&job, cert);
}

int run_cert(struct args *args)
{
    static const struct {
        const char *name;
        int (*run)(struct args *args);
    } commands[] = {{"self-signed", self_signed},
                    {"ca", ca},
                    {"leaf", leaf},
                    {"csr", csr},
                    {"issue", issue},
                    {"crl", run_crl},
                    {"ocsp", run_ocsp},
                    {"pkcs12", run_pkcs12}};
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
        misuse("cert wants to know what to make: self-signed, ca, leaf, csr, issue, crl, ocsp or pkcs12; see tlsshim "
               "cert --help");
    misuse("cert makes no \"%s\"; it makes self-signed, ca, leaf, csr, issue, crl, ocsp and pkcs12", name);
}
