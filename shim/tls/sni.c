#include "sni.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../pki/key.h"
#include "../pki/name.h"

enum { PATTERN_MOST = 255, FIRST_BUCKETS = 16 };

static size_t hash(const char *text, size_t len)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
    return (size_t)(h ^ h >> 32);
}

static struct sni_entry *find(const struct sni_table *table, const char *pattern, size_t len)
{
    struct sni_entry *entry;

    if (table->bucket_count == 0)
        return NULL;
    entry = table->buckets[hash(pattern, len) % table->bucket_count];
    while (entry != NULL && (strlen(entry->pattern) != len || memcmp(entry->pattern, pattern, len) != 0))
        entry = entry->next;
    return entry;
}

static bool grow(struct sni_table *table)
{
    size_t count = table->bucket_count != 0 ? table->bucket_count * 2 : FIRST_BUCKETS;
    struct sni_entry **buckets;

    if (table->entry_count < table->bucket_count)
        return true;
    buckets = calloc(count, sizeof(struct sni_entry *));
    if (buckets == NULL)
        return false;
    for (size_t i = 0; i < table->bucket_count; i++)
        for (struct sni_entry *entry = table->buckets[i], *next; entry != NULL; entry = next) {
            size_t at = hash(entry->pattern, strlen(entry->pattern)) % count;

            next = entry->next;
            entry->next = buckets[at];
            buckets[at] = entry;
        }
    free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = count;
    return true;
}

static struct sni_entry *entry_of(struct sni_table *table, const char *pattern)
{
    size_t len = strlen(pattern);
    struct sni_entry *entry = find(table, pattern, len);
    size_t at;

    if (entry != NULL || !grow(table))
        return entry;
    entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->pattern = strdup(pattern);
    if (entry->pattern == NULL) {
        free(entry);
        return NULL;
    }
    at = hash(pattern, len) % table->bucket_count;
    entry->next = table->buckets[at];
    table->buckets[at] = entry;
    table->entry_count++;
    return entry;
}

static int type_of(const struct identity *identity)
{
    switch (EVP_PKEY_get_base_id(X509_get0_pubkey(identity->cert->at[0]))) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        return SNI_RSA;
    case EVP_PKEY_EC:
        return SNI_EC;
    case EVP_PKEY_ED25519:
        return SNI_ED25519;
    case EVP_PKEY_ED448:
        return SNI_ED448;
    default:
        return -1;
    }
}

/* Writes the pattern in lower case and checks that the certificate holds it. A wildcard is tried with a label that
 * no certificate is likely to name. */
static int32_t pattern_check(const struct identity *identity, struct bytes pattern, char out[PATTERN_MOST + 1])
{
    static const char any_label[] = "tlsshim-any-label";
    bool wildcard = pattern.len > 2 && pattern.data[0] == '*' && pattern.data[1] == '.';
    struct bytes host = pattern;
    char probe[PATTERN_MOST + sizeof any_label + 2];
    size_t len;
    int32_t result;

    if (wildcard)
        host = (struct bytes){pattern.data + 2, pattern.len - 2};
    if (name_is_ip(host))
        return error_new(TLSSHIM_E_ARGUMENT, "a server name is a host name, never an address (RFC 6066)");
    result = name_to_ascii(host, out + (wildcard ? 2 : 0), PATTERN_MOST + 1U - (wildcard ? 2 : 0));
    if (result < 0)
        return result;
    if (wildcard)
        memcpy(out, "*.", 2);
    len = (size_t)snprintf(probe, sizeof probe, "%s%s", wildcard ? any_label : "", wildcard ? out + 1 : out);
    result = name_matches(identity->cert->at[0], (struct bytes){(const uint8_t *)probe, len});
    if (result == 0) {
        struct buffer names = {0};

        name_list(identity->cert->at[0], &names);
        result = error_new(TLSSHIM_E_MISMATCH, "the certificate is not for \"%s\": %.*s", out, (int)names.len,
                           names.data != NULL ? (const char *)names.data : "");
        buffer_free(&names);
    }
    return result < 0 ? result : TLSSHIM_OK;
}

