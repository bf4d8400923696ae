/* Chains that are wrong in their names, and in what they are for. */
#include <string.h>

#include "support/pair.h"
#include "support/pki.h"
#include "chains.h"

/* --- names --- */

static void named(struct shown *shown, bool client, const char *names)
{
    issue(shown, a_leaf_template(client, names), certs()->ca);
}

static void put_names(struct shown *shown, bool client, const void *data, size_t len)
{
    good_rsa(shown, client);
    put_extension(shown->leaf, "2.5.29.17", 0, data, len);
    sign_again(shown->leaf, certs()->ca);
}

/* One name of the given kind (RFC 5280 section 4.2.1.6), as it stands. */
static void put_name(struct shown *shown, bool client, uint8_t kind, const void *name, size_t len)
{
    uint8_t der[64] = {0x30, (uint8_t)(len + 2), kind, (uint8_t)len};

    memcpy(der + 4, name, len);
    put_names(shown, client, der, len + 4);
}

enum { EMAIL_NAME = 0x81, HOST_NAME = 0x82 };

void other_name(struct shown *shown, bool client)
{
    named(shown, client, "other.test,*.wild.test");
}

void partial_wildcard(struct shown *shown, bool client)
{
    put_name(shown, client, HOST_NAME, "w*.label.test", 13);
}

void inner_wildcard(struct shown *shown, bool client)
{
    put_name(shown, client, HOST_NAME, "www.*.test", 10);
}

void bare_wildcard(struct shown *shown, bool client)
{
    put_name(shown, client, HOST_NAME, "*", 1);
}

void top_wildcard(struct shown *shown, bool client)
{
    put_name(shown, client, HOST_NAME, "*.test", 6);
}

void address_as_host(struct shown *shown, bool client)
{
    put_name(shown, client, HOST_NAME, "10.0.0.1", 8);
}

void other_address(struct shown *shown, bool client)
{
    named(shown, client, "10.0.0.2,::1");
}

void common_name_alone(struct shown *shown, bool client)
{
    int64_t tmpl = a_leaf_template(client, "");

    ck_assert_ok(tlsshim_template_set_subject(tmpl, str("CN=www.test")));
    issue(shown, tmpl, certs()->ca);
}

void nul_in_name(struct shown *shown, bool client)
{
    put_name(shown, client, HOST_NAME, "www.test\0.evil.test", 19);
}

void damaged_names(struct shown *shown, bool client)
{
    put_names(shown, client, "\x30\x20\x82\x08www.test", 12);
}

void name_as_email(struct shown *shown, bool client)
{
    put_name(shown, client, EMAIL_NAME, "www.test", 8);
}

/* --- what it is for --- */

static void used_for(struct shown *shown, bool client, int32_t usage)
{
    int64_t tmpl = a_leaf_template(client, "www.test");

    ck_assert_ok(tlsshim_template_set_usage(tmpl, usage));
    issue(shown, tmpl, certs()->ca);
}

void wrong_purpose(struct shown *shown, bool client)
{
    used_for(shown, client, client ? TLSSHIM_USAGE_SERVER : TLSSHIM_USAGE_CLIENT);
}

void code_signing(struct shown *shown, bool client)
{
    used_for(shown, client, TLSSHIM_USAGE_CODE_SIGNING);
}

void authority_as_leaf(struct shown *shown, bool client)
{
    int64_t tmpl = a_leaf_template(client, "www.test");

    ck_assert_ok(tlsshim_template_set_ca(tmpl, -1));
    issue_for(shown, tmpl, wrong_rsa_key, certs()->ca);
}

void no_signing_usage(struct shown *shown, bool client)
{
    good_rsa(shown, client);
    put_extension(shown->leaf, "2.5.29.15", 1, "\x03\x02\x05\x20", 4); /* keyEncipherment alone */
    sign_again(shown->leaf, certs()->ca);
}

static void constrained(struct shown *shown, bool client, int32_t permitted, const char *name)
{
    int64_t tmpl = keep(a_template("")), key = keep(a_key("P-256")), cert;

    ck_assert_ok(tlsshim_template_set_subject(tmpl, str("CN=Bound Intermediate")));
    ck_assert_ok(tlsshim_template_set_ca(tmpl, 0));
    ck_assert_ok(tlsshim_template_add_constraint(tmpl, permitted, str(name)));
    cert = keep(tlsshim_template_issue(tmpl, key, certs()->ca));
    issue_from(shown, client, keep(tlsshim_identity_new(cert, key)));
}

void not_permitted(struct shown *shown, bool client)
{
    constrained(shown, client, 1, "corp.test");
}

void excluded(struct shown *shown, bool client)
{
    constrained(shown, client, 0, "www.test");
}

void critical_extension(struct shown *shown, bool client)
{
    good(shown, client);
    put_extension(shown->leaf, "1.2.3.4.5", 1, "\x05\x00", 2);
    sign_again(shown->leaf, certs()->ca);
}
