#include "support/pki.h"

#include <time.h>

bool blob_holds(const struct blob *blob, const char *text)
{
    return blob->len > 0 && memmem(blob->data, (size_t)blob->len, text, strlen(text)) != NULL;
}

bool blob_is(const struct blob *blob, const char *text)
{
    return blob->len == (int32_t)strlen(text) && memcmp(blob->data, text, strlen(text)) == 0;
}

int64_t a_key(const char *algorithm)
{
    return a_handle(tlsshim_key_generate(str(algorithm)));
}

int64_t a_template(const char *names)
{
    int64_t tmpl = a_handle(tlsshim_template_new());

    while (*names != 0) {
        size_t len = strcspn(names, ",");

        ck_assert_ok(tlsshim_template_add_name(tmpl, names, (int32_t)len));
        names += len + (names[len] == ',');
    }
    return tmpl;
}

struct authority an_authority(const char *subject, int32_t path_length, const struct authority *above)
{
    struct authority made;
    int64_t tmpl = a_template("");

    made.key = a_key("P-256");
    ck_assert_ok(tlsshim_template_set_subject(tmpl, str(subject)));
    ck_assert_ok(tlsshim_template_set_ca(tmpl, path_length));
    if (above == NULL)
        made.cert = a_handle(tlsshim_template_self_sign(tmpl, made.key));
    else
        made.cert = a_handle(tlsshim_template_issue(tmpl, made.key, above->identity));
    made.identity = a_handle(tlsshim_identity_new(made.cert, made.key));
    tlsshim_close(tmpl);
    return made;
}

int64_t a_leaf(const struct authority *ca, const char *names)
{
    int64_t tmpl = a_template(names);
    int64_t key = a_key("P-256");
    int64_t cert = a_handle(tlsshim_template_issue(tmpl, key, ca->identity));

    tlsshim_close(tmpl);
    tlsshim_close(key);
    return cert;
}

int64_t a_trust(int64_t cert)
{
    int64_t trust = a_handle(tlsshim_trust_new());

    ck_assert_ok(tlsshim_trust_add_cert(trust, cert));
    return trust;
}

int64_t the_time(void)
{
    return (int64_t)time(NULL);
}

bool error_says(int64_t result, const char *part)
{
    char text[700];
    int32_t len = tlsshim_error_text(result, text, (int32_t)sizeof text);

    return len > 0 && memmem(text, (size_t)len, part, strlen(part)) != NULL;
}