/* Renewed certificates for the same names give the same value. */
static int32_t digest_names(struct sni_entry *entry)
{
    struct buffer names = {0};
    int32_t result = TLSSHIM_OK;

    for (int type = 0; type < SNI_TYPES; type++) {
        if (entry->of[type] != NULL)
            name_list(entry->of[type]->cert->at[0], &names);
        buffer_text(&names, ";");
    }
    if (names.failed)
        result = TLSSHIM_E_MEMORY;
    else if (EVP_Q_digest(backend_context(), "SHA256", NULL, names.data, names.len, entry->names, NULL) != 1)
        result = error_backend(TLSSHIM_E_INTERNAL, "the certificate's names cannot be digested");
    buffer_free(&names);
    return result;
}

int32_t sni_add(struct sni_table *table, struct identity *identity, struct bytes pattern)
{
    char text[PATTERN_MOST + 1] = "";
    int type = type_of(identity);
    struct sni_entry *entry;
    int32_t result;

    if (type < 0)
        return error_new(TLSSHIM_E_UNSUPPORTED, "a key of this type is of no use in TLS");
    if (pattern.len > 0) {
        result = pattern_check(identity, pattern, text);
        if (result < 0)
            return result;
    }
    entry = entry_of(table, text);
    if (entry == NULL)
        return TLSSHIM_E_MEMORY;
    identity_drop(entry->of[type]);
    entry->of[type] = identity_ref(identity);
    return digest_names(entry);
}

int32_t sni_entry_of(struct identity *identity, const char *pattern, struct sni_entry *entry)
{
    int type = type_of(identity);

    *entry = (struct sni_entry){.pattern = (char *)pattern};
    if (type >= 0)
        entry->of[type] = identity;
    return digest_names(entry);
}

const struct sni_entry *sni_exact(const struct sni_table *table, struct bytes pattern)
{
    return find(table, (const char *)pattern.data, pattern.len);
}

const struct sni_entry *sni_find(const struct sni_table *table, struct bytes name)
{
    char text[PATTERN_MOST + 1];
    const struct sni_entry *entry = NULL;
    const char *dot;
    size_t len = name.len;

    if (len > 0 && len <= PATTERN_MOST) {
        for (size_t i = 0; i < len; i++)
            text[i] = (char)(name.data[i] >= 'A' && name.data[i] <= 'Z' ? name.data[i] + 32 : name.data[i]);
        if (text[len - 1] == '.')
            len--;
        entry = find(table, text, len);
        dot = memchr(text, '.', len);
        if (entry == NULL && dot != NULL && dot > text) { /* *.rest, in place of the first label */
            size_t rest = len - (size_t)(dot - text);

            memmove(text + 1, dot, rest);
            text[0] = '*';
            entry = find(table, text, rest + 1);
        }
    }
    return entry != NULL ? entry : find(table, "", 0);
}

bool sni_has_external(const struct sni_table *table)
{
    for (size_t i = 0; i < table->bucket_count; i++)
        for (const struct sni_entry *entry = table->buckets[i]; entry != NULL; entry = entry->next)
            for (int type = 0; type < SNI_TYPES; type++)
                if (entry->of[type] != NULL && entry->of[type]->key->signer != NULL)
                    return true;
    return false;
}

bool sni_holds(const struct sni_table *table, const struct identity *identity)
{
    int type = type_of(identity);

    for (size_t i = 0; type >= 0 && i < table->bucket_count; i++)
        for (const struct sni_entry *entry = table->buckets[i]; entry != NULL; entry = entry->next) {
            const struct identity *held = entry->of[type];

            if (held == identity || (held != NULL && X509_cmp(held->cert->at[0], identity->cert->at[0]) == 0))
                return true;
        }
    return false;
}

bool sni_copy(const struct sni_table *from, struct sni_table *to)
{
    *to = (struct sni_table){0};
    for (size_t i = 0; i < from->bucket_count; i++)
        for (const struct sni_entry *entry = from->buckets[i]; entry != NULL; entry = entry->next) {
            struct sni_entry *made = entry_of(to, entry->pattern);

            if (made == NULL) {
                sni_free(to);
                return false;
            }
            memcpy(made->names, entry->names, sizeof made->names);
            for (int type = 0; type < SNI_TYPES; type++)
                made->of[type] = entry->of[type] == NULL ? NULL : identity_ref(entry->of[type]);
        }
    return true;
}

void sni_free(struct sni_table *table)
{
    for (size_t i = 0; i < table->bucket_count; i++)
        for (struct sni_entry *entry = table->buckets[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            for (int type = 0; type < SNI_TYPES; type++)
                identity_drop(entry->of[type]);
            free(entry->pattern);
            free(entry);
        }
    free(table->buckets);
    *table = (struct sni_table){0};
}
