#include "general_name.h"

#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "dn.h"
#include "name.h"

const char *general_name_kind(const GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_DNS:
        return "DNS";
    case GEN_IPADD:
        return "IP";
    case GEN_URI:
        return "URI";
    case GEN_EMAIL:
        return "EMAIL";
    case GEN_DIRNAME:
        return "DIRNAME";
    case GEN_RID:
        return "RID";
    default:
        return "OTHER";
    }
}

/* An address, or an address and its mask. */
static void add_address(const ASN1_OCTET_STRING *octets, struct buffer *out)
{
    const unsigned char *data = ASN1_STRING_get0_data(octets);
    int len = ASN1_STRING_length(octets);
    int family = len == 4 || len == 8 ? AF_INET : AF_INET6;
    char text[INET6_ADDRSTRLEN];

    if (len != 4 && len != 8 && len != 16 && len != 32) {
        buffer_text(out, "#");
        buffer_hex(out, data, (size_t)len);
        return;
    }
    buffer_text(out, inet_ntop(family, data, text, sizeof text));
    if (len == 8 || len == 32) {
        buffer_text(out, "/");
        buffer_text(out, inet_ntop(family, data + len / 2, text, sizeof text));
    }
}

static void add_other(const OTHERNAME *other, struct buffer *out)
{
    const ASN1_TYPE *value = other->value;

    dn_type(other->type_id, out);
    buffer_text(out, ";");
    if (value != NULL && (value->type == V_ASN1_UTF8STRING || value->type == V_ASN1_IA5STRING ||
                          value->type == V_ASN1_PRINTABLESTRING)) {
        dn_value(value->value.asn1_string, out);
        return;
    }
    if (value != NULL) {
        unsigned char *der = NULL;
        int len = i2d_ASN1_TYPE(value, &der);

        buffer_text(out, "#");
        if (len > 0)
            buffer_hex(out, der, (size_t)len);
        OPENSSL_free(der);
    }
}

void general_name_value(const GENERAL_NAME *name, struct buffer *out)
{
    char dotted[128];

    switch (name->type) {
    case GEN_DNS:
    case GEN_URI:
    case GEN_EMAIL:
        dn_value(name->d.ia5, out);
        break;
    case GEN_IPADD:
        add_address(name->d.iPAddress, out);
        break;
    case GEN_DIRNAME:
        dn_text(name->d.directoryName, out);
        break;
    case GEN_RID:
        OBJ_obj2txt(dotted, sizeof dotted, name->d.registeredID, 1);
        buffer_text(out, dotted);
        break;
    case GEN_OTHERNAME:
        add_other(name->d.otherName, out);
        break;
    default:
        break;
    }
}

/* --- made from text --- */

static int32_t refused(struct bytes text, const char *why)
{
    struct buffer shown = {0};
    int32_t result;

    buffer_escaped(&shown, text.data, text.len, 100);
    result =
        error_new(TLSSHIM_E_ARGUMENT, "the name \"%.*s\" cannot be: %s", (int)shown.len, (const char *)shown.data, why);
    buffer_free(&shown);
    return result;
}

static int32_t make(int type, const void *data, size_t len, GENERAL_NAME **name)
{
    GENERAL_NAME *made = GENERAL_NAME_new();
    ASN1_STRING *value = ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);

    if (made == NULL || value == NULL || ASN1_STRING_set(value, data, (int)len) != 1) {
        GENERAL_NAME_free(made);
        ASN1_STRING_free(value);
        return TLSSHIM_E_MEMORY;
    }
    GENERAL_NAME_set0_value(made, type, value);
    *name = made;
    return TLSSHIM_OK;
}

static int32_t make_host(struct bytes text, GENERAL_NAME **name)
{
    char host[NAME_LIMIT + 2] = "*.";
    bool wildcard = text.len >= 2 && text.data[0] == '*' && text.data[1] == '.';
    struct bytes rest = {text.data + (wildcard ? 2 : 0), text.len - (wildcard ? 2 : 0)};
    int32_t result;

    if (memchr(rest.data, '*', rest.len) != NULL)
        return refused(text, "a wildcard stands alone as the leftmost label, as in \"*.example.test\"");
    result = name_to_ascii(rest, host + (wildcard ? 2 : 0), sizeof host - 2);
    if (result < 0)
        return result;
    if (wildcard && strchr(host + 2, '.') == NULL)
        return refused(text, "nobody accepts a wildcard right below a top-level domain");
    return make(GEN_DNS, host, strlen(host), name);
}

static bool is_printable(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= 0x20 || text.data[i] >= 0x7f)
            return false;
    return true;
}

static int32_t make_mail(struct bytes text, GENERAL_NAME **name)
{
    const uint8_t *at = memchr(text.data, '@', text.len);
    char mail[2 * NAME_LIMIT];
    size_t local;
    struct bytes domain;
    int32_t result;

    if (at == NULL || at == text.data)
        return refused(text, "a mail address is written local@domain");
    local = (size_t)(at - text.data) + 1;
    domain = (struct bytes){at + 1, text.len - local};
    if (!is_printable((struct bytes){text.data, local}))
        return refused(text, "what stands before the @ must be ASCII without spaces");
    memcpy(mail, text.data, local);
    result = name_to_ascii(domain, mail + local, NAME_LIMIT);
    return result < 0 ? result : make(GEN_EMAIL, mail, strlen(mail + local) + local, name);
}

