#include "setup.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/code.h"
#include "../base/error.h"
#include "../pki/dn.h"
#include "../pki/key.h"
#include "../pki/level.h"
#include "certificate.h"
#include "hello.h"
#include "policy.h"
#include "psk.h"
#include "resume.h"
#include "sealer.h"
#include "strength.h"
#include "staple.h"
#include "verify.h"

/* The events in which a server may be given its identity. */
enum { IDENTITY_EVENTS = TLSSHIM_EVENT_HELLO | TLSSHIM_EVENT_CERTIFICATE };

/* Everything that openssl.cnf's system_default could have set is set again. */
static int32_t ctx_override(SSL_CTX *ctx, const struct settings *s)
{
    const uint64_t options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                             SSL_OP_SINGLE_ECDH_USE | SSL_OP_ENABLE_MIDDLEBOX_COMPAT;
    const uint64_t preference = SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
    const char *sigalgs = settings_server(s) ? s->own_signatures : s->signatures;
    const char *client_sigalgs = settings_server(s) ? s->signatures : s->own_signatures;
    bool done;

    SSL_CTX_clear_options(ctx, UINT64_MAX);
    SSL_CTX_set_options(ctx, options | (s->server_preference ? preference : 0));
    if (sealer_understands_backend())
        SSL_CTX_set_options(ctx, SSL_OP_ENABLE_KTLS);
    if (settings_server(s) && s->tickets == 0)
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_clear_mode(ctx, UINT32_MAX);
    SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN |
                              (s->memory == TLSSHIM_POLICY_IDLE_SMALL ? SSL_MODE_RELEASE_BUFFERS : 0));
    SSL_CTX_set_num_tickets(ctx, 0); /* they go out with the first write */
    SSL_CTX_set_timeout(ctx, (long)s->session_lifetime);
    SSL_CTX_set_quiet_shutdown(ctx, 0);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_block_padding(ctx, 0);
    SSL_CTX_set_max_cert_list(ctx, s->limits[TLSSHIM_LIMIT_PEER_CHAIN]);
    done = SSL_CTX_set_max_send_fragment(ctx, s->limits[TLSSHIM_LIMIT_SEND_FRAGMENT]) == 1 &&
           SSL_CTX_set_min_proto_version(ctx, s->version_min) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, s->version_max) == 1 && psk_set_cipher_list(ctx, s) == 1 &&
           SSL_CTX_set_ciphersuites(ctx, s->ciphersuites) == 1 && SSL_CTX_set1_groups_list(ctx, s->groups) == 1 &&
           SSL_CTX_set1_sigalgs_list(ctx, sigalgs) == 1 && SSL_CTX_set1_client_sigalgs_list(ctx, client_sigalgs) == 1 &&
           SSL_CTX_set_dh_auto(ctx, 1) == 1;
    SSL_CTX_set_security_level(ctx, s->security_level); /* last: a list of ciphers could have set it */
    return done ? TLSSHIM_OK : error_backend(TLSSHIM_E_INTERNAL, "the settings of the context cannot be put in force");
}

int32_t setup_ctx_new(const struct settings *settings, SSL_CTX **ctx)
{
    SSL_CTX *made =
        SSL_CTX_new_ex(backend_context(), NULL, settings_server(settings) ? TLS_server_method() : TLS_client_method());
    int32_t result;

    /* A machine-wide configuration that cannot be applied leaves errors, not a failure. */
    error_forget_backend();
    if (made == NULL)
        return error_backend(TLSSHIM_E_MEMORY, "no memory for a context");
    result = ctx_override(made, settings);
    if (result < 0)
        SSL_CTX_free(made);
    else
        *ctx = made;
    return result;
}

/* The peer has its own anchors: a root at the end of a chain is only weight. */
static int sent_count(const struct cert *cert)
{
    bool root = (X509_get_extension_flags(cert->at[cert->count - 1]) & EXFLAG_SS) != 0;

    return cert->count > 1 && root ? cert->count - 1 : cert->count;
}

int32_t setup_check_identity(const struct identity *identity, int level)
{
    return level_check_chain(identity->cert->at, sent_count(identity->cert), level);
}

static int32_t identity_refused(const struct identity *identity, int level)
{
    int32_t result = setup_check_identity(identity, level);
    char subject[ERROR_NAME_CAP];

    if (result < 0) {
        error_forget_backend();
        return result;
    }
    dn_copy(X509_get_subject_name(identity->cert->at[0]), subject, sizeof subject);
    return error_backend(TLSSHIM_E_FORMAT, "the certificate %s cannot be used", subject);
}

