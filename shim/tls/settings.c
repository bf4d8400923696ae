#include "settings.h"

#include <stdlib.h>
#include <string.h>

#include "suites.h"

static bool has_lists(const struct settings *s)
{
    return s->ciphers != NULL && s->ciphersuites != NULL && s->groups != NULL && s->signatures != NULL &&
           s->own_signatures != NULL;
}

bool settings_init(struct settings *settings, int32_t role)
{
    *settings = (struct settings){
        .role = role,
        .client_certificate = TLSSHIM_CLIENT_CERTIFICATE_NONE,
        .verify_depth = 100,
        .chain_cache = 300,
        .staple_mode = TLSSHIM_STAPLE_OFF,
        .security_level = 2,
        .version_min = TLSSHIM_TLS_1_2,
        .version_max = TLSSHIM_TLS_1_3,
        .ciphers = strdup(suites_tls12()),
        .ciphersuites = strdup(suites_tls13()),
        .groups = strdup(suites_groups()),
        .signatures = strdup(suites_signatures()),
        .own_signatures = strdup(suites_signatures()),
        .server_preference = true,
        .alpn_mode = TLSSHIM_ALPN_CONTINUE,
        .tickets = 2,
        .session_cache = role == TLSSHIM_ROLE_SERVER ? SESSION_CACHE_AUTO : 0,
        .session_lifetime = 7200,
        .handshake_timeout = 30000,
        .memory = TLSSHIM_POLICY_IDLE_SMALL,
        .limits = {[TLSSHIM_LIMIT_SEND_FRAGMENT] = 16384,
                   [TLSSHIM_LIMIT_PEER_CHAIN] = 256 * 1024,
                   [TLSSHIM_LIMIT_INPUT] = 128 * 1024, /* whole 64 KiB fit beside a record that is still incomplete */
                   [TLSSHIM_LIMIT_OUTPUT] = 64 * 1024},
    };
    if (has_lists(settings))
        return true;
    settings_free(settings);
    return false;
}

bool settings_copy(const struct settings *from, struct settings *to)
{
    *to = *from;
    to->trust = from->trust == NULL ? NULL : trust_ref(from->trust);
    to->keylog = keylog_ref(from->keylog);
    to->identities = (struct sni_table){0};
    to->psks = (struct psk_table){0};
    to->ciphers = strdup(from->ciphers);
    to->ciphersuites = strdup(from->ciphersuites);
    to->groups = strdup(from->groups);
    to->signatures = strdup(from->signatures);
    to->own_signatures = strdup(from->own_signatures);
    to->alpn = from->alpn_len > 0 ? malloc(from->alpn_len) : NULL;
    if (has_lists(to) && (to->alpn != NULL || from->alpn_len == 0) && sni_copy(&from->identities, &to->identities) &&
        psk_copy(&from->psks, &to->psks)) {
        if (from->alpn_len > 0)
            memcpy(to->alpn, from->alpn, from->alpn_len);
        return true;
    }
    settings_free(to);
    return false;
}

void settings_free(struct settings *settings)
{
    trust_drop(settings->trust);
    keylog_drop(settings->keylog);
    sni_free(&settings->identities);
    psk_free(&settings->psks);
    free(settings->ciphers);
    free(settings->ciphersuites);
    free(settings->groups);
    free(settings->signatures);
    free(settings->own_signatures);
    free(settings->alpn);
    *settings = (struct settings){0};
}