static int32_t make_uri(struct bytes text, GENERAL_NAME **name)
{
    const uint8_t *colon = memchr(text.data, ':', text.len);
    size_t scheme = colon == NULL ? 0 : (size_t)(colon - text.data);

    if (!is_printable(text))
        return refused(text, "a URI is ASCII without spaces: percent-encode the rest");
    for (size_t i = 0; i < scheme; i++) {
        uint8_t c = text.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool more = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';

        if (!letter && (i == 0 || !more))
            scheme = 0;
    }
    if (scheme == 0 || scheme + 1 == text.len)
        return refused(text, "a URI begins with its scheme, as in \"spiffe://example.test/service\"");
    return make(GEN_URI, text.data, text.len, name);
}

static int32_t make_address(struct bytes text, GENERAL_NAME **name)
{
    uint8_t address[16];
    int len = name_ip_bytes(text, address);

    if (len == 0)
        return refused(text, "it is no IPv4 or IPv6 address");
    return make(GEN_IPADD, address, (size_t)len, name);
}

static const struct {
    const char *text;
    int kind;
} prefixes[] = {{"DNS:", GEN_DNS}, {"IP:", GEN_IPADD}, {"EMAIL:", GEN_EMAIL}, {"URI:", GEN_URI}};

/* The kind told by a prefix, which is taken off, or -1. */
static int prefix_of(struct bytes *text)
{
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t len = strlen(prefixes[i].text);

        if (text->len >= len && strncasecmp((const char *)text->data, prefixes[i].text, len) == 0) {
            text->data += len;
            text->len -= len;
            return prefixes[i].kind;
        }
    }
    return -1;
}

static int infer(struct bytes text)
{
    if (name_is_ip(text))
        return GEN_IPADD;
    if (memmem(text.data, text.len, "://", 3) != NULL)
        return GEN_URI;
    return memchr(text.data, '@', text.len) != NULL ? GEN_EMAIL : GEN_DNS;
}

int32_t general_name_parse(struct bytes text, GENERAL_NAME **name)
{
    int kind = prefix_of(&text);

    if (text.len == 0)
        return error_new(TLSSHIM_E_ARGUMENT, "the name is empty");
    if (kind < 0)
        kind = infer(text);
    switch (kind) {
    case GEN_IPADD:
        return make_address(text, name);
    case GEN_URI:
        return make_uri(text, name);
    case GEN_EMAIL:
        return make_mail(text, name);
    default:
        return make_host(text, name);
    }
}

/* "10.0.0.0/8": the address, then its mask. */
static int32_t make_range(struct bytes text, GENERAL_NAME **name)
{
    const uint8_t *slash = memchr(text.data, '/', text.len);
    struct bytes base = {text.data, slash == NULL ? text.len : (size_t)(slash - text.data)};
    uint8_t range[32] = {0};
    int len = name_ip_bytes(base, range);
    int prefix = 0;

    if (len == 0)
        return refused(text, "a range of addresses is written like \"10.0.0.0/8\" or \"fd00::/8\"");
    if (slash == NULL)
        prefix = 8 * len;
    else if (slash + 1 == text.data + text.len || text.data + text.len - slash > 4)
        return refused(text, "the length of the prefix is missing");
    else
        for (const uint8_t *digit = slash + 1; digit < text.data + text.len; digit++) {
            if (*digit < '0' || *digit > '9')
                return refused(text, "the length of the prefix is a number");
            prefix = prefix * 10 + (*digit - '0');
        }
    if (prefix > 8 * len)
        return refused(text, "the prefix is longer than the address");
    for (int bit = 0; bit < 8 * len; bit++) {
        uint8_t mask = (uint8_t)(0x80 >> bit % 8);

        if (bit < prefix)
            range[len + bit / 8] |= mask;
        else if ((range[bit / 8] & mask) != 0)
            return refused(text, "the address has bits outside its prefix");
    }
    return make(GEN_IPADD, range, 2 * (size_t)len, name);
}

/* A domain, which may begin with a dot: only what is below it. */
static int32_t make_domain(int kind, struct bytes text, GENERAL_NAME **name)
{
    char host[NAME_LIMIT + 1] = ".";
    bool dotted = text.len > 0 && text.data[0] == '.';
    struct bytes rest = {text.data + dotted, text.len - dotted};
    int32_t result = name_to_ascii(rest, host + dotted, sizeof host - 1);

    return result < 0 ? result : make(kind, host, strlen(host), name);
}

int32_t general_name_parse_constraint(struct bytes text, GENERAL_NAME **name)
{
    struct bytes base = text;
    int kind = prefix_of(&text);
    const uint8_t *slash;

    if (text.len == 0)
        return error_new(TLSSHIM_E_ARGUMENT, "the name is empty");
    slash = memchr(text.data, '/', text.len);
    base = (struct bytes){text.data, slash == NULL ? text.len : (size_t)(slash - text.data)};
    if (kind < 0)
        kind = name_is_ip(base) ? GEN_IPADD : memchr(text.data, '@', text.len) != NULL ? GEN_EMAIL : GEN_DNS;
    if (kind == GEN_IPADD)
        return make_range(text, name);
    if (kind == GEN_EMAIL && memchr(text.data, '@', text.len) != NULL)
        return make_mail(text, name);
    return make_domain(kind, text, name);
}
