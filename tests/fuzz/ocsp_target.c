/* OCSP answers: told, given to servers for stapling, and stapled by one that staples anything to a client that requires
 * a good one. The first byte says who signs the rest anew, once it is about the server's certificate (see SIGNED_BY_),
 * in which version the client is told, whether the signer's certificate is brought along, and whether the signature is
 * a weak one. What may never come of it: an answer that is taken though nobody may have signed it, or though it is not
 * good now; and one that no server would have staple, and a client takes all the same. */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

enum {
    SIGNED_BY_NOBODY,    /* it goes as it is */
    SIGNED_BY_ISSUER,    /* of the server's certificate */
    SIGNED_BY_RESPONDER, /* whom the issuer lets answer */
    SIGNED_BY_CLIENT,    /* whom it does not */
    SIGNERS,
    IN_TLS_1_3 = 4,
    BRINGS_SIGNER = 8,
    WEAK = 16,
};

enum { ANSWER_MOST = 16380, SLACK = 300 + 10 /* while it is judged */, DAY = 86400 };

static struct {
    int64_t whole; /* the server's identity, with its issuer's certificate */
    int64_t alone_server, whole_server;
    int64_t clients[2]; /* of both versions */
    SSL_CTX *servers[2];
    X509 *leaf, *issuer, *signers[SIGNERS];
    EVP_PKEY *keys[SIGNERS];
} stage;

struct trial {
    uint8_t how;
    bool allowed; /* is signed by one who may, as it should be */
    bool good;    /* says of the server's certificate that it is good now */
    uint8_t der[ANSWER_MOST];
    int32_t len;
};

static struct trial *stapled; /* by the servers */

static int staple_anything(SSL *ssl, void *unused)
{
    (void)unused;
    SSL_set_tlsext_status_ocsp_resp(ssl, OPENSSL_memdup(stapled->der, (size_t)stapled->len), stapled->len);
    return SSL_TLSEXT_ERR_OK;
}

static int64_t a_whole_identity(void)
{
    int64_t leaf = fuzz_must(tlsshim_identity_cert(fuzz_stage()->server_identity));
    int64_t issuer = fuzz_must(tlsshim_identity_cert(fuzz_stage()->ca));
    int64_t key = fuzz_must(tlsshim_identity_key(fuzz_stage()->server_identity));
    int32_t len = (int32_t)fuzz_must(tlsshim_cert_export(leaf, TLSSHIM_FORMAT_PEM, fuzz_room, FUZZ_ROOM));
    int64_t chain, made;

    len += (int32_t)fuzz_must(tlsshim_cert_export(issuer, TLSSHIM_FORMAT_PEM, fuzz_room + len, FUZZ_ROOM - len));
    chain = fuzz_must(tlsshim_cert_load(fuzz_room, len));
    made = fuzz_must(tlsshim_identity_new(chain, key));
    fuzz_close(chain);
    fuzz_close(key);
    fuzz_close(issuer);
    fuzz_close(leaf);
    return made;
}

static int64_t a_responder(void)
{
    int64_t key = fuzz_must(tlsshim_key_generate("P-256", 5)), tmpl = fuzz_must(tlsshim_template_new());
    int64_t cert, made;

    fuzz_must(tlsshim_template_set_subject(tmpl, "CN=responder", 12));
    fuzz_must(tlsshim_template_set_usage(tmpl, TLSSHIM_USAGE_OCSP));
    cert = fuzz_must(tlsshim_template_issue(tmpl, key, fuzz_stage()->ca));
    made = fuzz_must(tlsshim_identity_new(cert, key));
    fuzz_close(cert);
    fuzz_close(tmpl);
    fuzz_close(key);
    return made;
}

static X509 *cert_of(int64_t identity)
{
    int64_t cert = fuzz_must(tlsshim_identity_cert(identity));
    int32_t len = (int32_t)fuzz_must(tlsshim_cert_export(cert, TLSSHIM_FORMAT_DER, fuzz_room, FUZZ_ROOM));
    const uint8_t *at = fuzz_room;

    fuzz_close(cert);
    return d2i_X509(NULL, &at, len);
}

