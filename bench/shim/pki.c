/* Keys and certificates; the certificates that every program here uses; what a call costs at least. */
#include <stdio.h>
#include <string.h>

#include "../meter.h"
#include "shim.h"

static uint8_t text[ROOM];
static int32_t text_len;
static int64_t key;

static int32_t length(const char *string)
{
    return (int32_t)strlen(string);
}

static void save(const char *name, int32_t len)
{
    FILE *file = fopen(certs_file(name), "wb");

    if (file == NULL || fwrite(text, 1, (size_t)len, file) != (size_t)len || fclose(file) != 0)
        die("%s cannot be written", certs_file(name));
}

static void save_identity(int64_t cert, int64_t own, const char *chain_name, const char *key_name)
{
    save(chain_name, (int32_t)must(tlsshim_cert_export(cert, TLSSHIM_FORMAT_PEM, text, sizeof text)));
    save(key_name, (int32_t)must(tlsshim_key_export(own, TLSSHIM_FORMAT_PEM, NULL, 0, text, sizeof text)));
}

static int64_t template_for(const char *subject)
{
    int64_t tmpl = must(tlsshim_template_new());

    must(tlsshim_template_set_subject(tmpl, subject, length(subject)));
    return tmpl;
}

static void issue(int64_t ca, const char *subject, const char *name, int32_t usage, const char *chain_name,
                  const char *key_name)
{
    int64_t own = must(tlsshim_key_generate("P-256", 5)), tmpl = template_for(subject);

    if (name != NULL)
        must(tlsshim_template_add_name(tmpl, name, length(name)));
    must(tlsshim_template_set_usage(tmpl, usage));
    save_identity(must(tlsshim_template_issue(tmpl, own, ca)), own, chain_name, key_name);
}

/* A CA, and a server and a client certificate right below it. */
void certs_work(long times)
{
    int64_t own = must(tlsshim_key_generate("P-256", 5)), tmpl = template_for("CN=bench CA"), cert;

    (void)times;
    must(tlsshim_template_set_ca(tmpl, 0));
    cert = must(tlsshim_template_self_sign(tmpl, own));
    save("ca.pem", (int32_t)must(tlsshim_cert_export(cert, TLSSHIM_FORMAT_PEM, text, sizeof text)));
    cert = must(tlsshim_identity_new(cert, own));
    issue(cert, "CN=localhost", "localhost", TLSSHIM_USAGE_SERVER, "server.pem", "server.key");
    issue(cert, "CN=client", NULL, TLSSHIM_USAGE_CLIENT, "client.pem", "client.key");
}

void key_work(long times)
{
    const char *algorithm = option("algorithm", "P-256");

    for (; times > 0; times--)
        tlsshim_close(must(tlsshim_key_generate(algorithm, length(algorithm))));
}

void self_signed_prepare(void)
{
    key = must(tlsshim_key_generate("P-256", 5));
}

void self_signed_work(long times)
{
    for (; times > 0; times--)
        tlsshim_close(must(tlsshim_cert_self_signed(key, "localhost,127.0.0.1", 19, 90)));
}

void parse_prepare(void)
{
    text_len = read_file(certs_file("server.pem"), text, sizeof text);
}

void parse_work(long times)
{
    for (; times > 0; times--)
        tlsshim_close(must(tlsshim_cert_load(text, text_len)));
}

void bundle_work(long times)
{
    const char *file = option("file", "/etc/ssl/certs/ca-certificates.crt");

    for (; times > 0; times--) {
        int64_t trust = must(tlsshim_trust_new());

        must(tlsshim_trust_add_file(trust, file, length(file)));
        tlsshim_close(trust);
    }
}

void system_context_prepare(void)
{
    system_context_work(1);
}

/* A connection freezes the context: only then is its trust in force. */
void system_context_work(long times)
{
    for (; times > 0; times--) {
        int64_t context = must(tlsshim_context_new(TLSSHIM_ROLE_CLIENT));

        tlsshim_close(must(tlsshim_conn_new(context, "localhost", 9)));
        tlsshim_close(context);
    }
}

void pin_prepare(void)
{
    key = must(tlsshim_key_generate("P-256", 5));
}

/* The least call on a handle: pin and unpin. */
void pin_work(long times)
{
    for (; times > 0; times--)
        if (tlsshim_kind(key) != TLSSHIM_KIND_KEY)
            die("a pin failed");
}

/* The least call that enters the backend: a visit, and one random byte. */
void visit_work(long times)
{
    uint8_t byte;

    for (; times > 0; times--)
        if (tlsshim_random(&byte, 1) < 0)
            die("a visit failed");
}
