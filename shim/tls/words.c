/* What a context offers in words: ciphers, cipher suites, groups, signature schemes. Each word is tried by itself. */
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "context.h"

enum { LIST_LIMIT = 4096 };

/* Puts words on trial: which of the four lists, and its text. */
struct words {
    const char *what;
    char **place;
    int (*try)(SSL_CTX *ctx, const char *words);
};

static int try_groups(SSL_CTX *ctx, const char *words)
{
    return (int)SSL_CTX_set1_groups_list(ctx, words);
}

/* Every word must be known: the backend itself is content with one that is. What is only taken away may be anything. */
static int32_t words_check(SSL_CTX *probe, const struct words *words, const char *list)
{
    static const char between[] = ": ,;";
    char word[128];
    bool any = false;

    for (const char *at = list; *at != 0; at += strcspn(at, between), at += *at != 0) {
        size_t len = strcspn(at, between);

        if (len == 0 || *at == '!' || *at == '-')
            continue;
        snprintf(word, sizeof word, "%.*s", (int)len, at);
        if (strncmp(word, "@SECLEVEL", 9) == 0)
            return error_new(TLSSHIM_E_WEAK, "the security level is not a matter of cipher lists: %s", word);
        any = any || *at != '@';
        if (*at != '@' && words->try(probe, word + (*at == '+')) != 1)
            return error_backend(TLSSHIM_E_FORMAT, "\"%s\" is no %s that the backend knows", word, words->what);
    }
    if (any && words->try(probe, list) == 1)
        return TLSSHIM_OK;
    return error_backend(TLSSHIM_E_FORMAT, "\"%s\" names no %s", list, words->what);
}

/* A cipher without secrecy or without a proof of who the peer is. */
static int32_t ciphers_check(SSL_CTX *probe)
{
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(probe);

    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);

        if (SSL_CIPHER_get_bits(cipher, NULL) < 112 || SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null)
            return error_new(TLSSHIM_E_WEAK, "the cipher %s gives no secrecy or does not tell who the peer is",
                             SSL_CIPHER_get_name(cipher));
    }
    return TLSSHIM_OK;
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

static int32_t set_words(int64_t context, const char *setter, const void *text, int32_t text_len, size_t place,
                         struct words words)
{
    struct change change;
    struct bytes in;
    SSL_CTX *probe;
    char *list;
    int32_t result = change_begin(context, setter, &change);

    if (result < 0)
        return result;
    result = text_in(text, text_len, LIST_LIMIT, words.what, &in);
    if (result == TLSSHIM_OK)
        result = setup_ctx_new(change.settings, &probe);
    if (result < 0)
        return change_end(&change, result);
    list = bytes_dup_text(in);
    words.place = (char **)(void *)((char *)change.settings + place);
    if (list == NULL) {
        result = TLSSHIM_E_MEMORY;
    } else {
        if (words.try == try_groups)
            optional_words(probe, &words, list);
        result = words_check(probe, &words, list);
        if (result == TLSSHIM_OK && words.try == SSL_CTX_set_cipher_list)
            result = ciphers_check(probe);
        if (result == TLSSHIM_OK) {
            free(*words.place);
            *words.place = list;
            list = NULL;
        }
    }
    free(list);
    SSL_CTX_free(probe);
    return change_end(&change, result);
}

int32_t tlsshim_context_set_ciphers(int64_t context, const void *tls12, int32_t tls12_len)
{
    return set_words(context, "context_set_ciphers", tls12, tls12_len, offsetof(struct settings, ciphers),
                     (struct words){.what = "TLS 1.2 cipher", .try = SSL_CTX_set_cipher_list});
}

int32_t tlsshim_context_set_ciphersuites(int64_t context, const void *tls13, int32_t tls13_len)
{
    return set_words(context, "context_set_ciphersuites", tls13, tls13_len, offsetof(struct settings, ciphersuites),
                     (struct words){.what = "TLS 1.3 cipher suite", .try = SSL_CTX_set_ciphersuites});
}

int32_t tlsshim_context_set_groups(int64_t context, const void *list, int32_t list_len)
{
    return set_words(context, "context_set_groups", list, list_len, offsetof(struct settings, groups),
                     (struct words){.what = "group", .try = try_groups});
}