static EVP_PKEY *key_of(int64_t identity)
{
    int64_t key = fuzz_must(tlsshim_identity_key(identity));
    int32_t len = (int32_t)fuzz_must(tlsshim_key_export(key, TLSSHIM_FORMAT_DER, "", 0, fuzz_room, FUZZ_ROOM));
    const uint8_t *at = fuzz_room;

    fuzz_close(key);
    return d2i_AutoPrivateKey(NULL, &at, len);
}

static void set_signer(int which, int64_t identity)
{
    stage.signers[which] = cert_of(identity);
    stage.keys[which] = key_of(identity);
}

static SSL_CTX *a_server(int32_t version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = key_of(fuzz_stage()->server_identity);

    if (SSL_CTX_use_cert_and_key(ctx, stage.leaf, key, NULL, 1) != 1)
        fuzz_broken("the peer has a certificate");
    EVP_PKEY_free(key);
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_set_tlsext_status_cb(ctx, staple_anything);
    return ctx;
}

static void begin(void)
{
    int64_t responder = a_responder();

    stage.leaf = cert_of(fuzz_stage()->server_identity);
    stage.issuer = cert_of(fuzz_stage()->ca);
    set_signer(SIGNED_BY_ISSUER, fuzz_stage()->ca);
    set_signer(SIGNED_BY_RESPONDER, responder);
    set_signer(SIGNED_BY_CLIENT, fuzz_stage()->client_identity);
    fuzz_close(responder);
    stage.whole = a_whole_identity();
    stage.alone_server = fuzz_context(TLSSHIM_ROLE_SERVER, 0);
    stage.whole_server = fuzz_context(TLSSHIM_ROLE_SERVER, 0);
    fuzz_must(tlsshim_context_add_identity(stage.whole_server, stage.whole, "www.test", 8));
    for (int i = 0; i < 2; i++) {
        int32_t version = i ? TLSSHIM_TLS_1_3 : TLSSHIM_TLS_1_2;

        stage.clients[i] = fuzz_context(TLSSHIM_ROLE_CLIENT, version);
        fuzz_must(tlsshim_context_set_staple_mode(stage.clients[i], TLSSHIM_STAPLE_REQUIRE));
        stage.servers[i] = a_server(version);
    }
}

/* --- seeds --- */

static void give_seed(const char *name, uint8_t how, const uint8_t *der, int32_t len)
{
    uint8_t seed[1 + 8192] = {how};

    memcpy(seed + 1, der, (size_t)len);
    fuzz_seed(name, seed, 1 + (size_t)len);
}

static void make_seeds(void)
{
    static const char *const names[] = {"", "good", "revoked", "unknown"};
    const int64_t long_ago = 1700000000, last = 253402300799; /* in the year 9999 */
    int64_t leaf = fuzz_must(tlsshim_identity_cert(fuzz_stage()->server_identity)), ca = fuzz_stage()->ca;
    uint8_t der[8192];
    int32_t len = 0;

    for (int status = TLSSHIM_OCSP_UNKNOWN; status >= TLSSHIM_OCSP_GOOD; status--) {
        len = (int32_t)fuzz_must(
            tlsshim_ocsp_issue(leaf, ca, status, long_ago, long_ago, last, der, (int32_t)sizeof der));
        give_seed(names[status], SIGNED_BY_ISSUER | IN_TLS_1_3, der, len);
    }
    give_seed("good-12", SIGNED_BY_ISSUER, der, len);
    give_seed("strange", SIGNED_BY_NOBODY | IN_TLS_1_3, der, len);
    give_seed("responder", SIGNED_BY_RESPONDER | IN_TLS_1_3 | BRINGS_SIGNER, der, len);
    give_seed("unknown-responder", SIGNED_BY_RESPONDER, der, len);
    give_seed("unfit", SIGNED_BY_CLIENT | IN_TLS_1_3 | BRINGS_SIGNER, der, len);
    give_seed("weak", SIGNED_BY_ISSUER | IN_TLS_1_3 | WEAK, der, len);
    len = (int32_t)fuzz_must(
        tlsshim_ocsp_issue(leaf, ca, TLSSHIM_OCSP_GOOD, 0, long_ago - 1, long_ago, der, (int32_t)sizeof der));
    give_seed("expired", SIGNED_BY_ISSUER | IN_TLS_1_3, der, len);
    give_seed("excuse", SIGNED_BY_NOBODY, (const uint8_t *)"\x30\x03\x0a\x01\x06", 5);
    fuzz_close(leaf);
}

