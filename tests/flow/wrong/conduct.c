/* What wrong peers are set to do from the beginning, and what they do once they are connected. */
#include <stdio.h>
#include <string.h>

#include "talk.h"

/* --- before it begins --- */

static int choose_unoffered(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                            unsigned in_len, void *arg)
{
    (void)ssl, (void)in, (void)in_len, (void)arg;
    *out = (const unsigned char *)"zz";
    *out_len = 2;
    return SSL_TLSEXT_ERR_OK;
}

void protocol_not_offered(struct rogue *rogue)
{
    SSL_CTX_set_alpn_select_cb(rogue->ctx, choose_unoffered, NULL);
}

void other_protocol(struct rogue *rogue)
{
    SSL_set_alpn_protos(rogue->ssl, (const uint8_t *)"\2zz", 3);
}

void only_old_versions(struct rogue *rogue)
{
    SSL_set_min_proto_version(rogue->ssl, TLS1_VERSION);
    SSL_set_max_proto_version(rogue->ssl, TLS1_1_VERSION);
    SSL_set_cipher_list(rogue->ssl, "ALL");
}

void only_1_2(struct rogue *rogue)
{
    SSL_set_max_proto_version(rogue->ssl, TLS1_2_VERSION);
}

void only_1_3(struct rogue *rogue)
{
    SSL_set_min_proto_version(rogue->ssl, TLS1_3_VERSION);
}

void no_common_cipher(struct rogue *rogue)
{
    SSL_set_cipher_list(rogue->ssl, "ECDHE-ECDSA-AES128-SHA:AES128-SHA");
    SSL_set_ciphersuites(rogue->ssl, "TLS_AES_128_CCM_SHA256");
}

void no_common_group(struct rogue *rogue)
{
    ck_assert_int_eq((int)SSL_set1_groups_list(rogue->ssl, "brainpoolP256r1:ffdhe2048"), 1);
}

void nist_group(struct rogue *rogue)
{
    ck_assert_int_eq((int)SSL_set1_groups_list(rogue->ssl, "P-256"), 1);
}

void no_common_scheme(struct rogue *rogue)
{
    ck_assert_int_eq((int)SSL_set1_sigalgs_list(rogue->ssl, "ed448"), 1);
}

void fallback(struct rogue *rogue)
{
    SSL_set_mode(rogue->ssl, SSL_MODE_SEND_FALLBACK_SCSV);
    only_1_2(rogue);
}

static unsigned tell_wrong_psk(SSL *ssl, const char *hint, char *identity, unsigned identity_cap, unsigned char *key,
                               unsigned key_cap)
{
    (void)ssl, (void)hint;
    ck_assert_uint_ge(key_cap, 32);
    snprintf(identity, identity_cap, "meter 7");
    memcpy(key, "another key than the victim has.", 32);
    return 32;
}

void wrong_psk(struct rogue *rogue)
{
    SSL_set_psk_client_callback(rogue->ssl, tell_wrong_psk);
}

void naming(struct rogue *rogue)
{
    ck_assert_int_eq((int)SSL_set_tlsext_host_name(rogue->ssl, "www.test"), 1);
}

void another_name_later(struct rogue *rogue)
{
    ck_assert_int_eq((int)SSL_set1_groups_list(rogue->ssl, "X25519:P-384"), 1);
    naming(rogue);
    rogue->hook = name_another;
}

void no_client_certificate(struct rogue *rogue)
{
    SSL_certs_clear(rogue->ssl);
}

void offer_late_certificate(struct rogue *rogue)
{
    SSL_set_post_handshake_auth(rogue->ssl, 1);
}

/* --- once both are connected --- */

void late_bad_mac(struct rogue *rogue)
{
    rogue->spoil = true;
    rogue_say(rogue, DATA, "spoilt", 6);
}

void late_replay(struct rogue *rogue)
{
    size_t before = rogue->wire.len;

    rogue_say(rogue, DATA, "", 0);
    rogue_raw(rogue, rogue->wire.data + before, rogue->wire.len - before);
}

void late_gap(struct rogue *rogue)
{
    rogue->saying.sequence++;
}

void late_clear_data(struct rogue *rogue)
{
    rogue_raw(rogue, "\27\3\3\0\44this is not sealed, though it should be", 5 + 36);
}

void late_long_record(struct rogue *rogue)
{
    rogue_raw(rogue, "\27\3\3\x48\1", 5);
}

void late_ccs(struct rogue *rogue)
{
    rogue_raw(rogue, "\24\3\3\0\1\1", 6);
}

void late_bad_update(struct rogue *rogue)
{
    rogue_say(rogue, HANDSHAKE, (char[]){KEY_UPDATE, 0, 0, 1, 7}, 5);
}

void late_warnings(struct rogue *rogue)
{
    flood(rogue, (char[]){1, USER_CANCELED});
}

void late_fatal(struct rogue *rogue)
{
    rogue_say(rogue, ALERT, (char[]){2, 80}, 2);
}

void late_odd_handshake(struct rogue *rogue)
{
    rogue_say(rogue, HANDSHAKE, (char[]){SERVER_DONE, 0, 0, 0}, 4);
}

void late_renegotiation(struct rogue *rogue)
{
    SSL_renegotiate(rogue->ssl);
    rogue_step(rogue);
}

void late_no_certificate(struct rogue *rogue)
{
    SSL_certs_clear(rogue->ssl);
}

/* The next one that it sends. */
void late_bad_finished(struct rogue *rogue)
{
    rogue->hook = bad_finished;
}

void late_unasked_certificate(struct rogue *rogue)
{
    rogue_say(rogue, HANDSHAKE, (char[]){CERTIFICATE, 0, 0, 4, 0, 0, 0, 0}, 8);
}
