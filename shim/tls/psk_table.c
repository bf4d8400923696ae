#include "psk_table.h"

#include <stdlib.h>
#include <string.h>

#include "../base/error.h"
#include "context.h"

/* What a table of so many has room for. */
static size_t power_of_two(size_t count)
{
    size_t room = 1;

    while (room < count)
        room *= 2;
    return room;
}

bool psk_copy(const struct psk_table *from, struct psk_table *to)
{
    *to = (struct psk_table){0};
    if (from->count == 0)
        return true;
    to->at = malloc(power_of_two(from->count) * sizeof(struct psk *));
    if (to->at == NULL)
        return false;
    for (; to->count < from->count; to->count++)
        to->at[to->count] = psk_ref(from->at[to->count]);
    return true;
}

struct psk *psk_ref(struct psk *psk)
{
    if (psk != NULL)
        refs_take(&psk->refs);
    return psk;
}

void psk_drop(struct psk *psk)
{
    if (psk == NULL || !refs_drop(&psk->refs))
        return;
    bytes_wipe(psk, sizeof *psk);
    free(psk);
}

void psk_free(struct psk_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        psk_drop(table->at[i]);
    free(table->at);
    *table = (struct psk_table){0};
}

static int compare(struct bytes identity, const struct psk *psk)
{
    size_t len = strlen(psk->identity);
    int order = memcmp(identity.data, psk->identity, identity.len < len ? identity.len : len);

    return order != 0 ? order : (identity.len > len) - (identity.len < len);
}

/* Where the identity is, or would be. */
static size_t place_of(const struct psk_table *table, struct bytes identity, bool *found)
{
    size_t low = 0, high = table->count;

    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = compare(identity, table->at[middle]);

        *found = order == 0;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return high;
}

struct psk *psk_find(const struct psk_table *table, struct bytes identity)
{
    bool found;
    size_t place = place_of(table, identity, &found);

    return found ? table->at[place] : NULL;
}

static bool room_for_one(struct psk_table *table)
{
    size_t room = power_of_two(table->count + 1);
    struct psk **at;

    if (table->count > 0 && room == power_of_two(table->count))
        return true;
    at = realloc(table->at, room * sizeof(struct psk *));
    if (at != NULL)
        table->at = at;
    return at != NULL;
}

static struct psk *psk_new(struct bytes identity, struct bytes key)
{
    struct psk *psk = calloc(1, sizeof *psk);

    if (psk == NULL)
        return NULL;
    refs_start(&psk->refs);
    memcpy(psk->identity, identity.data, identity.len);
    memcpy(psk->key, key.data, key.len);
    psk->key_len = key.len;
    return psk;
}

static int32_t put(struct psk_table *table, struct bytes identity, struct bytes key)
{
    bool found;
    size_t place = place_of(table, identity, &found);
    struct psk *psk = psk_new(identity, key);

    if (psk == NULL || (!found && !room_for_one(table))) {
        psk_drop(psk);
        return TLSSHIM_E_MEMORY;
    }
    if (found) {
        psk_drop(table->at[place]);
    } else {
        memmove(table->at + place + 1, table->at + place, (table->count - place) * sizeof *table->at);
        table->count++;
    }
    table->at[place] = psk;
    return TLSSHIM_OK;
}

static int32_t add_psk(struct settings *s, struct bytes identity, struct bytes key)
{
    bool known = psk_find(&s->psks, identity) != NULL;

    if (identity.len == 0)
        return error_new(TLSSHIM_E_ARGUMENT, "a pre-shared key needs an identity, by which the other end finds it");
    if (key.len < PSK_KEY_LEAST)
        return error_new(TLSSHIM_E_ARGUMENT, "a pre-shared key has at least %d random bytes, not %zu", PSK_KEY_LEAST,
                         key.len);
    if (!settings_server(s) && s->psks.count == 1 && !known)
        return error_new(TLSSHIM_E_LIMIT, "a client has one pre-shared key, and this one has that of \"%s\"",
                         s->psks.at[0]->identity);
    if (s->psks.count == PSKS_MOST && !known)
        return error_new(TLSSHIM_E_LIMIT, "a context holds at most %d pre-shared keys", PSKS_MOST);
    return put(&s->psks, identity, key);
}

int32_t tlsshim_context_add_psk(int64_t context, const void *identity, int32_t identity_len, const void *key,
                                int32_t key_len)
{
    struct change change;
    struct bytes name, secret;
    int32_t result = change_begin(context, "context_add_psk", &change);

    if (result < 0)
        return result;
    result = text_in(identity, identity_len, PSK_IDENTITY_LIMIT, "identity", &name);
    if (result == TLSSHIM_OK)
        result = bytes_in(key, key_len, PSK_KEY_LIMIT, "key", &secret);
    if (result == TLSSHIM_OK)
        result = add_psk(change.settings, name, secret);
    return change_end(&change, result);
}
