/* What victims demand of their peers beyond the usual, and what their hosts answer. */
#include "support/pair.h"
#include "wrong.h"

void no_intermediates(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_verify_depth(context, 0));
}

void crl_of_leaf(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_verify_flags(context, TLSSHIM_VERIFY_CRL_LEAF));
}

void crl_of_chain(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_verify_flags(context, TLSSHIM_VERIFY_CRL_CHAIN));
}

void pin_beside(int64_t context)
{
    ck_assert_ok(tlsshim_context_add_pin(context, "nobody has a key of this digest.", 32, TLSSHIM_PIN_AND));
}

void pin_instead(int64_t context)
{
    ck_assert_ok(tlsshim_context_add_pin(context, "nobody has a key of this digest.", 32, TLSSHIM_PIN_INSTEAD));
}

void protocol_if_any(int64_t context)
{
    set_alpn(context, "h2", TLSSHIM_ALPN_CONTINUE);
}

void protocol_or_fail(int64_t context)
{
    set_alpn(context, "h2,http/1.1", TLSSHIM_ALPN_FAIL);
}

void protocol_required(int64_t context)
{
    set_alpn(context, "h2", TLSSHIM_ALPN_REQUIRE);
}

void group_p384(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_groups(context, "P-384", 5));
}

/* Who proves a key is asked for no certificate. */
void psk_known(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_client_certificate(context, TLSSHIM_CLIENT_CERTIFICATE_NONE));
    ck_assert_ok(tlsshim_context_add_psk(context, "meter 7", 7, "the key that the victim expects.", 32));
}

void modern_profile(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_profile(context, "modern", 6));
}

void ask_of_peer(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_events(context, TLSSHIM_EVENT_VERIFY));
}

void ask_of_hello(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_events(context, TLSSHIM_EVENT_HELLO));
}

void staple_asked(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_staple_mode(context, TLSSHIM_STAPLE_ASK));
}

void staple_required(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_staple_mode(context, TLSSHIM_STAPLE_REQUIRE));
}

/* Not in the handshake, but later. */
void certificate_late(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_client_certificate(context, TLSSHIM_CLIENT_CERTIFICATE_NONE));
    ck_assert_ok(tlsshim_context_set_post_handshake(context, 1));
}

void revoked_late(int64_t context)
{
    certificate_late(context);
    crl_of_leaf(context);
}

void ask_of_late_peer(int64_t context)
{
    certificate_late(context);
    ask_of_peer(context);
}

/* In the handshake, and again later. */
void certificate_late_again(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_post_handshake(context, 1));
}

void refuse_46(int64_t conn)
{
    ck_assert_ok(tlsshim_conn_refuse(conn, 46));
}

void accept_peer(int64_t conn)
{
    ck_assert_ok(tlsshim_conn_accept_peer(conn));
}
