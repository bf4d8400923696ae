#include "policy.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "conn.h"

static const char label[] = "tlsshim session rules 1";

static void add_number(struct buffer *rules, int64_t number)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
    buffer_add(rules, bytes, sizeof bytes);
}

/* With its length before it, so that no two rows of values read alike. */
static void add_bytes(struct buffer *rules, const void *data, size_t len)
{
    add_number(rules, (int64_t)len);
    buffer_add(rules, data, len);
}

static int32_t digest(const struct setup *setup, struct buffer *rules, uint8_t out[DIGEST_SIZE])
{
    int32_t result = TLSSHIM_OK;

    if (rules->failed)
        result = TLSSHIM_E_MEMORY;
    else if (EVP_Digest(rules->data, rules->len, out, NULL, setup->sha256, NULL) != 1)
        result = error_backend(TLSSHIM_E_INTERNAL, "the session rules cannot be digested");
    buffer_free(rules);
    return result;
}

static bool add_own_identity(const struct setup *setup, struct buffer *rules)
{
    const struct sni_entry *entry = sni_exact(&setup->settings.identities, (struct bytes){(const uint8_t *)"", 0});

    for (int type = 0; type < SNI_TYPES; type++) {
        uint8_t leaf[DIGEST_SIZE];
        unsigned len = 0;

        if (entry != NULL && entry->of[type] != NULL &&
            X509_digest(entry->of[type]->cert->at[0], setup->sha256, leaf, &len) != 1)
            return false;
        add_bytes(rules, leaf, len);
    }
    return true;
}

static bool add_psks(const struct setup *setup, struct buffer *rules)
{
    const struct psk_table *psks = &setup->settings.psks;

    add_number(rules, (int64_t)psks->count);
    for (size_t i = 0; i < psks->count; i++) {
        uint8_t key[DIGEST_SIZE];

        if (EVP_Digest(psks->at[i]->key, psks->at[i]->key_len, key, NULL, setup->sha256, NULL) != 1)
            return false;
        add_bytes(rules, psks->at[i]->identity, strlen(psks->at[i]->identity));
        add_bytes(rules, key, sizeof key);
    }
    return true;
}

int32_t policy_rules(const struct setup *setup, uint8_t out[DIGEST_SIZE])
{
    const struct settings *s = &setup->settings;
    struct buffer rules = {0};
    uint8_t trust[DIGEST_SIZE];
    int32_t result;

    buffer_add(&rules, label, sizeof label);
    add_number(&rules, s->role);
    add_number(&rules, s->client_certificate);
    add_number(&rules, s->staple_mode);
    add_number(&rules, settings_server(s) && s->post_handshake);
    add_number(&rules, s->verify_depth);
    add_number(&rules, s->verify_flags);
    add_number(&rules, s->insecure);
    add_number(&rules, s->security_level);
    add_number(&rules, s->events & TLSSHIM_EVENT_VERIFY); /* the host has a say in the verdict */
    add_number(&rules, s->version_min);
    add_bytes(&rules, s->signatures, strlen(s->signatures));
    add_number(&rules, s->pins.count);
    for (int i = 0; i < s->pins.count; i++) {
        add_number(&rules, s->pins.at[i].mode);
        buffer_add(&rules, s->pins.at[i].spki, PIN_SIZE);
    }
    if (setup->trust != NULL) {
        result = trust_digest(setup->trust, trust);
        if (result < 0) {
            buffer_free(&rules);
            return result;
        }
        add_bytes(&rules, trust, sizeof trust);
    }
    if (!add_psks(setup, &rules) || (!settings_server(s) && !add_own_identity(setup, &rules))) {
        buffer_free(&rules);
        return error_backend(TLSSHIM_E_INTERNAL, "the own certificate or keys cannot be digested");
    }
    return digest(setup, &rules, out);
}

/* Of a client, in place of its context's; empty = it showed none. */
static bool add_chosen_identity(const struct conn *conn, struct buffer *rules)
{
    uint8_t leaf[DIGEST_SIZE];
    unsigned len = 0;

    if (conn->identity != NULL && X509_digest(conn->identity->cert->at[0], conn->setup->sha256, leaf, &len) != 1)
        return false;
    add_bytes(rules, leaf, len);
    return true;
}

int32_t policy_conn_rules(const struct conn *conn, const struct sni_entry *entry, uint8_t out[DIGEST_SIZE])
{
    struct buffer rules = {0};
    const char *name = conn->verify_name != NULL ? conn->verify_name : "";

    buffer_add(&rules, conn->setup->rules, DIGEST_SIZE);
    add_bytes(&rules, name, strlen(name));
    if (!conn_server(conn) && conn->identity_chosen && !add_chosen_identity(conn, &rules)) {
        buffer_free(&rules);
        return error_backend(TLSSHIM_E_INTERNAL, "the own certificate cannot be digested");
    }
    if (entry != NULL) {
        add_bytes(&rules, entry->pattern, strlen(entry->pattern));
        add_bytes(&rules, entry->names, sizeof entry->names);
    }
    return digest(conn->setup, &rules, out);
}
