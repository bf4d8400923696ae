/* Ways in which a peer can be wrong, as data; see ../wrong_peer_test.c. */
#ifndef TESTS_FLOW_WRONG_H
#define TESTS_FLOW_WRONG_H

#include <openssl/x509.h>

#include "support/rogue.h"

/* --- what the peer shows --- */

struct shown {
    X509 *leaf;
    STACK_OF(X509) * rest;
    EVP_PKEY *key;
    uint8_t *staple; /* what a server says beside it; NULL = nothing */
    int32_t staple_len;
    int64_t trust; /* the victim's, if another than usual */
};

/* Makes what everybody shares: once, before the suite runs. */
void wrong_chains_begin(void);
/* Each makes the chain of a client (or of a server) that is wrong in its way. */
typedef void chain_maker(struct shown *shown, bool client);

chain_maker good, expired_leaf, early_leaf, expired_intermediate, early_intermediate, expired_root, self_signed,
    unknown_ca, unknown_root_sent, no_intermediate, other_intermediate, twin_intermediate, intermediate_is_no_ca,
    intermediate_may_not_sign, path_too_long, deep, other_name, partial_wildcard, inner_wildcard, bare_wildcard,
    top_wildcard, address_as_host, other_address, common_name_alone, nul_in_name, damaged_names, name_as_email,
    wrong_purpose, code_signing, authority_as_leaf, no_signing_usage, not_permitted, excluded, critical_extension,
    leaf_revoked, intermediate_revoked, crl_outdated, crl_early, crl_missing, crl_of_intermediates_missing,
    crl_of_another, crl_forged, short_rsa_leaf, short_rsa_intermediate, sha1_leaf, md5_leaf, sha1_intermediate,
    damaged_leaf, damaged_intermediate, wrong_key, huge_chain, staple_revoked, staple_unknown, staple_expired,
    staple_early, staple_by_stranger, staple_by_itself, staple_of_another, staple_damaged, staple_cut, staple_is_excuse,
    staple_good, must_staple;

/* --- how it talks --- */

typedef void hook(struct rogue *rogue, struct piece *piece);
typedef void change(struct rogue *rogue);

/* While the handshake goes on. */
hook bad_finished, bad_signature, other_scheme, no_certificate_message, hello_again, data_before_the_end,
    data_in_the_clear, early_ccs, long_ccs, unknown_record, unknown_message, empty_record, bad_mac, unsealed_finished,
    long_record, long_inside, long_message, certificate_tail, certificate_is_no_der, empty_certificate, warning_flood,
    goodbye_within, fatal_40, fatal_48, short_alert, odd_alert, hello_with_tail, extension_twice, zero_share,
    point_off_the_curve, no_null_compression, broken_server_name, nul_in_server_name, no_groups, unknown_cipher,
    old_version, compressed, unasked_extension, downgrade_1_2, downgrade_1_1, other_session_id, share_of_another_group,
    share_in_encrypted_extensions, two_protocols, curve_not_offered, ticket_before_the_end, update_within, name_another;

/* Before it begins. */
change protocol_not_offered, other_protocol, only_old_versions, only_1_2, only_1_3, no_common_cipher, no_common_group,
    nist_group, no_common_scheme, fallback, wrong_psk, naming, another_name_later, no_client_certificate,
    offer_late_certificate;

/* Once both are connected. */
change late_bad_mac, late_replay, late_gap, late_clear_data, late_long_record, late_ccs, late_bad_update, late_warnings,
    late_fatal, late_odd_handshake, late_renegotiation, late_no_certificate, late_bad_finished,
    late_unasked_certificate;

/* --- what the victim makes of it --- */

typedef void demand(int64_t context);
typedef void answer(int64_t conn);

demand no_intermediates, crl_of_leaf, crl_of_chain, pin_beside, pin_instead, protocol_if_any, protocol_or_fail,
    protocol_required, group_p384, psk_known, modern_profile, ask_of_peer, ask_of_hello, staple_asked, staple_required,
    certificate_late, revoked_late, ask_of_late_peer, certificate_late_again;
answer refuse_46, accept_peer;

/* --- the table --- */

enum { CLIENT = 1, SERVER = 2, BOTH = 3 };
enum { OF_1_2 = 1, OF_1_3 = 2 };

struct wrong {
    const char *way;
    int victims;
    int32_t code;
    int alert;        /* that the victim sends; 0 = none */
    const char *says; /* a part of the victim's text */
    int versions;     /* 0 = both */
    int alert_13;     /* where TLS 1.3 has another; -1 = none */
    const char *says_13;
    const char *says_newer; /* in TLS 1.2 by newer releases of OpenSSL 3.0, with that alert; NULL = the same by all */
    int alert_newer;
    chain_maker *chain; /* NULL = good */
    const char *name;   /* whom the victim wants; NULL: a client "www.test", a server anybody */
    demand *set;        /* what else the victim demands */
    answer *answer;     /* its host's, to the events that it has asked for */
    change *before;
    hook *within;
    change *late;
    bool asks;         /* the victim asks for a certificate once both are connected */
    const char *bytes; /* all that the peer says, in place of TLS */
    size_t len;
    bool ends; /* it hangs up at last */
    bool any;  /* the victim speaks both versions, and the way is tried once */
};

extern const struct wrong wrongs[];
extern const int wrong_count;

#endif
