/* The pre-shared keys of a context, by identity. */
#ifndef SHIM_TLS_PSK_TABLE_H
#define SHIM_TLS_PSK_TABLE_H

#include "../base/bytes.h"
#include "../base/refs.h"

enum { PSK_IDENTITY_LIMIT = 128, PSK_KEY_LEAST = 16, PSK_KEY_LIMIT = 256, PSKS_MOST = 65536 };

struct psk {
    struct refs refs;
    size_t key_len;
    uint8_t key[PSK_KEY_LIMIT];
    char identity[PSK_IDENTITY_LIMIT + 1];
};

/* Sorted by identity. */
struct psk_table {
    struct psk **at;
    size_t count;
};

/* False without memory. */
bool psk_copy(const struct psk_table *from, struct psk_table *to);
void psk_free(struct psk_table *table);
struct psk *psk_find(const struct psk_table *table, struct bytes identity);
/* NULL is allowed by both. */
struct psk *psk_ref(struct psk *psk);
void psk_drop(struct psk *psk);

#endif
