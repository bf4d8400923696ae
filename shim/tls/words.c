/* What a context offers in words: ciphers, cipher suites, groups, signature schemes. Each word is tried by itself. */
#include "words.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "context.h"
#include "suites.h"

enum { LIST_LIMIT = 4096, SCHEME_MOST = 64 };

static const char between[] = ": ,;";

/* A kind of list: how its words are tried, and which of them are refused as too weak. */
struct words {
    const char *what;
    int (*try)(SSL_CTX *ctx, const char *words);
    int32_t (*weigh)(const struct settings *settings, SSL_CTX *probe, const char *list);
    bool operators; /* words may begin with '!', '-', '+' or '@' */
    bool optional;  /* or with '?' */
};

/* Every word must be known: the backend itself is content with one that is. What is only taken away may be anything. */
static int32_t words_check(SSL_CTX *probe, const struct words *words, const char *list)
{
    char word[WORD_CAP];
    bool any = false;

    for (const char *at = list; *at != 0; at += strcspn(at, between), at += *at != 0) {
        size_t len = strcspn(at, between);
        bool mark = words->operators && strchr("!-+@", *at) != NULL;

        if (len == 0 || (mark && (*at == '!' || *at == '-')))
            continue;
        snprintf(word, sizeof word, "%.*s", (int)len, at);
        if (strstr(word, "@SECLEVEL") != NULL) /* not only at its head: "DEFAULT@SECLEVEL=0" is one word */
            return error_new(TLSSHIM_E_WEAK,
                             "the security level is not a matter of cipher lists (context_set_security_level): %s",
                             word);
        any = any || *at != '@';
        if ((!mark || *at != '@') && words->try(probe, word + mark) != 1)
            return error_backend(TLSSHIM_E_FORMAT, "\"%s\" is no %s that the backend knows", word, words->what);
    }
    if (any && words->try(probe, list) == 1)
        return TLSSHIM_OK;
    return error_backend(TLSSHIM_E_FORMAT, "\"%s\" names no %s%s", list, words->what,
                         any && !words->operators ? ", or one twice" : "");
}

/* "?name" is dropped where the backend lacks it, the mark where it does not. */
static void optional_words(SSL_CTX *probe, const struct words *words, char *list)
{
    char *to = list;

    for (char *at = list; *at != 0;) {
        size_t len = strcspn(at, ":");
        char end = at[len];
        bool optional = at[0] == '?';
        char *word = optional ? at + 1 : at;

        at[len] = 0;
        if (!optional || words->try(probe, word) == 1) {
            size_t word_len = strlen(word);

            if (to != list)
                *to++ = ':';
            memmove(to, word, word_len);
            to += word_len;
        }
        at += len + (end != 0);
    }
    *to = 0;
}

static void put(char **place, char *list)
{
    free(*place);
    *place = list;
}

/* Puts a checked list in place of the one before; "otherwise" stands for an empty one, unless it is NULL. */
static int32_t words_take(const struct settings *settings, const struct words *words, const void *text,
                          int32_t text_len, const char *otherwise, char **place)
{
    struct bytes in;
    SSL_CTX *probe;
    char *copy;
    int32_t result = text_in(text, text_len, LIST_LIMIT, words->what, &in);

    if (result == TLSSHIM_OK)
        result = setup_ctx_new(settings, &probe);
    if (result < 0)
        return result;
    copy = in.len == 0 && otherwise != NULL ? strdup(otherwise) : bytes_dup_text(in);
    if (copy == NULL) {
        result = TLSSHIM_E_MEMORY;
    } else {
        if (words->optional)
            optional_words(probe, words, copy);
        result = words_check(probe, words, copy);
        if (result == TLSSHIM_OK && words->weigh != NULL)
            result = words->weigh(settings, probe, copy);
    }
    SSL_CTX_free(probe);
    if (result < 0)
        free(copy);
    else
        put(place, copy);
    return result;
}

/* --- ciphers and suites --- */

/* A cipher without secrecy or without a proof of who the peer is. */
static int32_t weigh_ciphers(const struct settings *settings, SSL_CTX *probe, const char *list)
{
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(probe);
    int least = (settings->insecure & TLSSHIM_INSECURE_LEGACY) != 0 ? 1 : 112;

    (void)list;
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);

        if (SSL_CIPHER_get_bits(cipher, NULL) < least || SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null)
            return error_new(TLSSHIM_E_WEAK, "the cipher %s gives no secrecy or does not tell who the peer is",
                             SSL_CIPHER_get_name(cipher));
    }
    return TLSSHIM_OK;
}

