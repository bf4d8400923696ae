/* The ways in which a peer can be wrong. A new one is a line here, and where
 * it needs that a chain or a way to talk. */
#include <string.h>

#include "support/pair.h"
#include "wrong.h"

/* --- what victims demand --- */

static void no_intermediates(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_verify_depth(context, 0));
}

static void crl_of_leaf(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_verify_flags(context, TLSSHIM_VERIFY_CRL_LEAF));
}

static void crl_of_chain(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_verify_flags(context, TLSSHIM_VERIFY_CRL_CHAIN));
}

static void pin_beside(int64_t context)
{
    ck_assert_ok(tlsshim_context_add_pin(context, "nobody has a key of this digest.", 32, TLSSHIM_PIN_AND));
}

static void pin_instead(int64_t context)
{
    ck_assert_ok(tlsshim_context_add_pin(context, "nobody has a key of this digest.", 32, TLSSHIM_PIN_INSTEAD));
}

static void protocol_if_any(int64_t context)
{
    set_alpn(context, "h2", TLSSHIM_ALPN_CONTINUE);
}

static void protocol_or_fail(int64_t context)
{
    set_alpn(context, "h2,http/1.1", TLSSHIM_ALPN_FAIL);
}

static void protocol_required(int64_t context)
{
    set_alpn(context, "h2", TLSSHIM_ALPN_REQUIRE);
}

static void group_p384(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_groups(context, "P-384", 5));
}

static void ask_of_peer(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_events(context, TLSSHIM_EVENT_VERIFY));
}

static void ask_of_hello(int64_t context)
{
    ck_assert_ok(tlsshim_context_set_events(context, TLSSHIM_EVENT_HELLO));
}

static void refuse_46(int64_t conn)
{
    ck_assert_ok(tlsshim_conn_refuse(conn, 46));
}

static void accept_peer(int64_t conn)
{
    ck_assert_ok(tlsshim_conn_accept_peer(conn));
}

/* Alerts (RFC 8446 section 6), by their names there. Three are not what the RFC would have, and cannot be changed from
 * outside OpenSSL: internal_error where a record of TLS 1.2 is too short to be sealed, illegal_parameter where a
 * change_cipher_spec of TLS 1.3 is malformed, decode_error where a hello of TLS 1.3 demands compression. */
enum {
    UNEXPECTED_MESSAGE = 10,
    BAD_RECORD_MAC = 20,
    RECORD_OVERFLOW = 22,
    HANDSHAKE_FAILURE = 40,
    BAD_CERTIFICATE = 42,
    UNSUPPORTED_CERTIFICATE = 43,
    CERTIFICATE_REVOKED = 44,
    CERTIFICATE_EXPIRED = 45,
    CERTIFICATE_UNKNOWN = 46,
    ILLEGAL_PARAMETER = 47,
    UNKNOWN_CA = 48,
    DECODE_ERROR = 50,
    DECRYPT_ERROR = 51,
    PROTOCOL_VERSION = 70,
    INTERNAL_ERROR = 80,
    INAPPROPRIATE_FALLBACK = 86,
    MISSING_EXTENSION = 109,
    UNSUPPORTED_EXTENSION = 110,
    CERTIFICATE_REQUIRED = 116,
    NO_APPLICATION_PROTOCOL = 120,
};

#define BYTES(text) .bytes = (text), .len = sizeof(text) - 1