int32_t setup_use_identity(SSL_CTX *ctx, SSL *ssl, const struct identity *identity)
{
    const struct cert *cert = identity->cert;
    STACK_OF(X509) *chain = cert_chain_stack(cert);
    int done;

    if (chain == NULL)
        return TLSSHIM_E_MEMORY;
    if (sent_count(cert) < cert->count)
        (void)sk_X509_pop(chain);
    if (ctx != NULL)
        done = SSL_CTX_use_cert_and_key(ctx, cert->at[0], key_signer(identity->key), chain, 1);
    else
        done = SSL_use_cert_and_key(ssl, cert->at[0], key_signer(identity->key), chain, 1);
    sk_X509_free(chain);
    if (done == 1)
        return TLSSHIM_OK;
    return identity_refused(identity, ctx != NULL ? SSL_CTX_get_security_level(ctx) : SSL_get_security_level(ssl));
}

int32_t setup_use_entry(SSL *ssl, const struct sni_entry *entry)
{
    int32_t result = TLSSHIM_OK;

    SSL_certs_clear(ssl); /* else the default entry's would stay for the types of key that this one has not */
    for (int type = 0; type < SNI_TYPES && result == TLSSHIM_OK; type++)
        if (entry->of[type] != NULL)
            result = setup_use_identity(NULL, ssl, entry->of[type]);
    return result;
}

static int32_t use_default_entry(struct setup *setup)
{
    const struct sni_entry *entry = sni_exact(&setup->settings.identities, (struct bytes){(const uint8_t *)"", 0});
    int32_t result = TLSSHIM_OK;

    for (int type = 0; entry != NULL && type < SNI_TYPES && result == TLSSHIM_OK; type++)
        if (entry->of[type] != NULL)
            result = setup_use_identity(setup->ctx, NULL, entry->of[type]);
    return result;
}

/* The system's; with a pre-shared key a client also does without any, and then accepts no certificate. */
static int32_t trust_of_client(struct setup *setup)
{
    int32_t result = trust_system(&setup->trust);

    if (code_bare(result) != TLSSHIM_E_EMPTY || setup->settings.psks.count == 0)
        return result;
    setup->trust = trust_make();
    return setup->trust == NULL ? TLSSHIM_E_MEMORY : TLSSHIM_OK;
}

static int32_t choose_trust(struct setup *setup)
{
    const struct settings *s = &setup->settings;

    if (s->trust != NULL)
        setup->trust = trust_ref(s->trust);
    else if (pins_have(&s->pins, TLSSHIM_PIN_INSTEAD))
        setup->trust = trust_make(); /* the pins say it all */
    else if (!settings_server(s))
        return trust_of_client(setup);
    else if (s->client_certificate != TLSSHIM_CLIENT_CERTIFICATE_NONE || s->post_handshake)
        return error_new(TLSSHIM_E_EMPTY, "a server that asks for client certificates needs a trust set "
                                          "(context_set_trust)");
    if (setup->trust == NULL)
        return pins_have(&s->pins, TLSSHIM_PIN_INSTEAD) ? TLSSHIM_E_MEMORY : TLSSHIM_OK;
    trust_freeze(setup->trust);
    if (trust_anchors(setup->trust) == 0 && (settings_server(s) || s->psks.count == 0) &&
        (s->insecure & TLSSHIM_INSECURE_CHAIN) == 0 && !pins_have(&s->pins, TLSSHIM_PIN_INSTEAD))
        return error_new(TLSSHIM_E_EMPTY, "the trust set holds no anchor, so no peer could ever be verified");
    return TLSSHIM_OK;
}