/* --- the input, signed anew --- */

/* False if nothing is known of how it is named. */
static bool make_about_leaf(OCSP_SINGLERESP *single)
{
    ASN1_OCTET_STRING *name, *key;
    ASN1_OBJECT *algorithm;
    ASN1_INTEGER *serial;
    uint8_t digest[EVP_MAX_MD_SIZE];
    const EVP_MD *md;
    unsigned len;

    OCSP_id_get0_info(&name, &algorithm, &key, &serial, (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single));
    md = EVP_get_digestbyobj(algorithm);
    return md != NULL && X509_NAME_digest(X509_get_subject_name(stage.issuer), md, digest, &len) == 1 &&
           ASN1_OCTET_STRING_set(name, digest, (int)len) == 1 &&
           X509_pubkey_digest(stage.issuer, md, digest, &len) == 1 &&
           ASN1_OCTET_STRING_set(key, digest, (int)len) == 1 &&
           ASN1_STRING_copy(serial, X509_get0_serialNumber(stage.leaf)) == 1;
}

static bool good_now(OCSP_SINGLERESP *single)
{
    ASN1_GENERALIZEDTIME *from, *until;
    int status = OCSP_single_get0_status(single, NULL, NULL, &from, &until);

    return status == V_OCSP_CERTSTATUS_GOOD &&
           OCSP_check_validity(from, until, SLACK, until == NULL ? DAY + SLACK : -1) == 1;
}

/* The responder is told by key or name, as it was: OpenSSL takes the one for the other, and forgets a key. */
static bool sign_basic(const struct trial *trial, OCSP_BASICRESP *basic)
{
    unsigned long flags = OCSP_NOTIME | ((trial->how & BRINGS_SIGNER) != 0 ? 0 : OCSP_NOCERTS);
    const EVP_MD *digest = (trial->how & WEAK) != 0 ? EVP_sha1() : EVP_sha256();
    const ASN1_OCTET_STRING *key;
    const X509_NAME *name;
    int signer = trial->how % SIGNERS;
    bool made;

    OCSP_resp_get0_id(basic, &key, &name);
    flags |= key != NULL ? OCSP_RESPID_KEY : 0;
    made = OCSP_basic_sign(basic, stage.signers[signer], stage.keys[signer], digest, NULL, flags) == 1;
    ASN1_OCTET_STRING_free((ASN1_OCTET_STRING *)key);
    return made;
}

static void put_response(struct trial *trial, OCSP_RESPONSE *response)
{
    int len = response != NULL ? i2d_OCSP_RESPONSE(response, NULL) : 0;
    uint8_t *at = trial->der;

    if (len <= 0 || len > ANSWER_MOST)
        return;
    trial->len = i2d_OCSP_RESPONSE(response, &at);
    trial->allowed = trial->how % SIGNERS != SIGNED_BY_CLIENT && (trial->how & WEAK) == 0;
}

static void sign_anew(struct trial *trial)
{
    const uint8_t *at = trial->der;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, trial->len), *made = NULL;
    OCSP_BASICRESP *basic = response != NULL ? OCSP_response_get1_basic(response) : NULL;
    OCSP_SINGLERESP *first = basic != NULL ? OCSP_resp_get0(basic, 0) : NULL;

    if (first != NULL && make_about_leaf(first) && sign_basic(trial, basic)) {
        trial->good = good_now(first);
        made = OCSP_response_create(OCSP_response_status(response), basic);
        put_response(trial, made);
    }
    OCSP_RESPONSE_free(made);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
}