const struct wrong wrongs[] = {
    /* Time. */
    {"its certificate has expired", BOTH, TLSSHIM_E_EXPIRED, CERTIFICATE_EXPIRED, "certificate expired on 20",
     .chain = expired_leaf},
    {"its certificate is not valid yet", BOTH, TLSSHIM_E_EXPIRED, CERTIFICATE_EXPIRED,
     "certificate is not valid before 20", .chain = early_leaf},
    {"its intermediate has expired", BOTH, TLSSHIM_E_EXPIRED, CERTIFICATE_EXPIRED, "(depth 1, CN=Wrong Intermediate)",
     .chain = expired_intermediate},
    {"its intermediate is not valid yet", BOTH, TLSSHIM_E_EXPIRED, CERTIFICATE_EXPIRED,
     "(depth 1, CN=Wrong Intermediate)", .chain = early_intermediate},
    {"its root has expired", BOTH, TLSSHIM_E_EXPIRED, CERTIFICATE_EXPIRED, "(depth 1, CN=Old Root)",
     .chain = expired_root},

    /* Who issued. */
    {"its certificate is signed by itself", BOTH, TLSSHIM_E_VERIFY, UNKNOWN_CA, "is signed by itself",
     .chain = self_signed},
    {"its authority is unknown", BOTH, TLSSHIM_E_VERIFY, UNKNOWN_CA, "the issuer \"CN=Other CA\"", .chain = unknown_ca},
    {"its authority is unknown and sent along", BOTH, TLSSHIM_E_VERIFY, UNKNOWN_CA, "not among the 1 anchors",
     .chain = unknown_root_sent},
    {"it sends no intermediate", BOTH, TLSSHIM_E_VERIFY, UNKNOWN_CA, "send the intermediate certificate",
     .chain = no_intermediate},
    {"it sends another intermediate", BOTH, TLSSHIM_E_VERIFY, UNKNOWN_CA, "the issuer \"CN=Wrong Intermediate\"",
     .chain = other_intermediate},
    {"its intermediate has the name and not the key", BOTH, TLSSHIM_E_VERIFY, BAD_CERTIFICATE,
     "is not by the key of \"CN=Wrong Intermediate\"", .chain = twin_intermediate},
    {"its intermediate is no authority", BOTH, TLSSHIM_E_VERIFY, UNKNOWN_CA, "is no authority",
     .chain = intermediate_is_no_ca},
    {"its intermediate may not sign certificates", BOTH, TLSSHIM_E_VERIFY, UNKNOWN_CA, "is no authority",
     .chain = intermediate_may_not_sign},
    {"its chain is longer than an authority allows", BOTH, TLSSHIM_E_VERIFY, UNKNOWN_CA,
     "allows 0 intermediate certificates below it, there are 1", .chain = path_too_long},
    {"its chain is longer than the victim allows", BOTH, TLSSHIM_E_VERIFY, UNKNOWN_CA,
     "longer than the limit of 0 intermediate certificates", .chain = deep, .set = no_intermediates},
    {"a bit of its certificate's signature is flipped", BOTH, TLSSHIM_E_VERIFY, BAD_CERTIFICATE,
     "the signature on the certificate (depth 0", .chain = damaged_leaf},
    {"a bit of its intermediate's signature is flipped", BOTH, TLSSHIM_E_VERIFY, BAD_CERTIFICATE,
     "the signature on the certificate (depth 1", .chain = damaged_intermediate},

    /* Names. */
    {"its certificate has another name", BOTH, TLSSHIM_E_NAME, BAD_CERTIFICATE,
     "name \"www.test\" is not in the certificate: DNS:other.test", .chain = other_name, .name = "www.test"},
    {"a wildcard is part of a label", BOTH, TLSSHIM_E_NAME, BAD_CERTIFICATE, "DNS:w*.label.test",
     .chain = partial_wildcard, .name = "www.label.test"},
    {"a wildcard is not the first label", BOTH, TLSSHIM_E_NAME, BAD_CERTIFICATE, "DNS:www.*.test",
     .chain = inner_wildcard, .name = "www.inner.test"},
    {"a wildcard would stand for two labels", BOTH, TLSSHIM_E_NAME, BAD_CERTIFICATE, "DNS:*.wild.test",
     .chain = other_name, .name = "a.b.wild.test"},
    {"a wildcard would stand for no label", BOTH, TLSSHIM_E_NAME, BAD_CERTIFICATE, "DNS:*.wild.test",
     .chain = other_name, .name = "wild.test"},
    {"a wildcard stands for a whole top level", BOTH, TLSSHIM_E_NAME, BAD_CERTIFICATE, "DNS:*.test",
     .chain = top_wildcard, .name = "www.test"},
    {"a wildcard stands for everything", BOTH, TLSSHIM_E_NAME, BAD_CERTIFICATE, "DNS:*", .chain = bare_wildcard,
     .name = "localhost"},
    {"its certificate has another address", BOTH, TLSSHIM_E_NAME, BAD_CERTIFICATE,
     "name \"10.0.0.1\" is not in the certificate: IP:10.0.0.2", .chain = other_address, .name = "10.0.0.1"},
    {"its address is written as a host's name", BOTH, TLSSHIM_E_NAME, BAD_CERTIFICATE, "DNS:10.0.0.1",
     .chain = address_as_host, .name = "10.0.0.1"},
    {"its certificate has a host's name and no address", BOTH, TLSSHIM_E_NAME, BAD_CERTIFICATE, "DNS:www.test",
     .name = "::1"},
    {"only the common name is right", BOTH, TLSSHIM_E_NAME, BAD_CERTIFICATE, "a common name does not count",
     .chain = common_name_alone, .name = "www.test"},
    {"its name ends with a NUL within", BOTH, TLSSHIM_E_NAME, BAD_CERTIFICATE, "evil.test", .chain = nul_in_name,
     .name = "www.test"},
    {"its names are damaged", BOTH, TLSSHIM_E_VERIFY, BAD_CERTIFICATE, "an extension of the certificate (depth 0",
     .chain = damaged_names},
    {"its name is one of e-mail", BOTH, TLSSHIM_E_NAME, BAD_CERTIFICATE, "EMAIL:www.test", .chain = name_as_email,
     .name = "www.test"},

    /* What it is for. */
    {"its certificate is for the other role", BOTH, TLSSHIM_E_VERIFY, UNSUPPORTED_CERTIFICATE, "use, only for",
     .chain = wrong_purpose},
    {"its certificate is for code", BOTH, TLSSHIM_E_VERIFY, UNSUPPORTED_CERTIFICATE, "only for: code",
     .chain = code_signing},
    {"its certificate is an authority's", BOTH, TLSSHIM_E_VERIFY, UNSUPPORTED_CERTIFICATE,
     "its key usage or kind forbids it", .chain = authority_as_leaf},
    {"its key may not sign", BOTH, TLSSHIM_E_VERIFY, UNSUPPORTED_CERTIFICATE, "its key usage or kind forbids it",
     .chain = no_signing_usage},
    {"its authority may not certify the name", BOTH, TLSSHIM_E_VERIFY, CERTIFICATE_UNKNOWN, "not permitted to certify",
     .chain = not_permitted},
    {"its authority is forbidden the name", BOTH, TLSSHIM_E_VERIFY, CERTIFICATE_UNKNOWN, "forbidden to certify",
     .chain = excluded},
    {"its certificate demands what nobody knows", BOTH, TLSSHIM_E_VERIFY, CERTIFICATE_UNKNOWN, "critical extension",
     .chain = critical_extension},

    /* Revocation. */
    {"its certificate is revoked", BOTH, TLSSHIM_E_REVOKED, CERTIFICATE_REVOKED, "(keyCompromise) (depth 0",
     .chain = leaf_revoked, .set = crl_of_leaf},
    {"its intermediate is revoked", BOTH, TLSSHIM_E_REVOKED, CERTIFICATE_REVOKED, "(depth 1, CN=Wrong Intermediate)",
     .chain = intermediate_revoked, .set = crl_of_chain},
    {"the CRL is outdated", BOTH, TLSSHIM_E_VERIFY, CERTIFICATE_UNKNOWN, "the CRL of \"CN=Test CA\" is outdated",
     .chain = crl_outdated, .set = crl_of_leaf},
    {"the CRL is not valid yet", BOTH, TLSSHIM_E_VERIFY, CERTIFICATE_UNKNOWN, "is not valid yet", .chain = crl_early,
     .set = crl_of_leaf},
    {"there is no CRL", BOTH, TLSSHIM_E_VERIFY, CERTIFICATE_UNKNOWN, "no CRL in the trust covers", .chain = crl_missing,
     .set = crl_of_leaf},
    {"there is no CRL about its intermediate", BOTH, TLSSHIM_E_VERIFY, CERTIFICATE_UNKNOWN,
     "covers the certificate (depth 1, CN=Wrong Intermediate)", .chain = crl_of_intermediates_missing,
     .set = crl_of_chain},
    {"the CRL is another authority's", BOTH, TLSSHIM_E_VERIFY, CERTIFICATE_UNKNOWN, "no CRL in the trust covers",
     .chain = crl_of_another, .set = crl_of_leaf},
    {"the CRL is forged", BOTH, TLSSHIM_E_VERIFY, CERTIFICATE_UNKNOWN, "CRL", .chain = crl_forged, .set = crl_of_leaf},

    /* Strength. */
    {"its key is RSA-1024", BOTH, TLSSHIM_E_WEAK, BAD_CERTIFICATE, "security level", .chain = short_rsa_leaf},
    {"its intermediate's key is RSA-1024", BOTH, TLSSHIM_E_WEAK, BAD_CERTIFICATE, "(depth 1, CN=Wrong Intermediate)",
     .chain = short_rsa_intermediate},
    {"its certificate is signed with SHA-1", BOTH, TLSSHIM_E_WEAK, BAD_CERTIFICATE, "security level",
     .chain = sha1_leaf},
    {"its certificate is signed with MD5", BOTH, TLSSHIM_E_WEAK, BAD_CERTIFICATE, "security level", .chain = md5_leaf},
    {"its intermediate is signed with SHA-1", BOTH, TLSSHIM_E_WEAK, BAD_CERTIFICATE, "(depth 1, CN=Wrong Intermediate)",
     .chain = sha1_intermediate},

    /* Pins, and what it proves. */
    {"no pin is in its chain", BOTH, TLSSHIM_E_PIN, BAD_CERTIFICATE, "none of the 1 pins", .set = pin_beside},
    {"its key is not the pinned one", BOTH, TLSSHIM_E_PIN, BAD_CERTIFICATE, "none of the 1 pins", .set = pin_instead},
    {"it has not the certificate's key", BOTH, TLSSHIM_E_PROTOCOL, DECRYPT_ERROR, "signature", .chain = wrong_key},
    {"a bit of its signature is flipped", BOTH, TLSSHIM_E_PROTOCOL, DECRYPT_ERROR, "signature",
     .within = bad_signature},
    {"it signs with a scheme that is not accepted", BOTH, TLSSHIM_E_NEGOTIATION, ILLEGAL_PARAMETER,
     "signs with a scheme that is not accepted", .within = other_scheme},
    {"its Finished is wrong", BOTH, TLSSHIM_E_PROTOCOL, DECRYPT_ERROR, "Finished", .within = bad_finished},

    /* What the host says. */
    {"the host does not want it", BOTH, TLSSHIM_E_VERDICT, CERTIFICATE_UNKNOWN, "the host of this end refused the peer",
     .set = ask_of_peer, .answer = refuse_46},
    {"the host does not want its hello", SERVER, TLSSHIM_E_VERDICT, CERTIFICATE_UNKNOWN, "the host of this end refused",
     .set = ask_of_hello, .answer = refuse_46},
    {"the host would take it though it was judged bad", BOTH, TLSSHIM_E_EXPIRED, CERTIFICATE_EXPIRED,
     "certificate expired on 20", .chain = expired_leaf, .set = ask_of_peer, .answer = accept_peer},

    /* Certificates as messages. */
    {"it has no certificate", SERVER, TLSSHIM_E_NO_CERTIFICATE, HANDSHAKE_FAILURE, "no certificate",
     .alert_13 = CERTIFICATE_REQUIRED, .before = no_client_certificate},
    {"its list of certificates is empty", CLIENT, TLSSHIM_E_PROTOCOL, DECODE_ERROR, "an empty list of certificates",
     .within = empty_certificate},
    {"it leaves its certificate out", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "unexpected message",
     .within = no_certificate_message},
    {"its certificate is no certificate", CLIENT, TLSSHIM_E_PROTOCOL, BAD_CERTIFICATE, "certificate cannot be read",
     .within = certificate_is_no_der},
    {"a client's certificate is no certificate", SERVER, TLSSHIM_E_PROTOCOL, DECODE_ERROR, "certificate cannot be read",
     .within = certificate_is_no_der},
    {"bytes follow its certificates", BOTH, TLSSHIM_E_PROTOCOL, DECODE_ERROR, "length", .within = certificate_tail},
    {"its chain is huge", BOTH, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER, "message", .chain = huge_chain},
    {"it announces a huge chain", BOTH, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER, "message", .within = long_message},

    /* Agreement. */
    {"it speaks only TLS 1.0 and 1.1", SERVER, TLSSHIM_E_NEGOTIATION, PROTOCOL_VERSION, "version",
     .before = only_old_versions},
    {"it speaks only TLS 1.0 and 1.1, and says so", CLIENT, TLSSHIM_E_NEGOTIATION, 0, "shares no cipher",
     .says_13 = "none of our protocol versions", .before = only_old_versions},
    {"it speaks only TLS 1.3", SERVER, TLSSHIM_E_NEGOTIATION, PROTOCOL_VERSION, "version", .versions = OF_1_2,
     .before = only_1_3},
    {"it speaks only TLS 1.2", SERVER, TLSSHIM_E_NEGOTIATION, PROTOCOL_VERSION, "version", .versions = OF_1_3,
     .before = only_1_2},
    {"it speaks only TLS 1.2, and says so", CLIENT, TLSSHIM_E_NEGOTIATION, 0, "none of our protocol versions",
     .versions = OF_1_3, .before = only_1_2},
    {"it answers with an old version", CLIENT, TLSSHIM_E_NEGOTIATION, PROTOCOL_VERSION, "version",
     .alert_13 = ILLEGAL_PARAMETER, .within = old_version},
    {"it offers no cipher of ours", SERVER, TLSSHIM_E_NEGOTIATION, HANDSHAKE_FAILURE, "no cipher in common",
     .before = no_common_cipher},
    {"it chooses a cipher that was not offered", CLIENT, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER, "cipher",
     .within = unknown_cipher},
    {"it offers no group of ours", SERVER, TLSSHIM_E_NEGOTIATION, HANDSHAKE_FAILURE, "in common",
     .before = no_common_group},
    {"it chooses a group that was not offered", CLIENT, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER, "curve",
     .versions = OF_1_2, .within = curve_not_offered},
    {"its share is of another group", CLIENT, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER, "key share", .versions = OF_1_3,
     .within = share_of_another_group},
    {"its share is a point off the curve", BOTH, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER, "no point of its group",
     .before = nist_group, .within = point_off_the_curve},
    {"its share is all zero", BOTH, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER, "share", .versions = OF_1_3,
     .within = zero_share},
    {"it accepts no signature of ours", SERVER, TLSSHIM_E_NEGOTIATION, HANDSHAKE_FAILURE,
     "of a type that the peer accepts", .says_13 = "no signature scheme", .before = no_common_scheme},
    {"it offers no protocol of ours", SERVER, TLSSHIM_E_ALPN, NO_APPLICATION_PROTOCOL,
     "no application protocol in common", .set = protocol_or_fail, .before = other_protocol},
    {"it offers no protocol at all", SERVER, TLSSHIM_E_ALPN, NO_APPLICATION_PROTOCOL, "offers no application protocol",
     .set = protocol_required},
    {"it agrees on no protocol", CLIENT, TLSSHIM_E_ALPN, HANDSHAKE_FAILURE, "agreed on no application protocol",
     .set = protocol_required},
    {"it chooses a protocol that was not offered", CLIENT, TLSSHIM_E_PROTOCOL, DECODE_ERROR, "bad extension",
     .set = protocol_if_any, .before = protocol_not_offered},
    {"it chooses a protocol though none was offered", CLIENT, TLSSHIM_E_PROTOCOL, UNSUPPORTED_EXTENSION, "extension",
     .within = unasked_extension},
    {"it chooses two protocols", CLIENT, TLSSHIM_E_PROTOCOL, DECODE_ERROR, "extension", .set = protocol_if_any,
     .within = two_protocols},
    {"it speaks TLS 1.3 and answers with TLS 1.2", CLIENT, TLSSHIM_E_NEGOTIATION, ILLEGAL_PARAMETER, "fell back",
     .any = true, .before = only_1_2, .within = downgrade_1_2},
    {"it speaks TLS 1.3 and says that it must use TLS 1.1", CLIENT, TLSSHIM_E_NEGOTIATION, ILLEGAL_PARAMETER,
     "fell back", .any = true, .before = only_1_2, .within = downgrade_1_1},
    {"it has fallen back without need", SERVER, TLSSHIM_E_NEGOTIATION, INAPPROPRIATE_FALLBACK, "fell back", .any = true,
     .before = fallback},

    /* Hellos. */
    {"its hello is followed by a byte", BOTH, TLSSHIM_E_PROTOCOL, DECODE_ERROR, "length", .within = hello_with_tail},
    {"its hello has an extension twice", BOTH, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER, "extension",
     .within = extension_twice},
    {"its hello demands compression", SERVER, TLSSHIM_E_PROTOCOL, DECODE_ERROR, "compression",
     .within = no_null_compression},
    {"it compresses", CLIENT, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER, "compression", .within = compressed},
    {"its server name is broken", SERVER, TLSSHIM_E_PROTOCOL, DECODE_ERROR, "server name is malformed",
     .before = naming, .within = broken_server_name},
    {"its server name holds a NUL", SERVER, TLSSHIM_E_PROTOCOL, DECODE_ERROR, "server name is malformed",
     .before = naming, .within = nul_in_server_name},
    {"its second hello names another server", SERVER, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER,
     "second hello names another server", .versions = OF_1_3, .set = group_p384, .before = another_name_later},
    {"its hello names no groups", SERVER, TLSSHIM_E_PROTOCOL, MISSING_EXTENSION, "extension", .versions = OF_1_3,
     .within = no_groups},
    {"its hello answers another session id", CLIENT, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER, "session id",
     .versions = OF_1_3, .within = other_session_id},
    {"an extension is in the wrong message", CLIENT, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER, "extension",
     .versions = OF_1_3, .within = share_in_encrypted_extensions},

    /* Order. */
    {"it says hello again", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "unexpected message", .within = hello_again},
    {"it sends data before its Finished", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "data between ccs and finished",
     .says_13 = "unexpected record", .within = data_before_the_end},
    {"it sends data in the clear", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "unexpected record",
     .versions = OF_1_2, .within = data_in_the_clear},
    {"it changes ciphers too early", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "unexpected message",
     .versions = OF_1_2, .within = early_ccs},
    {"it changes ciphers at length", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "change cipher spec",
     .alert_13 = ILLEGAL_PARAMETER, .says_13 = "invalid ccs message", .within = long_ccs},
    {"it sends a ticket before its Finished", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "unexpected message",
     .versions = OF_1_3, .within = ticket_before_the_end},
    {"it changes keys before its Finished", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "unexpected message",
     .versions = OF_1_3, .within = update_within},
    {"it sends a message that does not exist", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "unexpected message",
     .within = unknown_message},

    /* Records. */
    {"it sends a record of no known type", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "record",
     .within = unknown_record},
    {"it sends empty records", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "record", .says_13 = "bad length",
     .within = empty_record},
    {"a record was altered", BOTH, TLSSHIM_E_PROTOCOL, BAD_RECORD_MAC, "bad record mac", .within = bad_mac},
    {"its Finished is not sealed", BOTH, TLSSHIM_E_PROTOCOL, INTERNAL_ERROR, "cannot be processed",
     .alert_13 = UNEXPECTED_MESSAGE, .says_13 = "record", .within = unsealed_finished},
    {"its record is too long", BOTH, TLSSHIM_E_PROTOCOL, RECORD_OVERFLOW, "length too long", .within = long_record},
    {"its record holds too much", BOTH, TLSSHIM_E_PROTOCOL, RECORD_OVERFLOW, "too long", .within = long_inside},

    /* Alerts. */
    {"it warns without end", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "too many warn alerts",
     .within = warning_flood},
    {"it cancels and says goodbye", BOTH, TLSSHIM_E_TRUNCATED, 0, "ended the connection within the handshake",
     .within = goodbye_within},
    {"it gives up", BOTH, TLSSHIM_E_ALERT, 0, "alert 40 (handshake_failure)", .within = fatal_40},
    {"it refuses a server's certificate", SERVER, TLSSHIM_E_REJECTED, 0, "refused our certificate: alert 48",
     .within = fatal_48},
    {"its alert is half of one", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "alert", .within = short_alert},
    {"its alert is of no known level", BOTH, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER, "alert", .versions = OF_1_2,
     .within = odd_alert},

    /* No TLS. */
    {"it answers in HTTP", CLIENT, TLSSHIM_E_NOT_TLS, 0, "speaks plain HTTP",
     BYTES("HTTP/1.1 400 Bad Request\r\n\r\n")},
    {"it asks in HTTP", SERVER, TLSSHIM_E_NOT_TLS, 0, "speaks plain HTTP", BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r\n")},
    {"it takes a server for a proxy", SERVER, TLSSHIM_E_NOT_TLS, 0, "an HTTP proxy request",
     BYTES("CONNECT www.test:443 HTTP/1.1\r\n\r\n")},
    {"it speaks HTTP/2 in the clear", SERVER, TLSSHIM_E_NOT_TLS, 0, "plain HTTP/2",
     BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
    {"a proxy announces it", SERVER, TLSSHIM_E_NOT_TLS, 0, "the PROXY protocol",
     BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n")},
    {"a proxy announces it in binary", SERVER, TLSSHIM_E_NOT_TLS, 0, "the PROXY protocol",
     BYTES("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c")},
    {"it speaks SSH", BOTH, TLSSHIM_E_NOT_TLS, 0, "speaks SSH", BYTES("SSH-2.0-OpenSSH_9.2\r\n")},
    {"it waits for STARTTLS", CLIENT, TLSSHIM_E_NOT_TLS, 0, "before STARTTLS", BYTES("220 mail.test ESMTP\r\n")},
    {"it talks nonsense", BOTH, TLSSHIM_E_NOT_TLS, 0, "its first bytes are", BYTES("\1\2\3\4nonsense\5\6\7")},
    {"it speaks SSL 2", SERVER, TLSSHIM_E_NEGOTIATION, PROTOCOL_VERSION, "version",
     BYTES("\x80\x1c\1\0\2\0\3\0\0\0\x10\1\0\x80"
           "0123456789abcdef")},
    {"it hangs up without a word", BOTH, TLSSHIM_E_TRUNCATED, 0, "without a byte", BYTES(""), .ends = true},
    {"it hangs up within a record", BOTH, TLSSHIM_E_TRUNCATED, 0, "within the handshake", BYTES("\x16\3\3\1\0\2\0"),
     .ends = true},

    /* Once both are connected. */
    {"a record is altered later", BOTH, TLSSHIM_E_PROTOCOL, BAD_RECORD_MAC, "bad record mac", .late = late_bad_mac},
    {"a record comes twice", BOTH, TLSSHIM_E_PROTOCOL, BAD_RECORD_MAC, "bad record mac", .late = late_replay},
    {"a record is left out", BOTH, TLSSHIM_E_PROTOCOL, BAD_RECORD_MAC, "bad record mac", .late = late_gap},
    {"data is not sealed later", BOTH, TLSSHIM_E_PROTOCOL, BAD_RECORD_MAC, "bad record mac", .late = late_clear_data},
    {"a record is too long later", BOTH, TLSSHIM_E_PROTOCOL, RECORD_OVERFLOW, "length too long",
     .late = late_long_record},
    {"it changes ciphers later", BOTH, TLSSHIM_E_PROTOCOL, INTERNAL_ERROR, "cannot be processed",
     .alert_13 = UNEXPECTED_MESSAGE, .says_13 = "bad record type", .late = late_ccs},
    {"it changes keys with a value that is none", BOTH, TLSSHIM_E_PROTOCOL, ILLEGAL_PARAMETER, "update",
     .versions = OF_1_3, .late = late_bad_update},
    {"it warns without end later", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "too many warn alerts",
     .late = late_warnings},
    {"it breaks off later", BOTH, TLSSHIM_E_ALERT, 0, "alert 80 (internal_error)", .late = late_fatal},
    {"it goes on with the handshake later", BOTH, TLSSHIM_E_PROTOCOL, UNEXPECTED_MESSAGE, "unexpected message",
     .late = late_odd_handshake},
};

const int wrong_count = sizeof wrongs / sizeof wrongs[0];
