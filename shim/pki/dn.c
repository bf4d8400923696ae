#include "dn.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"

void dn_type(const ASN1_OBJECT *type, struct buffer *out)
{
    int nid = OBJ_obj2nid(type);
    char dotted[128];

    if (nid != NID_undef) {
        buffer_text(out, OBJ_nid2sn(nid));
        return;
    }
    OBJ_obj2txt(dotted, sizeof dotted, type, 1);
    buffer_text(out, dotted);
}

/* The characters that RFC 4514 section 2.4 escapes by a backslash, wherever they stand. */
static bool is_special(unsigned char c)
{
    return c == '"' || c == '+' || c == ',' || c == ';' || c == '<' || c == '>' || c == '\\';
}

static void add_text(const unsigned char *s, size_t len, bool escape, struct buffer *out)
{
    for (size_t i = 0; i < len;) {
        size_t n = bytes_utf8_step(s + i, len - i);
        bool at_end = (i == 0 && (s[i] == ' ' || s[i] == '#')) || (i + 1 == len && s[i] == ' ');

        if (n == 0 || s[i] < 0x20 || s[i] == 0x7f) {
            buffer_format(out, "\\%02X", s[i]);
            n = 1;
        } else {
            if ((escape && (is_special(s[i]) || at_end)) || s[i] == '\\')
                buffer_text(out, "\\");
            buffer_add(out, s + i, n);
        }
        i += n;
    }
}

static void add_string(const ASN1_STRING *value, bool escape, struct buffer *out)
{
    int type = ASN1_STRING_type(value);
    unsigned char *text = NULL;
    int len = -1;

    if (type == V_ASN1_BMPSTRING || type == V_ASN1_UNIVERSALSTRING || type == V_ASN1_T61STRING)
        len = ASN1_STRING_to_UTF8(&text, value);
    if (len >= 0)
        add_text(text, (size_t)len, escape, out);
    else {
        error_forget_backend();
        add_text(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value), escape, out);
    }
    OPENSSL_free(text);
}

void dn_value(const ASN1_STRING *value, struct buffer *out)
{
    add_string(value, false, out);
}

static bool is_text(const ASN1_STRING *value)
{
    switch (ASN1_STRING_type(value)) {
    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_T61STRING:
    case V_ASN1_BMPSTRING:
    case V_ASN1_UNIVERSALSTRING:
    case V_ASN1_VISIBLESTRING:
    case V_ASN1_NUMERICSTRING:
        return true;
    default:
        return false;
    }
}

/* A value that is no text: "#" and its DER form. */
static void add_der(const ASN1_STRING *value, struct buffer *out)
{
    ASN1_TYPE any;
    unsigned char *der = NULL;
    int len;

    any.type = ASN1_STRING_type(value);
    any.value.asn1_string = (ASN1_STRING *)value;
    len = i2d_ASN1_TYPE(&any, &der);
    buffer_text(out, "#");
    if (len > 0)
        buffer_hex(out, der, (size_t)len);
    OPENSSL_free(der);
}

void dn_text(const X509_NAME *name, struct buffer *out)
{
    int before = -1;

    for (int i = X509_NAME_entry_count(name) - 1; i >= 0; i--) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
        int set = X509_NAME_ENTRY_set(entry);

        if (before >= 0)
            buffer_text(out, set == before ? "+" : ",");
        before = set;
        dn_type(X509_NAME_ENTRY_get_object(entry), out);
        buffer_text(out, "=");
        if (is_text(value))
            add_string(value, true, out);
        else
            add_der(value, out);
    }
}

void dn_copy(const X509_NAME *name, char *out, size_t cap)
{
    struct buffer text = {0};
    size_t len;

    dn_text(name, &text);
    len = text.len < cap ? text.len : cap - 1;
    while (len < text.len && len > 0 && (text.data[len] & 0xc0) == 0x80)
        len--;
    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = 0;
    buffer_free(&text);
}

/* --- reading --- */

struct parser {
    const uint8_t *at;
    const uint8_t *end;
    X509_NAME *name;
};

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void skip_spaces(struct parser *parser)
{
    while (parser->at < parser->end && *parser->at == ' ')
        parser->at++;
}

