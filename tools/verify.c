/* tlsshim verify: the judgement of a connection, without one. */
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

static const char help[] =
    "tlsshim verify FILE [options]   judges the certificate in FILE, with its chain, as a connection would\n"
    "\n"
    "  --trust FILE     anchors and CRLs: a file or a directory; may be repeated; default: the system's anchors\n"
    "  --system         the system's anchors beside those of --trust\n"
    "  --name NAME      the host name or address that it must be for\n"
    "  --purpose USE    server (default), client, code-signing, email, ocsp, timestamp, any\n"
    "  --at TIME        judge at this time: 2026-11-21 or 2026-11-21T22:30:00Z\n"
    "  --strict         demand what RFC 5280 demands and many leave out\n"
    "  --partial        an anchor need not be self-signed\n"
    "  --crl-leaf       the certificate must be on no CRL, and there must be one\n"
    "  --crl-chain      the same for its issuers\n"
    "  --crl-soft       with either: a missing or outdated CRL is let pass\n"
    "\n"
    "Ends with 0 if the verdict is good, else with 1.\n";

static int64_t gather_trust(struct args *args)
{
    int64_t trust = good(tlsshim_trust_new(), NULL);
    bool system_too = args_flag(args, "--system");
    const char *path = args_value(args, "--trust");

    if (path == NULL || system_too)
        good(tlsshim_trust_add_system(trust), NULL);
    for (; path != NULL; path = args_value(args, "--trust"))
        good(tlsshim_trust_add_file(trust, str(path)), NULL);
    return trust;
}

static int32_t gather_flags(struct args *args)
{
    static const struct {
        const char *name;
        int32_t bit;
    } flags[] = {
        {"--strict", TLSSHIM_VERIFY_STRICT},     {"--partial", TLSSHIM_VERIFY_PARTIAL_CHAIN},
        {"--crl-leaf", TLSSHIM_VERIFY_CRL_LEAF}, {"--crl-chain", TLSSHIM_VERIFY_CRL_CHAIN},
        {"--crl-soft", TLSSHIM_VERIFY_CRL_SOFT},
    };
    int32_t mask = 0;

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (args_flag(args, flags[i].name))
            mask |= flags[i].bit;
    return mask;
}

static void print_number(int64_t result, int32_t field, const char *title)
{
    int64_t n;

    if (tlsshim_error_number(result, field, &n) == TLSSHIM_OK)
        printf("  %-14s %lld\n", title, (long long)n);
}

static void print_part(int64_t result, int32_t field, const char *title)
{
    struct data text;
    int32_t len = tlsshim_error_part(result, field, NULL, 0);

    if (len <= 0)
        return;
    data_of(&text, title, tlsshim_error_part, result, field);
    printf("  %-14s %s\n", title, text.bytes);
    data_end(&text);
}

static int tell(int64_t result, const char *path, int64_t chain)
{
    struct data name;

    if (result >= 0) {
        char *subject = cert_field(chain, TLSSHIM_CERT_SUBJECT);
        char *until = cert_field(chain, TLSSHIM_CERT_NOT_AFTER);

        printf("%s: good: %s, valid until %s\n", path, subject, until);
        free(subject);
        free(until);
        return EXIT_GOOD;
    }
    data_of(&name, path, tlsshim_error_name, result);
    printf("%s: %s: %s\n", path, name.bytes, text_of_error(result));
    data_end(&name);
    print_number(result, TLSSHIM_ERROR_DEPTH, "depth");
    print_part(result, TLSSHIM_ERROR_SUBJECT, "subject");
    print_part(result, TLSSHIM_ERROR_ISSUER, "issuer");
    print_part(result, TLSSHIM_ERROR_WANTED_NAME, "wanted name");
    print_part(result, TLSSHIM_ERROR_NAMES, "names");
    print_part(result, TLSSHIM_ERROR_VERIFY_CODE, "rule");
    return EXIT_BAD;
}

int run_verify(struct args *args)
{
    const char *path;
    const char *name = args_value(args, "--name");
    const char *purpose = args_value(args, "--purpose");
    const char *at = args_value(args, "--at");
    int32_t flags = gather_flags(args);
    int32_t use = TLSSHIM_USAGE_SERVER;
    int64_t trust;
    int64_t chain;

    if (args_flag(args, "--help")) {
        fputs(help, stdout);
        return EXIT_GOOD;
    }
    trust = gather_trust(args);
    path = args_word(args);
    if (path == NULL)
        misuse("verify wants the file of a certificate");
    args_end(args, "verify");
    if (purpose != NULL)
        use = strcmp(purpose, "any") == 0 ? 0 : usage_mask(purpose);
    chain = good(tlsshim_cert_load_file(str(path)), NULL);
    return tell(tlsshim_trust_verify(trust, chain, use, str(name == NULL ? "" : name),
                                     at == NULL ? INT64_MIN : moment(at), flags),
                path, chain);
}