/* --- who is asked --- */

static bool taken_by_server(int64_t context, int64_t identity, const struct trial *trial)
{
    bool taken = fuzz_result(tlsshim_context_set_staple(context, identity, trial->der, trial->len)) == TLSSHIM_OK;

    fuzz_must(tlsshim_context_set_staple(context, identity, "", 0));
    return taken && trial->len > 0;
}

static bool carry(BIO *in, BIO *out, int64_t client)
{
    bool moved = false;
    int len;

    while ((len = BIO_read(out, fuzz_room, FUZZ_ROOM)) > 0) {
        moved = true;
        if (fuzz_result(tlsshim_conn_feed(client, fuzz_room, len)) < 0) /* it has failed */
            break;
    }
    while ((len = (int)fuzz_result(tlsshim_conn_drain(client, fuzz_room, FUZZ_ROOM))) > 0) {
        moved = true;
        BIO_write(in, fuzz_room, len);
    }
    return moved;
}

/* The result of the client's handshake. */
static int32_t meet(SSL_CTX *ctx, int64_t client)
{
    SSL *server = SSL_new(ctx);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    int32_t result;

    SSL_set_bio(server, in, out);
    SSL_set_accept_state(server);
    do {
        result = (int32_t)fuzz_result(tlsshim_conn_handshake(client));
        carry(in, out, client);
        (void)SSL_do_handshake(server);
    } while (carry(in, out, client));
    SSL_free(server);
    ERR_clear_error();
    return result;
}

static bool taken_by_client(struct trial *trial)
{
    bool newer = (trial->how & IN_TLS_1_3) != 0;
    int64_t client = fuzz_must(tlsshim_conn_new(stage.clients[newer], "www.test", 8));
    int32_t result;

    stapled = trial;
    result = meet(stage.servers[newer], client);
    if (result == TLSSHIM_WANT_FEED || result == TLSSHIM_WANT_DRAIN)
        fuzz_broken("a handshake goes through or fails");
    fuzz_result(tlsshim_conn_text(client, TLSSHIM_CONN_VERIFY_REPORT, fuzz_room, FUZZ_ROOM));
    if (fuzz_result(tlsshim_conn_bytes(client, TLSSHIM_CONN_STAPLE, fuzz_room, FUZZ_ROOM)) != trial->len ||
        memcmp(fuzz_room, trial->der, (size_t)trial->len) != 0)
        fuzz_broken("a client shows what was stapled");
    fuzz_close(client);
    return result == TLSSHIM_OK;
}

static void try_all(struct trial *trial)
{
    bool alone = taken_by_server(stage.alone_server, fuzz_stage()->server_identity, trial);
    bool whole = taken_by_server(stage.whole_server, stage.whole, trial);
    bool client = trial->len > 0 && taken_by_client(trial);

    fuzz_result(tlsshim_ocsp_text(trial->der, trial->len, fuzz_room, FUZZ_ROOM));
    if ((whole || client) && !trial->allowed)
        fuzz_broken("nobody else signs for the issuer");
    if ((alone || whole || client) && !trial->good)
        fuzz_broken("what is taken says that the certificate is good now");
    if (client && (!whole || !alone))
        fuzz_broken("what clients take can be stapled");
}

void fuzz(const uint8_t *data, size_t len)
{
    static struct trial trial;

    if (stage.whole == 0) {
        begin();
        make_seeds();
    }
    if (len == 0 || len - 1 > ANSWER_MOST)
        return;
    trial = (struct trial){.how = data[0], .len = (int32_t)len - 1};
    memcpy(trial.der, data + 1, len - 1);
    if (trial.how % SIGNERS != SIGNED_BY_NOBODY)
        sign_anew(&trial);
    try_all(&trial);
}
