/* The identity table of a context: which certificate for which server name. */
#ifndef SHIM_TLS_SNI_H
#define SHIM_TLS_SNI_H

#include <openssl/types.h>

#include "../base/bytes.h"
#include "../pki/identity.h"

/* One certificate a key type may stand side by side; the client's signature algorithms pick. */
enum sni_type { SNI_RSA, SNI_EC, SNI_ED25519, SNI_ED448, SNI_TYPES };

struct sni_entry {
    struct sni_entry *next;
    struct identity *of[SNI_TYPES];
    char *pattern;     /* lower case; empty = default */
    uint8_t names[32]; /* SHA-256 over the names that the certificates hold: what service this is */
};

struct sni_table {
    struct sni_entry **buckets;
    size_t bucket_count;
    size_t entry_count;
};

/* Adds or replaces; takes a reference. E_ARGUMENT (a bad pattern), E_MISMATCH (the certificate is for other names),
 * E_UNSUPPORTED (a key type that TLS has no use for), E_MEMORY. */
int32_t sni_add(struct sni_table *table, struct identity *identity, struct bytes pattern);
/* The entry for a server name (any case, length 0 = none sent), or the default entry, or NULL. */
const struct sni_entry *sni_find(const struct sni_table *table, struct bytes name);
/* What an entry of this pattern would be for one identity; references nothing. */
int32_t sni_entry_of(struct identity *identity, const char *pattern, struct sni_entry *entry);
/* The entry with this pattern or NULL. */
const struct sni_entry *sni_exact(const struct sni_table *table, struct bytes pattern);
/* True if the key of any is elsewhere. */
bool sni_has_external(const struct sni_table *table);
/* True if some entry has an identity with the same certificate. */
bool sni_holds(const struct sni_table *table, const struct identity *identity);
/* A copy that shares the identities; false without memory. */
bool sni_copy(const struct sni_table *from, struct sni_table *to);
void sni_free(struct sni_table *table);

#endif