static int32_t parse_type(struct parser *parser, ASN1_OBJECT **type)
{
    const uint8_t *start = parser->at;
    char text[64];
    size_t len;

    while (parser->at < parser->end && *parser->at != '=')
        parser->at++;
    len = (size_t)(parser->at - start);
    if (parser->at == parser->end)
        return error_new(TLSSHIM_E_ARGUMENT,
                         "the subject has a part without \"=\": write it like \"CN=www.test,O=Example\"");
    parser->at++;
    while (len > 0 && start[len - 1] == ' ')
        len--;
    if (len > 0 && len < sizeof text) {
        memcpy(text, start, len);
        text[len] = 0;
        *type = OBJ_txt2obj(text, 0);
        if (*type != NULL)
            return TLSSHIM_OK;
        error_forget_backend();
    }
    return error_new(TLSSHIM_E_ARGUMENT,
                     "the subject has a part of unknown type \"%.*s\"; CN, O, OU, C, ST, L are known",
                     len < sizeof text ? (int)len : 16, (const char *)start);
}

/* Reads a value up to the next part, without its escapes. */
static int32_t parse_value(struct parser *parser, struct buffer *value)
{
    size_t keep = 0; /* spaces at the end fall away, escaped ones stay */

    if (parser->at < parser->end && *parser->at == '#')
        return error_new(TLSSHIM_E_ARGUMENT,
                         "the subject has a value in hex form, which is not taken: write a # as \\#");
    while (parser->at < parser->end && *parser->at != ',' && *parser->at != '+' && *parser->at != ';') {
        uint8_t c = *parser->at++;

        if (c == '\\') {
            int high = parser->at < parser->end ? hex_digit(*parser->at) : -1;
            int low = parser->end - parser->at >= 2 ? hex_digit(parser->at[1]) : -1;

            if (parser->at == parser->end)
                return error_new(TLSSHIM_E_ARGUMENT, "the subject ends in a backslash");
            if (high >= 0 && low >= 0) {
                c = (uint8_t)(high << 4 | low);
                parser->at += 2;
            } else {
                c = *parser->at++;
            }
            buffer_add(value, &c, 1);
            keep = value->len;
            continue;
        }
        buffer_add(value, &c, 1);
        if (c != ' ')
            keep = value->len;
    }
    value->len = keep;
    return value->failed ? TLSSHIM_E_MEMORY : TLSSHIM_OK;
}

static int32_t parse_part(struct parser *parser, int set)
{
    ASN1_OBJECT *type = NULL;
    struct buffer value = {0};
    struct buffer called = {0};
    int32_t result;

    skip_spaces(parser);
    result = parse_type(parser, &type);
    if (result < 0)
        return result;
    skip_spaces(parser);
    result = parse_value(parser, &value);
    if (result == TLSSHIM_OK && value.len == 0) {
        dn_type(type, &called);
        result =
            error_new(TLSSHIM_E_ARGUMENT, "the subject's %.*s is empty", (int)called.len, (const char *)called.data);
    } else if (result == TLSSHIM_OK &&
               X509_NAME_add_entry_by_OBJ(parser->name, type, MBSTRING_UTF8, value.data, (int)value.len, 0, set) != 1) {
        dn_type(type, &called);
        result =
            error_backend(TLSSHIM_E_ARGUMENT, "the subject's %.*s cannot be \"%.*s\"", (int)called.len,
                          (const char *)called.data, value.len < 80 ? (int)value.len : 80, (const char *)value.data);
    }
    buffer_free(&value);
    buffer_free(&called);
    ASN1_OBJECT_free(type);
    return result;
}

int32_t dn_parse(struct bytes text, X509_NAME **name)
{
    struct parser parser = {text.data, text.data + text.len, X509_NAME_new()};
    int32_t result = parser.name == NULL ? TLSSHIM_E_MEMORY : TLSSHIM_OK;
    int set = 0; /* text runs from the most specific part: each goes before what is there */

    while (result == TLSSHIM_OK && parser.at < parser.end) {
        result = parse_part(&parser, set);
        if (result == TLSSHIM_OK && parser.at < parser.end) {
            set = *parser.at++ == '+' ? 1 : 0;
            if (parser.at == parser.end)
                result = error_new(TLSSHIM_E_ARGUMENT, "the subject ends in a separator");
        }
    }
    if (result < 0)
        X509_NAME_free(parser.name);
    else
        *name = parser.name;
    return result;
}
