#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"
#include "support/support.h"
#include "tlsshim.h"

static const char *const texts[] = {
    "localhost",
    "www.test",
    "127.0.0.1",
    "::1",
    "*.test",
    "P-256",
    "ED25519",
    "SHA256",
    "SHA384",
    "CN=a,O=b",
    "1.2.3.4",
    "modern",
    "h2",
    "h2,http/1.1",
    "tls-exporter",
    "tls",
    "label",
    "HIGH",
    "TLSSHIM_OK",
    "a@b.test",
    "*",
    "tls-unique",
    "http://a.test/",
    "X25519:P-256",
    "localhost,127.0.0.1",
};

/* By parameter name: what makes the function go on to its other arguments. */
static const struct {
    const char *parameter;
    const char *text;
} inputs[] = {
    {"algorithm", "P-256"},
    {"digest_name", "SHA256"},
    {"name", "localhost"},
    {"names", "localhost"},
    {"subject", "CN=a"},
    {"oid", "1.2.3.4"},
    {"passphrase", ""},
    {"type", "tls-exporter"},
    {"host", "127.0.0.1"},
    {"profile", "modern"},
    {"peer_name", "localhost"},
    {"wire", "\x02h2"},
    {"mine", "\x02h2"},
    {"theirs", "\x02h2"},
    {"pattern", "*.test"},
    {"tls12", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"tls13", "TLS_AES_128_GCM_SHA256"},
    {"list", "X25519:P-256"},
    {"accepted", "ECDSA+SHA256"},
    {"own", "ed25519"},
    {"identity", "alice"},
    {"key", "0123456789abcdef"},
    {"label", "label"},
    {"entries", ""},
};

static const struct {
    const char *parameter;
    int64_t number;
} numbers[] = {{"at_time", INT64_MIN},    {"this_update", 1700000000}, {"port", 61999}, {"days", 30},
               {"not_after", 2000000000}, {"next_update", 2000000000}, {"count", 1},    {"period", 3600}};

enum { MOST_SAMPLES = 64 };
static struct sample samples[MOST_SAMPLES];
static int sample_count;
static char folder[32], file[64], pem[64];
static pid_t owner;

static void sample_add(enum content content, const void *data, int32_t length)
{
    void *copy = malloc((size_t)length + 1);

    if (!copy || sample_count == MOST_SAMPLES)
        abort();
    memcpy(copy, data, (size_t)length);
    samples[sample_count++] = (struct sample){copy, length, content, NULL};
}

static void output_add(const char *parameter, int32_t result, const void *data, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "no sample: %s: %s\n", what, support_text(result));
        abort();
    }
    sample_add(BYTES, data, result);
    samples[sample_count - 1].parameter = parameter;
}

#define ADD(parameter, call) output_add(parameter, call, data, #call)

/* What only a CA can make: lists and answers about revocation. */
static void samples_of_a_ca(int64_t tmpl, int64_t key)
{
    char data[16384];
    int32_t cap = sizeof data;

    ck_assert_ok(tlsshim_template_set_ca(tmpl, -1));
    int64_t ca = a_handle(tlsshim_template_self_sign(tmpl, key));
    int64_t identity = a_handle(tlsshim_identity_new(ca, key));
    ADD("crl", tlsshim_crl_issue(identity, "0a superseded", 13, 0, 1, TLSSHIM_FORMAT_PEM, data, cap));
    ADD("response", tlsshim_ocsp_issue(ca, identity, TLSSHIM_OCSP_GOOD, 0, 0, 1, data, cap));
    tlsshim_close(identity);
    tlsshim_close(ca);
}

static void samples_of_pki(void)
{
    char data[16384];
    int32_t cap = sizeof data;
    int64_t key = a_handle(tlsshim_key_generate("P-256", 5));
    int64_t cert = a_handle(tlsshim_cert_self_signed(key, "localhost,127.0.0.1", 19, 30));
    int64_t identity = a_handle(tlsshim_identity_new(cert, key));
    int64_t tmpl = a_handle(tlsshim_template_new());

    ck_assert_ok(tlsshim_template_set_subject(tmpl, "CN=a.test", 9));
    ADD(NULL, tlsshim_cert_export(cert, TLSSHIM_FORMAT_PEM, data, cap));
    ADD(NULL, tlsshim_cert_export(cert, TLSSHIM_FORMAT_DER, data, cap));
    ADD(NULL, tlsshim_key_export(key, TLSSHIM_FORMAT_PEM, "", 0, data, cap));
    ADD(NULL, tlsshim_key_export(key, TLSSHIM_FORMAT_DER, "", 0, data, cap));
    ADD(NULL, tlsshim_key_export(key, TLSSHIM_FORMAT_PEM, "secret", 6, data, cap));
    ADD(NULL, tlsshim_identity_export_pkcs12(identity, "secret", 6, "", 0, data, cap));
    ADD("csr", tlsshim_template_request(tmpl, key, TLSSHIM_FORMAT_PEM, data, cap));
    int32_t length = tlsshim_cert_export(cert, TLSSHIM_FORMAT_PEM, data, cap);
    ck_assert_ok(length);
    ADD("data", length + tlsshim_key_export(key, TLSSHIM_FORMAT_PEM, "", 0, data + length, cap - length));
    FILE *out = fopen(pem, "w");
    ck_assert_ptr_nonnull(out);
    fwrite(samples[sample_count - 1].data, 1, (size_t)samples[sample_count - 1].length, out);
    fclose(out);
    samples_of_a_ca(tmpl, key);
    tlsshim_close(tmpl);
    tlsshim_close(identity);
    tlsshim_close(cert);
    tlsshim_close(key);
}

static void folder_remove(void)
{
    if (getpid() != owner)
        return;
    unlink(file);
    unlink(pem);
    rmdir(folder);
}

static void samples_of_paths(void)
{
    strcpy(folder, "/tmp/tlsshim-misuse-XXXXXX");
    if (!mkdtemp(folder))
        abort();
    owner = getpid();
    atexit(folder_remove);
    snprintf(file, sizeof file, "%s/file", folder);
    sample_add(PATH, folder, (int32_t)strlen(folder));
    snprintf(pem, sizeof pem, "%s/pem", folder);
    sample_add(PATH, file, (int32_t)strlen(file));
    sample_add(PATH, pem, (int32_t)strlen(pem));
    sample_add(PATH, "/nonexistent/file", 17);
}

const struct sample *stage_samples(int *count)
{
    if (sample_count == 0) {
        samples_of_paths();
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            sample_add(TEXT, texts[i], (int32_t)strlen(texts[i]));
        sample_add(SECRET, "secret", 6);
        sample_add(BYTES, "\x02h2\x08http/1.1", 12);
        samples_of_pki();
    }
    *count = sample_count;
    return samples;
}

struct sample stage_input(const struct parameter *parameter)
{
    int count;

    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (strcmp(inputs[i].parameter, parameter->name) == 0)
            return (struct sample){inputs[i].text, (int32_t)strlen(inputs[i].text), parameter->content, NULL};
    stage_samples(&count);
    for (int i = 0; i < count; i++)
        if (samples[i].parameter && strcmp(samples[i].parameter, parameter->name) == 0)
            return samples[i];
    return (struct sample){"x", 1, parameter->content, NULL};
}

int64_t stage_number(const struct parameter *parameter)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(numbers[i].parameter, parameter->name) == 0)
            return numbers[i].number;
    return 0;
}
