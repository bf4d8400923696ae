#include "strength.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../pki/level.h"
#include "context.h"
#include "suites.h"
#include "words.h"

enum { LEVEL_DEFAULT = 2, PROFILE_LIMIT = 32 };

static bool legacy(const struct settings *s)
{
    return (s->insecure & TLSSHIM_INSECURE_LEGACY) != 0;
}

static const char *version_name(int32_t version)
{
    return version == TLSSHIM_TLS_1_0 ? "TLS 1.0" : "TLS 1.1";
}

/* --- versions --- */

static int32_t version_check(const struct settings *s, int32_t version)
{
    switch (version) {
    case 0:
    case TLSSHIM_TLS_1_2:
    case TLSSHIM_TLS_1_3:
        return TLSSHIM_OK;
    case TLSSHIM_TLS_1_0:
    case TLSSHIM_TLS_1_1:
        return legacy(s) ? TLSSHIM_OK
                         : error_new(TLSSHIM_E_WEAK,
                                     "%s is broken; the lowest version is TLS 1.2, unless "
                                     "context_insecure_legacy is on",
                                     version_name(version));
    default:
        return error_new(TLSSHIM_E_ARGUMENT, "%#x is no TLS version", (unsigned)version);
    }
}

int32_t tlsshim_context_set_versions(int64_t context, int32_t min, int32_t max)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_versions", &change);

    if (result < 0)
        return result;
    result = version_check(change.settings, min);
    if (result == TLSSHIM_OK)
        result = version_check(change.settings, max);
    if (result == TLSSHIM_OK) {
        min = min == 0 ? TLSSHIM_TLS_1_2 : min;
        max = max == 0 ? TLSSHIM_TLS_1_3 : max;
        if (min > max) {
            result = error_new(TLSSHIM_E_ARGUMENT, "the lowest version is above the highest");
        } else {
            change.settings->version_min = min;
            change.settings->version_max = max;
        }
    }
    return change_end(&change, result);
}

/* --- level --- */

/* What is there already must do at the new level too. */
static int32_t identities_check(const struct settings *s, int32_t level)
{
    int32_t result = TLSSHIM_OK;

    for (size_t i = 0; i < s->identities.bucket_count; i++)
        for (const struct sni_entry *entry = s->identities.buckets[i]; entry != NULL; entry = entry->next)
            for (int type = 0; type < SNI_TYPES && result == TLSSHIM_OK; type++)
                if (entry->of[type] != NULL)
                    result = setup_check_identity(entry->of[type], level);
    return result;
}

static int32_t set_level(struct settings *s, int32_t level)
{
    int32_t result = TLSSHIM_OK;

    if (level > s->security_level)
        result = identities_check(s, level);
    if (result == TLSSHIM_OK)
        s->security_level = level;
    return result;
}

int32_t tlsshim_context_set_security_level(int64_t context, int32_t level)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_security_level", &change);

    if (result < 0)
        return result;
    if (level < 0 || level > LEVEL_MOST)
        result = error_new(TLSSHIM_E_ARGUMENT, "a security level of %d is not within 0..%d", level, LEVEL_MOST);
    else if (level < LEVEL_DEFAULT && !legacy(change.settings))
        result = error_new(TLSSHIM_E_WEAK,
                           "security level %d takes keys that can be broken; the lowest is %d, unless "
                           "context_insecure_legacy is on",
                           level, LEVEL_DEFAULT);
    else
        result = set_level(change.settings, level);
    return change_end(&change, result);
}

/* --- profile --- */

static const struct profile {
    const char *name;
    int32_t version_min;
} profiles[] = {{"modern", TLSSHIM_TLS_1_3}, {"intermediate", TLSSHIM_TLS_1_2}};

enum { LISTS = 5 };

/* All lists as they are in a new context. */
static int32_t lists_renew(struct settings *s)
{
    const char *const usual[LISTS] = {suites_tls12(), suites_tls13(), suites_groups(), suites_signatures(),
                                      suites_signatures()};
    char **const places[LISTS] = {&s->ciphers, &s->ciphersuites, &s->groups, &s->signatures, &s->own_signatures};
    char *made[LISTS];
    bool all = true;

    for (int i = 0; i < LISTS; i++)
        all = (made[i] = strdup(usual[i])) != NULL && all;
    for (int i = 0; i < LISTS; i++) {
        char *gone = all ? *places[i] : made[i];

        *places[i] = all ? made[i] : *places[i];
        free(gone);
    }
    return all ? TLSSHIM_OK : TLSSHIM_E_MEMORY;
}

static int32_t set_profile(struct settings *s, const struct profile *profile)
{
    int32_t result = TLSSHIM_OK;

    if (s->security_level < LEVEL_DEFAULT)
        result = set_level(s, LEVEL_DEFAULT);
    if (result == TLSSHIM_OK)
        result = lists_renew(s);
    if (result == TLSSHIM_OK) {
        s->version_min = profile->version_min;
        s->version_max = TLSSHIM_TLS_1_3;
    }
    return result;
}

