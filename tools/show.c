/* tlsshim show: what is in a file. */
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

static const char help[] =
    "tlsshim show FILE... [options]   tells what is in each file: certificates, keys, requests, CRLs, OCSP\n"
    "                                 answers, PKCS#12\n"
    "\n"
    "  --full                print everything that certificates and requests say\n"
    "  --passphrase-file F   the first line of F opens keys and PKCS#12\n";

static void line(const char *title, char *text)
{
    if (text != NULL && text[0] != 0)
        printf("  %-12s %s\n", title, text);
    free(text);
}

static void print_names(int64_t cert)
{
    int32_t count = (int32_t)good(tlsshim_cert_list_count(cert, TLSSHIM_CERT_LIST_NAMES), NULL);

    for (int32_t i = 0; i < count; i++) {
        char *kind = cert_part(cert, TLSSHIM_CERT_LIST_NAMES, i, TLSSHIM_PART_KIND);
        char *value = cert_part(cert, TLSSHIM_CERT_LIST_NAMES, i, TLSSHIM_PART_VALUE);

        printf("  %-12s %s %s\n", i == 0 ? "names" : "", kind, value);
        free(kind);
        free(value);
    }
}

static void print_list(int64_t cert, int32_t list, int32_t part, const char *title)
{
    int32_t count = (int32_t)good(tlsshim_cert_list_count(cert, list), NULL);

    for (int32_t i = 0; i < count; i++) {
        char *text = cert_part(cert, list, i, part);

        if (text == NULL)
            text = cert_part(cert, list, i, TLSSHIM_PART_OID);
        line(i == 0 ? title : "", text);
    }
}

static int64_t number(int64_t cert, int32_t field, int64_t otherwise)
{
    int64_t n = otherwise;

    good(tlsshim_cert_number(cert, field, &n) == TLSSHIM_NONE ? 0 : tlsshim_cert_number(cert, field, &n), NULL);
    return n;
}

static void print_kind(int64_t cert)
{
    int64_t path = number(cert, TLSSHIM_CERT_PATH_LENGTH, -1);
    bool ca = number(cert, TLSSHIM_CERT_IS_CA, 0) == 1;
    const char *own = number(cert, TLSSHIM_CERT_SELF_SIGNED, 0) == 1 ? ", signed by itself" : "";

    if (!ca)
        printf("  %-12s no CA%s\n", "kind", own);
    else if (path >= 0)
        printf("  %-12s CA with at most %d CAs below it%s\n", "kind", (int)path, own);
    else
        printf("  %-12s CA%s\n", "kind", own);
}

static void print_cert(int64_t cert, bool full)
{
    char *from;
    char *until;

    if (full) {
        char *text = cert_field(cert, TLSSHIM_CERT_FULL);

        fputs(text, stdout);
        free(text);
        return;
    }
    line("subject", cert_field(cert, TLSSHIM_CERT_SUBJECT));
    line("issuer", cert_field(cert, TLSSHIM_CERT_ISSUER));
    print_kind(cert);
    print_names(cert);
    from = cert_field(cert, TLSSHIM_CERT_NOT_BEFORE);
    until = cert_field(cert, TLSSHIM_CERT_NOT_AFTER);
    printf("  %-12s %s to %s\n", "valid", from == NULL ? "?" : from, until == NULL ? "?" : until);
    free(from);
    free(until);
    line("key", cert_field(cert, TLSSHIM_CERT_KEY_ALGORITHM));
    print_list(cert, TLSSHIM_CERT_LIST_USAGES, TLSSHIM_PART_NAME, "usages");
    line("signature", cert_field(cert, TLSSHIM_CERT_SIGNATURE_ALGORITHM));
    line("serial", cert_field(cert, TLSSHIM_CERT_SERIAL));
    line("SHA-256", cert_field(cert, TLSSHIM_CERT_FINGERPRINT));
    line("pin", cert_field(cert, TLSSHIM_CERT_SPKI_SHA256));
    print_list(cert, TLSSHIM_CERT_LIST_CRL_URLS, TLSSHIM_PART_VALUE, "CRL");
    print_list(cert, TLSSHIM_CERT_LIST_OCSP_URLS, TLSSHIM_PART_VALUE, "OCSP");
    if (number(cert, TLSSHIM_CERT_MUST_STAPLE, 0) == 1)
        line("demands", strdup("a stapled OCSP answer"));
}

static void print_chain(int64_t cert, bool full)
{
    int32_t count = (int32_t)good(tlsshim_cert_count(cert), NULL);

    for (int32_t i = 0; i < count; i++) {
        int64_t one = good(tlsshim_cert_at(cert, i), NULL);

        printf(" certificate%s\n", i == 0 ? "" : ", issuer of the one above");
        print_cert(one, full);
        tlsshim_close(one);
    }
}