int32_t tlsshim_context_set_ciphers(int64_t context, const void *tls12, int32_t tls12_len)
{
    static const struct words words = {
        .what = "TLS 1.2 cipher", .try = SSL_CTX_set_cipher_list, .weigh = weigh_ciphers, .operators = true};
    struct change change;
    int32_t result = change_begin(context, "context_set_ciphers", &change);

    if (result < 0)
        return result;
    result = words_take(change.settings, &words, tls12, tls12_len, NULL, &change.settings->ciphers);
    return change_end(&change, result);
}

int32_t tlsshim_context_set_ciphersuites(int64_t context, const void *tls13, int32_t tls13_len)
{
    static const struct words words = {.what = "TLS 1.3 cipher suite", .try = SSL_CTX_set_ciphersuites};
    struct change change;
    int32_t result = change_begin(context, "context_set_ciphersuites", &change);

    if (result < 0)
        return result;
    result = words_take(change.settings, &words, tls13, tls13_len, NULL, &change.settings->ciphersuites);
    return change_end(&change, result);
}

/* --- groups --- */

static int try_groups(SSL_CTX *ctx, const char *words)
{
    return (int)SSL_CTX_set1_groups_list(ctx, words);
}

int32_t tlsshim_context_set_groups(int64_t context, const void *list, int32_t list_len)
{
    static const struct words words = {.what = "group", .try = try_groups, .optional = true};
    struct change change;
    int32_t result = change_begin(context, "context_set_groups", &change);

    if (result < 0)
        return result;
    result = words_take(change.settings, &words, list, list_len, NULL, &change.settings->groups);
    return change_end(&change, result);
}

/* --- signature schemes --- */

/* Bits of security: half the digest's, which every scheme has in its name but EdDSA's; 0 for the broken ones. */
static int scheme_bits(const char *scheme)
{
    static const struct {
        const char *part;
        int bits;
    } strengths[] = {{"512", 256}, {"384", 192}, {"ed448", 224}, {"ed25519", 128}, {"256", 128}, {"224", 112}};

    for (size_t i = 0; i < sizeof strengths / sizeof strengths[0]; i++)
        if (strcasestr(scheme, strengths[i].part) != NULL)
            return strengths[i].bits;
    return 0;
}

static bool next_scheme(const char **list, char scheme[WORD_CAP])
{
    size_t len;

    *list += strspn(*list, between);
    len = strcspn(*list, between);
    snprintf(scheme, WORD_CAP, "%.*s", (int)len, *list);
    *list += len;
    return len > 0;
}

bool words_broken_scheme(const char *list, char scheme[WORD_CAP])
{
    while (next_scheme(&list, scheme))
        if (scheme_bits(scheme) == 0)
            return true;
    return false;
}

bool words_any_scheme(const char *list, int bits)
{
    char scheme[WORD_CAP];

    while (next_scheme(&list, scheme))
        if (scheme_bits(scheme) >= bits)
            return true;
    return false;
}

static int32_t weigh_schemes(const struct settings *settings, SSL_CTX *probe, const char *list)
{
    char scheme[WORD_CAP];

    (void)probe;
    if ((settings->insecure & TLSSHIM_INSECURE_LEGACY) != 0 || !words_broken_scheme(list, scheme))
        return TLSSHIM_OK;
    return error_new(TLSSHIM_E_WEAK, "\"%s\" signs a digest that can be forged (context_insecure_legacy allows it)",
                     scheme);
}

static int try_schemes(SSL_CTX *ctx, const char *words)
{
    return (int)SSL_CTX_set1_sigalgs_list(ctx, words);
}

int32_t tlsshim_context_set_signature_algorithms(int64_t context, const void *accepted, int32_t accepted_len,
                                                 const void *own, int32_t own_len)
{
    static const struct words words = {.what = "signature scheme", .try = try_schemes, .weigh = weigh_schemes};
    struct change change;
    char *theirs = NULL; /* until the other list is known to be good */
    int32_t result = change_begin(context, "context_set_signature_algorithms", &change);

    if (result < 0)
        return result;
    result = words_take(change.settings, &words, accepted, accepted_len, suites_signatures(), &theirs);
    if (result == TLSSHIM_OK)
        result =
            words_take(change.settings, &words, own, own_len, suites_signatures(), &change.settings->own_signatures);
    if (result == TLSSHIM_OK)
        put(&change.settings->signatures, theirs);
    else
        free(theirs);
    return change_end(&change, result);
}