int32_t tlsshim_context_set_profile(int64_t context, const void *name, int32_t name_len)
{
    struct change change;
    struct bytes in;
    const struct profile *profile = NULL;
    int32_t result = change_begin(context, "context_set_profile", &change);

    if (result < 0)
        return result;
    result = text_in(name, name_len, PROFILE_LIMIT, "name", &in);
    for (size_t i = 0; result == TLSSHIM_OK && i < sizeof profiles / sizeof profiles[0]; i++)
        if (bytes_equal_text(in, profiles[i].name))
            profile = &profiles[i];
    if (result == TLSSHIM_OK && profile == NULL)
        result = error_new(TLSSHIM_E_ARGUMENT, "\"%.*s\" is no profile: there are modern and intermediate", (int)in.len,
                           (const char *)in.data);
    if (result == TLSSHIM_OK)
        result = set_profile(change.settings, profile);
    return change_end(&change, result);
}

/* --- what is old and weak --- */

/* E_WEAK if something is set that only insecure_legacy allows. */
static int32_t needs_no_legacy(const struct settings *s)
{
    char scheme[WORD_CAP];

    if (s->version_min < TLSSHIM_TLS_1_2)
        return error_new(TLSSHIM_E_WEAK, "%s is still the lowest version (context_set_versions)",
                         version_name(s->version_min));
    if (s->security_level < LEVEL_DEFAULT)
        return error_new(TLSSHIM_E_WEAK, "the security level is still %d (context_set_security_level)",
                         s->security_level);
    if (words_broken_scheme(s->signatures, scheme) || words_broken_scheme(s->own_signatures, scheme))
        return error_new(TLSSHIM_E_WEAK,
                         "the signature scheme %s is still in a list "
                         "(context_set_signature_algorithms)",
                         scheme);
    return TLSSHIM_OK;
}

int32_t tlsshim_context_insecure_legacy(int64_t context, int32_t on)
{
    struct change change;
    int32_t result = change_begin(context, "context_insecure_legacy", &change);

    if (result < 0)
        return result;
    if (on != 0 && on != 1)
        result = error_new(TLSSHIM_E_ARGUMENT, "on is 0 or 1, not %d", on);
    else if (on == 1)
        change.settings->insecure |= TLSSHIM_INSECURE_LEGACY;
    else if ((result = needs_no_legacy(change.settings)) == TLSSHIM_OK)
        change.settings->insecure &= ~(uint32_t)TLSSHIM_INSECURE_LEGACY;
    return change_end(&change, result);
}

/* --- before it serves --- */

/* What was asked for and would silently not be. */
static int32_t legacy_in_force(const struct settings *s)
{
    char scheme[WORD_CAP];

    if (s->security_level == 0)
        return TLSSHIM_OK;
    if (s->version_min < TLSSHIM_TLS_1_2)
        return error_new(TLSSHIM_E_WEAK,
                         "%s works at security level 0 only, and the level is %d "
                         "(context_set_security_level)",
                         version_name(s->version_min), s->security_level);
    if (words_broken_scheme(s->signatures, scheme) || words_broken_scheme(s->own_signatures, scheme))
        return error_new(TLSSHIM_E_WEAK,
                         "the signature scheme %s works at security level 0 only, and the level is %d "
                         "(context_set_security_level)",
                         scheme, s->security_level);
    return TLSSHIM_OK;
}

static bool any_cipher_for(SSL *ssl, bool old)
{
    STACK_OF(SSL_CIPHER) *ciphers = SSL_get1_supported_ciphers(ssl);
    bool any = false;

    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers) && !any; i++) {
        const char *since = SSL_CIPHER_get_version(sk_SSL_CIPHER_value(ciphers, i));

        any = !old || (strcmp(since, "TLSv1.2") != 0 && strcmp(since, "TLSv1.3") != 0);
    }
    sk_SSL_CIPHER_free(ciphers);
    return any;
}

static int32_t ciphers_in_force(const struct settings *s, SSL *ssl)
{
    bool keys = settings_server(s) && s->psks.count > 0; /* whose ciphers the backend does not count for a server */

    if (!any_cipher_for(ssl, false) && !keys)
        return error_new(TLSSHIM_E_WEAK, "none of the ciphers fits the versions and reaches security level %d",
                         s->security_level);
    if (s->version_min < TLSSHIM_TLS_1_2 && !any_cipher_for(ssl, true))
        return error_new(TLSSHIM_E_MISMATCH,
                         "%s needs an older cipher, such as ECDHE-RSA-AES128-SHA, and there is none "
                         "in the list (context_set_ciphers)",
                         version_name(s->version_min));
    return TLSSHIM_OK;
}

int32_t strength_check(const struct settings *settings, SSL_CTX *ctx)
{
    int bits = level_bits(settings->security_level);
    int32_t result = legacy_in_force(settings);
    SSL *ssl;

    if (result < 0)
        return result;
    if (!words_any_scheme(settings->signatures, bits) || !words_any_scheme(settings->own_signatures, bits))
        return error_new(TLSSHIM_E_WEAK, "none of the signature schemes reaches security level %d",
                         settings->security_level);
    ssl = SSL_new(ctx);
    if (ssl == NULL)
        return TLSSHIM_E_MEMORY;
    result = ciphers_in_force(settings, ssl);
    SSL_free(ssl);
    return result;
}