/* Certificates that are no chain. */
static bool show_set(const struct data *data, bool full)
{
    int64_t set = good(tlsshim_trust_new(), NULL);
    int32_t added = tlsshim_trust_add(set, data->bytes, data->len);
    int32_t count = added < 0 ? 0 : (int32_t)good(tlsshim_trust_count(set, TLSSHIM_TRUST_ANCHORS), NULL);

    for (int32_t i = 0; i < count; i++) {
        int64_t one = good(tlsshim_trust_at(set, i), NULL);

        printf(" certificate %d of %d\n", i + 1, count);
        print_cert(one, full);
        tlsshim_close(one);
    }
    tlsshim_close(set);
    return count > 0;
}

static void print_key(int64_t key)
{
    struct data data;

    data_of(&data, "key", tlsshim_key_algorithm, key);
    printf(" private key\n");
    line("key", data.bytes);
}

static bool is(int64_t result, int32_t code)
{
    return tlsshim_error_code(result) == code;
}

static bool show_certs(const struct data *data, bool full)
{
    int64_t cert = tlsshim_cert_load(data->bytes, data->len);

    if (cert < 0)
        return (is(cert, TLSSHIM_E_MISMATCH) || is(cert, TLSSHIM_E_LIMIT)) && show_set(data, full);
    print_chain(cert, full);
    tlsshim_close(cert);
    return true;
}

static bool show_key(const struct data *data, const char *passphrase)
{
    int64_t key = tlsshim_key_load(data->bytes, data->len, str(passphrase));

    if (is(key, TLSSHIM_E_PASSPHRASE)) {
        printf(" private key, encrypted with a passphrase%s\n", passphrase[0] != 0 ? " that is another one" : "");
        return true;
    }
    if (key < 0)
        return false;
    print_key(key);
    tlsshim_close(key);
    return true;
}

static bool show_request(const struct data *data, bool full)
{
    int64_t tmpl = tlsshim_template_from_request(data->bytes, data->len);
    struct data text;

    if (tmpl < 0 && !is(tmpl, TLSSHIM_E_MISMATCH))
        return false;
    if (tmpl < 0)
        printf(" certificate request; %s\n", text_of_error(tmpl));
    else
        printf(" certificate request, signed by its key\n");
    if (full || tmpl < 0)
        data_of(&text, "request", tlsshim_request_text, data->bytes, data->len);
    else
        data_of(&text, "request", tlsshim_template_text, tmpl, TLSSHIM_CERT_FULL);
    fputs(text.bytes, stdout);
    data_end(&text);
    if (tmpl >= 0)
        tlsshim_close(tmpl);
    return true;
}

static bool show_revocation(const struct data *data)
{
    struct data text;

    if (tlsshim_crl_text(data->bytes, data->len, NULL, 0) >= 0) {
        printf(" list of revoked certificates\n");
        data_of(&text, "CRL", tlsshim_crl_text, data->bytes, data->len);
    } else if (tlsshim_ocsp_text(data->bytes, data->len, NULL, 0) >= 0) {
        printf(" OCSP answer\n");
        data_of(&text, "OCSP", tlsshim_ocsp_text, data->bytes, data->len);
    } else {
        return false;
    }
    fputs(text.bytes, stdout);
    data_end(&text);
    return true;
}

static bool show_identity(const struct data *data, const char *passphrase, bool full)
{
    int64_t identity = tlsshim_identity_load(data->bytes, data->len, str(passphrase));
    int64_t cert;
    int64_t key;

    if (is(identity, TLSSHIM_E_PASSPHRASE) || is(identity, TLSSHIM_E_UNSUPPORTED)) {
        printf(" PKCS#12: %s\n", text_of_error(identity));
        return true;
    }
    if (identity < 0)
        return false;
    cert = good(tlsshim_identity_cert(identity), NULL);
    key = good(tlsshim_identity_key(identity), NULL);
    printf(" PKCS#12\n");
    print_chain(cert, full);
    print_key(key);
    tlsshim_close(cert);
    tlsshim_close(key);
    tlsshim_close(identity);
    return true;
}

static bool show_file(const char *path, const char *passphrase, bool full)
{
    struct data data = read_file(path);
    bool shown;

    printf("%s\n", path);
    shown = show_certs(&data, full);
    shown = show_key(&data, passphrase) || shown;
    if (!shown)
        shown = show_request(&data, full) || show_revocation(&data) || show_identity(&data, passphrase, full);
    if (!shown) {
        fflush(stdout);
        fprintf(stderr, "tlsshim: %s\n", text_of_error(tlsshim_cert_load_file(str(path))));
    }
    data_end(&data);
    return shown;
}

int run_show(struct args *args)
{
    bool full = args_flag(args, "--full");
    const char *passphrase_file = args_value(args, "--passphrase-file");
    char *passphrase = passphrase_file == NULL ? strdup("") : read_line(passphrase_file);
    const char *path;
    int code = EXIT_GOOD;

    if (args_flag(args, "--help")) {
        fputs(help, stdout);
        free(passphrase);
        return EXIT_GOOD;
    }
    path = args_word(args);
    if (path == NULL)
        misuse("show wants a file");
    for (; path != NULL; path = args_word(args))
        if (!show_file(path, passphrase, full))
            code = EXIT_BAD;
    args_end(args, "show");
    free(passphrase);
    return code;
}