static int32_t demand_certificates(struct setup *setup)
{
    const struct settings *s = &setup->settings;
    STACK_OF(X509_NAME) * names;
    int mode = SSL_VERIFY_PEER;

    if (settings_server(s)) {
        if (s->client_certificate == TLSSHIM_CLIENT_CERTIFICATE_NONE)
            mode = SSL_VERIFY_NONE;
        else if (s->client_certificate == TLSSHIM_CLIENT_CERTIFICATE_REQUIRE)
            mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    SSL_CTX_set_verify(setup->ctx, mode, NULL);
    SSL_CTX_set_cert_verify_callback(setup->ctx, verify_peer, setup);
    if (!settings_server(s))
        SSL_CTX_set_post_handshake_auth(setup->ctx, s->post_handshake);
    if (settings_server(s) && (mode != SSL_VERIFY_NONE || s->post_handshake)) {
        names = trust_ca_names(setup->trust);
        if (names == NULL)
            return TLSSHIM_E_MEMORY;
        SSL_CTX_set0_CA_list(setup->ctx, names);
    }
    return TLSSHIM_OK;
}

/* Where sessions are kept. For client certificates a cache is cheaper than tickets that carry them, so a server that
 * asks for certificates uses one unless the host says otherwise or shares ticket keys with other processes. */
static int32_t choose_store(struct setup *setup, struct store *store)
{
    const struct settings *s = &setup->settings;
    int32_t entries = s->session_cache, result = TLSSHIM_OK;

    if (settings_server(s) && entries == SESSION_CACHE_AUTO)
        entries = s->client_certificate != TLSSHIM_CLIENT_CERTIFICATE_NONE && !ticket_ring_given(&store->ring)
                      ? SESSION_CACHE_SIZE
                      : 0;
    if (settings_server(s) && s->tickets == 0)
        entries = 0;
    setup->stateful = settings_server(s) && entries > 0;
    if (setup->stateful)
        SSL_CTX_set_options(setup->ctx, SSL_OP_NO_TICKET);
    if (settings_server(s))
        result = ticket_ring_start(&store->ring);
    if (result == TLSSHIM_OK)
        cache_bound(&store->sessions, entries);
    return result;
}

/* A step that the backend cannot repeat: any signature, and a server's verification. */
static bool needs_helpers(const struct settings *s)
{
    bool verifies =
        settings_server(s) && (s->client_certificate != TLSSHIM_CLIENT_CERTIFICATE_NONE || s->post_handshake);

    return (s->events & TLSSHIM_EVENT_SIGN) != 0 || (verifies && (s->events & TLSSHIM_EVENT_VERIFY) != 0);
}

static int32_t build(struct setup *setup, struct store *store)
{
    const struct settings *s = &setup->settings;
    int32_t result;

    if (settings_server(s) && s->identities.entry_count == 0 && s->psks.count == 0 &&
        (s->events & IDENTITY_EVENTS) == 0)
        return error_new(TLSSHIM_E_EMPTY, "a server needs a certificate and key (context_add_identity), or pre-shared "
                                          "keys (context_add_psk)");
    if (sni_has_external(&s->identities) && (s->events & TLSSHIM_EVENT_SIGN) == 0)
        return error_new(TLSSHIM_E_STATE, "the key of an identity is elsewhere: the context needs the SIGN event "
                                          "(context_set_events)");
    setup->helped = needs_helpers(s);
    setup->sha256 = EVP_MD_fetch(backend_context(), "SHA256", NULL);
    setup->ticket_cipher = EVP_CIPHER_fetch(backend_context(), "AES-256-CBC", NULL);
    if (setup->sha256 == NULL || setup->ticket_cipher == NULL)
        return error_backend(TLSSHIM_E_INTERNAL, "SHA-256 or AES-256-CBC is missing");
    sealer_prepare();
    result = choose_trust(setup);
    if (result == TLSSHIM_OK)
        result = setup_ctx_new(s, &setup->ctx);
    if (result == TLSSHIM_OK)
        result = psk_install(setup); /* first, since ciphers for keys are none without */
    if (result == TLSSHIM_OK)
        result = strength_check(s, setup->ctx);
    if (result == TLSSHIM_OK)
        result = use_default_entry(setup);
    if (result == TLSSHIM_OK)
        result = demand_certificates(setup);
    if (result == TLSSHIM_OK)
        result = policy_rules(setup, setup->rules);
    if (result == TLSSHIM_OK)
        result = choose_store(setup, store); /* last, since it is the one step that changes what serves already */
    if (result == TLSSHIM_OK) {
        keylog_install(setup);
        hello_install(setup);
        certificate_install(setup);
        resume_install(setup);
        staple_install(setup);
    }
    return result;
}

int32_t setup_new(const struct settings *settings, struct store *store, struct setup **setup)
{
    struct setup *made = calloc(1, sizeof *made);
    int32_t result;

    if (made == NULL)
        return TLSSHIM_E_MEMORY;
    refs_start(&made->refs);
    if (!settings_copy(settings, &made->settings)) {
        free(made);
        return TLSSHIM_E_MEMORY;
    }
    result = build(made, store);
    if (result < 0)
        setup_drop(made);
    else
        *setup = made;
    return result;
}

struct setup *setup_ref(struct setup *setup)
{
    refs_take(&setup->refs);
    return setup;
}

void setup_drop(struct setup *setup)
{
    if (setup == NULL || !refs_drop(&setup->refs))
        return;
    SSL_CTX_free(setup->ctx);
    EVP_MD_free(setup->sha256);
    EVP_CIPHER_free(setup->ticket_cipher);
    trust_drop(setup->trust);
    settings_free(&setup->settings);
    free(setup);
}
