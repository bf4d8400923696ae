#include "name.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "dn.h"
#include "general_name.h"

enum { LABEL_MOST = 63, HOST_MOST = 253 };

int name_ip_bytes(struct bytes name, uint8_t out[16])
{
    char text[INET6_ADDRSTRLEN];

    if (name.len >= 2 && name.data[0] == '[' && name.data[name.len - 1] == ']') {
        name.data++;
        name.len -= 2;
        if (memchr(name.data, ':', name.len) == NULL)
            return 0;
    }
    if (name.len == 0 || name.len >= sizeof text || memchr(name.data, 0, name.len) != NULL)
        return 0;
    memcpy(text, name.data, name.len);
    text[name.len] = 0;
    if (inet_pton(AF_INET, text, out) == 1)
        return 4;
    return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

bool name_is_ip(struct bytes name)
{
    uint8_t out[16];

    return name_ip_bytes(name, out) > 0;
}

static bool all_ascii(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (data[i] >= 0x80)
            return false;
    return true;
}

static bool is_host_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Why a lower-case ASCII name is no host name; NULL if it is one. */
static const char *fault_of_host(const char *host)
{
    size_t len = strlen(host);
    bool numeric = true;
    size_t label = 0;

    if (len == 0)
        return "it is empty";
    if (len > HOST_MOST)
        return "it is longer than 253 characters";
    for (size_t i = 0; i <= len; i++) {
        if (host[i] != '.' && host[i] != 0) {
            if (!is_host_character(host[i]))
                return "it holds a character that host names have not";
            if (label == 0)
                numeric = true;
            numeric = numeric && host[i] >= '0' && host[i] <= '9';
            label++;
            continue;
        }
        if (label == 0)
            return "it has an empty label";
        if (label > LABEL_MOST)
            return "it has a label of more than 63 characters";
        if (host[i - 1] == '-' || host[i - label] == '-')
            return "a label begins or ends with a hyphen";
        label = 0;
    }
    return numeric ? "it ends in a number, and is no address either" : NULL;
}

static int32_t not_a_host(struct bytes name, const char *why)
{
    struct buffer shown = {0};
    int32_t result;

    buffer_escaped(&shown, name.data, name.len, 100);
    result =
        error_new(TLSSHIM_E_ARGUMENT, "\"%.*s\" is no host name: %s", (int)shown.len, (const char *)shown.data, why);
    buffer_free(&shown);
    return result;
}

/* International labels become A-labels by IDNA 2008 with the mapping of UTS 46 (case, width). */
static int32_t international(struct bytes name, char *out, size_t cap)
{
    char *text = bytes_dup_text(name);
    char *ascii = NULL;
    int32_t result = TLSSHIM_OK;
    int rc;

    if (text == NULL)
        return TLSSHIM_E_MEMORY;
    rc = idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    free(text);
    if (rc == IDN2_MALLOC)
        return TLSSHIM_E_MEMORY;
    if (rc != IDN2_OK)
        return not_a_host(name, idn2_strerror(rc));
    if (strlen(ascii) >= cap)
        result = not_a_host(name, "it is longer than 253 characters");
    else
        strcpy(out, ascii);
    idn2_free(ascii);
    return result;
}

int32_t name_to_ascii(struct bytes name, char *out, size_t cap)
{
    const char *fault;
    int32_t result = TLSSHIM_OK;

    if (!all_ascii(name.data, name.len)) {
        result = international(name, out, cap);
        if (result < 0)
            return result;
    } else {
        if (name.len >= cap)
            return not_a_host(name, "it is longer than 253 characters");
        for (size_t i = 0; i < name.len; i++) {
            char c = (char)name.data[i];

            out[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        }
        out[name.len] = 0;
    }
    if (out[0] != 0 && out[strlen(out) - 1] == '.')
        out[strlen(out) - 1] = 0;
    fault = fault_of_host(out);
    return fault == NULL ? result : not_a_host(name, fault);
}

static int32_t answer(int found)
{
    if (found == -1)
        return TLSSHIM_E_MEMORY;
    error_forget_backend();
    return found == 1;
}

int32_t name_matches(X509 *leaf, struct bytes name)
{
    uint8_t address[16];
    char host[NAME_LIMIT];
    int len = name_ip_bytes(name, address);
    int32_t result;

    if (len > 0)
        return answer(X509_check_ip(leaf, address, (size_t)len, 0));
    result = name_to_ascii(name, host, sizeof host);
    if (result < 0)
        return result;
    return answer(X509_check_host(leaf, host, strlen(host),
                                  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL));
}

void name_list(X509 *leaf, struct buffer *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    int count = names == NULL ? 0 : sk_GENERAL_NAME_num(names);

    error_forget_backend();
    if (count == 0)
        buffer_text(out, "none");
    for (int i = 0; i < count; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (i > 0)
            buffer_text(out, ", ");
        buffer_text(out, general_name_kind(name));
        buffer_text(out, ":");
        general_name_value(name, out);
    }
    GENERAL_NAMES_free(names);
}
