#include "failure.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/code.h"
#include "../base/error.h"
#include "conn.h"
#include "psk.h"

/* How the first words of protocols that people reach by mistake look. */
static const struct stranger {
    const char *start;
    const char *speaks;
} strangers[] = {
    {"HTTP/", "plain HTTP"},
    {"GET ", "plain HTTP"},
    {"HEAD ", "plain HTTP"},
    {"POST ", "plain HTTP"},
    {"PUT ", "plain HTTP"},
    {"DELETE ", "plain HTTP"},
    {"OPTIONS ", "plain HTTP"},
    {"PATCH ", "plain HTTP"},
    {"<html", "plain HTTP"},
    {"<!DOC", "plain HTTP"},
    {"PRI * HTTP/2", "plain HTTP/2"},
    {"CONNECT ", "an HTTP proxy request"},
    {"PROXY ", "the PROXY protocol"},
    {"\r\n\r\n\0\r\nQUIT\n", "the PROXY protocol"},
    {"SSH-", "SSH"},
    {"220 ", "SMTP or FTP before STARTTLS"},
    {"220-", "SMTP or FTP before STARTTLS"},
    {"EHLO ", "SMTP before STARTTLS"},
    {"HELO ", "SMTP before STARTTLS"},
    {"* OK", "IMAP before STARTTLS"},
    {"+OK", "POP3 before STARTTLS"},
    {"<?xml", "XMPP before STARTTLS"},
    {"<stream", "XMPP before STARTTLS"},
    {"-ERR", "plain Redis or POP3"},
    {"RFB ", "VNC"},
    {"AMQP", "plain AMQP"},
};

static bool looks_like_tls(const uint8_t *first, size_t len)
{
    return len < 2 || (first[0] >= 20 && first[0] <= 23 && first[1] == 3) || (first[0] & 0x80) != 0;
}

static int32_t not_tls(const struct transport *transport)
{
    struct error_detail detail = error_detail_none();
    struct buffer words = {0};

    detail.side = TLSSHIM_SIDE_PEER;
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        size_t len = strlen(strangers[i].start);

        /* The backend looks at five bytes, so that longer words are told by how they begin. */
        if (len > transport->first_len && transport->first_len >= 4)
            len = transport->first_len;
        if (len <= transport->first_len && memcmp(transport->first, strangers[i].start, len) == 0) {
            error_say(&detail, "the peer speaks %s, not TLS", strangers[i].speaks);
            return error_publish(TLSSHIM_E_NOT_TLS, &detail);
        }
    }
    buffer_escaped(&words, transport->first, transport->first_len, transport->first_len);
    error_say(&detail, "the peer does not speak TLS; its first bytes are \"%.*s\"", (int)words.len,
              words.data != NULL ? (const char *)words.data : "");
    buffer_free(&words);
    return error_publish(TLSSHIM_E_NOT_TLS, &detail);
}

static bool about_our_certificate(const struct conn *conn, int alert)
{
    bool certificate = (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
                       alert == SSL_AD_UNKNOWN_CA || alert == SSL_AD_CERTIFICATE_REQUIRED;

    if (conn_server(conn))
        return certificate || alert == SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE;
    if (conn->request != REQUEST_NONE && certificate) /* data may have come between the request and the refusal */
        return true;
    return conn->asked && !conn->app_data_in &&
           (certificate || alert == SSL_AD_ACCESS_DENIED || alert == SSL_AD_HANDSHAKE_FAILURE);
}

static int32_t alert_received(const struct conn *conn, int alert, struct error_detail *detail)
{
    const char *name = code_alert_name(alert);
    int32_t result;

    detail->alert = alert;
    detail->side = TLSSHIM_SIDE_PEER;
    result = psk_refused(conn, alert, name, detail);
    if (result < 0)
        return result;
    if (about_our_certificate(conn, alert)) {
        error_say(detail, "the peer refused our certificate: alert %d (%s)%s", alert, name,
                  !conn_server(conn) && SSL_get_certificate(conn->ssl) == NULL
                      ? "; it asked for one, and this end has none (context_add_identity)"
                      : "");
        return error_publish(TLSSHIM_E_REJECTED, detail);
    }
    if (alert == SSL_AD_HANDSHAKE_FAILURE && SSL_get_state(conn->ssl) == TLS_ST_CW_CLNT_HELLO) {
        error_say(detail, "the peer shares no cipher, group or signature scheme with us: alert %d (%s)", alert, name);
        return error_publish(TLSSHIM_E_NEGOTIATION, detail);
    }
    switch (alert) {
    case SSL_AD_NO_APPLICATION_PROTOCOL:
        error_say(detail, "the peer speaks none of our application protocols: alert %d (%s)", alert, name);
        return error_publish(TLSSHIM_E_ALPN, detail);
    case SSL_AD_PROTOCOL_VERSION:
    case SSL_AD_INSUFFICIENT_SECURITY:
        error_say(detail, "the peer accepts none of our %s: alert %d (%s)",
                  alert == SSL_AD_PROTOCOL_VERSION ? "protocol versions" : "ciphers", alert, name);
        return error_publish(TLSSHIM_E_NEGOTIATION, detail);
    default:
        error_say(detail, "the peer ended the connection: alert %d (%s)", alert, name);
        return error_publish(TLSSHIM_E_ALERT, detail);
    }
}

/* The reasons of the TLS part of the backend that say more than "the peer broke the protocol". */
static const struct reason {
    int reason;
    int32_t code;
    const char *text;
} reasons[] = {
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, TLSSHIM_E_NO_CERTIFICATE,
     "the peer gave no certificate, and one is required"},
    {SSL_R_BAD_SIGNATURE, TLSSHIM_E_PROTOCOL,
     "the peer's signature is not by the key of its certificate, or its handshake was altered on the way"},
    {SSL_R_DIGEST_CHECK_FAILED, TLSSHIM_E_PROTOCOL,
     "the peer's Finished does not fit the handshake: it was altered on the way"},
    {SSL_R_BAD_KEY_SHARE, TLSSHIM_E_PROTOCOL, "the peer's key share is no point of its group"},
    {SSL_R_BAD_ECPOINT, TLSSHIM_E_PROTOCOL, "the peer's key share is no point of its group"},
    {SSL_R_BAD_PROTOCOL_VERSION_NUMBER, TLSSHIM_E_NEGOTIATION,
     "the peer chose a protocol version that was not offered"},
    {SSL_R_LENGTH_MISMATCH, TLSSHIM_E_PROTOCOL,
     "a message of the peer has a wrong length, or an empty list of certificates"},
    {SSL_R_UNKNOWN_PROTOCOL, TLSSHIM_E_NEGOTIATION, "the peer speaks SSL 2: no protocol version in common"},
    {SSL_R_NO_SHARED_CIPHER, TLSSHIM_E_NEGOTIATION,
     "no cipher in common (or no certificate of a type that the peer accepts)"},
    {SSL_R_UNSUPPORTED_PROTOCOL, TLSSHIM_E_NEGOTIATION, "no protocol version in common"},
    {SSL_R_WRONG_SSL_VERSION, TLSSHIM_E_NEGOTIATION, "no protocol version in common"},
    {SSL_R_VERSION_TOO_LOW, TLSSHIM_E_NEGOTIATION, "the peer's protocol version is too low"},
    {SSL_R_VERSION_TOO_HIGH, TLSSHIM_E_NEGOTIATION, "the peer's protocol version is too high"},
    {SSL_R_NO_PROTOCOLS_AVAILABLE, TLSSHIM_E_NEGOTIATION, "no protocol version is left to offer"},
    {SSL_R_NO_CIPHERS_AVAILABLE, TLSSHIM_E_NEGOTIATION, "no cipher is left to offer"},
    {SSL_R_NO_SUITABLE_KEY_SHARE, TLSSHIM_E_NEGOTIATION, "no key exchange group in common"},
    {SSL_R_NO_SHARED_GROUPS, TLSSHIM_E_NEGOTIATION, "no key exchange group in common"},
    {SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, TLSSHIM_E_NEGOTIATION, "no signature scheme in common"},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, TLSSHIM_E_NEGOTIATION, "no signature scheme in common"},
    {SSL_R_WRONG_SIGNATURE_TYPE, TLSSHIM_E_NEGOTIATION, "the peer signs with a scheme that is not accepted"},
    {SSL_R_INAPPROPRIATE_FALLBACK, TLSSHIM_E_NEGOTIATION, "the peer fell back to a version below what it can speak"},
    {SSL_R_NO_APPLICATION_PROTOCOL, TLSSHIM_E_ALPN, "no application protocol in common"},
    {SSL_R_EE_KEY_TOO_SMALL, TLSSHIM_E_WEAK, "the peer's key is"},
    {SSL_R_CA_KEY_TOO_SMALL, TLSSHIM_E_WEAK, "a key of the peer's chain is"},
    {SSL_R_CA_MD_TOO_WEAK, TLSSHIM_E_WEAK, "a signature of the peer's chain is"},
    {SSL_R_EXCESSIVE_MESSAGE_SIZE, TLSSHIM_E_PROTOCOL,
     "a message of the peer's handshake is too large; its chain may be as long as context_set_limit says (PEER_CHAIN)"},
    {SSL_R_DH_KEY_TOO_SMALL, TLSSHIM_E_WEAK, "the peer's Diffie-Hellman key is"},
};

/* The TLS part's own error comes last and says what the peer did; those before it are how another part noticed. */
static unsigned long telling_error(void)
{
    unsigned long last = ERR_peek_last_error();

    while (ERR_GET_LIB(last) == ERR_LIB_SSL && !ERR_COMMON_ERROR(last) && ERR_peek_error() != last &&
           !error_of_memory(ERR_peek_error()))
        (void)ERR_get_error();
    return ERR_peek_error();
}

static int32_t tls_error(struct conn *conn)
{
    struct error_detail detail = error_detail_none();
    unsigned long code = telling_error();
    int reason = ERR_GET_REASON(code);
    const char *text = ERR_reason_error_string(code);
    bool tls = ERR_GET_LIB(code) == ERR_LIB_SSL && !ERR_COMMON_ERROR(code); /* whose numbers look like alerts' */
    int32_t result;

    if (error_from_backend(&detail) || conn->transport.out_of_memory)
        return TLSSHIM_E_MEMORY;
    if (tls && reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return verify_failure(conn);
    if (tls && reason >= SSL_AD_REASON_OFFSET)
        return alert_received(conn, reason - SSL_AD_REASON_OFFSET, &detail);
    if (!conn->done && conn->transport.framing.records <= 1 &&
        !looks_like_tls(conn->transport.first, conn->transport.first_len))
        return not_tls(&conn->transport);
    result = tls ? psk_failure(conn, reason, &detail) : TLSSHIM_OK;
    if (result < 0)
        return result;
    detail.side = TLSSHIM_SIDE_PEER;
    for (size_t i = 0; tls && i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].reason == reason) {
            if (reasons[i].code == TLSSHIM_E_WEAK)
                error_say(&detail, "%s below security level %d", reasons[i].text, conn->setup->settings.security_level);
            else
                error_say(&detail, "%s", reasons[i].text);
            return error_publish(reasons[i].code, &detail);
        }
    if (ERR_GET_LIB(code) == ERR_LIB_ASN1)
        error_say(&detail, "the peer's certificate cannot be read: %s", text);
    else if (ERR_GET_LIB(code) == ERR_LIB_SSL && !tls)
        error_say(&detail, "the connection cannot go on: %s", text != NULL ? text : "no reason known");
    else if (!tls && text != NULL)
        error_say(&detail, "what the peer sent cannot be processed: %s", text);
    else
        error_say(&detail, "the peer broke the protocol: %s", text != NULL ? text : "no reason known");
    return error_publish(TLSSHIM_E_PROTOCOL, &detail);
}

static int32_t ended(struct conn *conn)
{
    if (conn->peer_closed && conn->done)
        return 0;
    if (!conn->done && conn->transport.first_len > 0 &&
        !looks_like_tls(conn->transport.first, conn->transport.first_len))
        return not_tls(&conn->transport);
    conn->truncated = true;
    if (!conn->done)
        return error_new(TLSSHIM_E_TRUNCATED, "the peer ended the connection within the handshake%s",
                         conn->transport.first_len == 0 ? ", without a byte" : "");
    return error_new(TLSSHIM_E_TRUNCATED, "the connection ended without the peer's goodbye (close_notify): what came "
                                          "may be cut short");
}

int32_t failure_of(struct conn *conn, int answer)
{
    int kind = SSL_get_error(conn->ssl, answer);
    int32_t stopped = kind == SSL_ERROR_SSL || kind == SSL_ERROR_SYSCALL ? backend_stopped() : TLSSHIM_OK;

    conn_deepen(conn);
    if (conn->failure != 0)
        return conn->failure;
    if (stopped < 0)
        return stopped;
    switch (kind) {
    case SSL_ERROR_WANT_READ:
        return TLSSHIM_WANT_FEED;
    case SSL_ERROR_WANT_CLIENT_HELLO_CB:
    case SSL_ERROR_WANT_X509_LOOKUP:
    case SSL_ERROR_WANT_RETRY_VERIFY:
        return TLSSHIM_WANT_EVENT;
    case SSL_ERROR_WANT_WRITE:
        return conn->transport.out_of_memory ? TLSSHIM_E_MEMORY
                                             : error_new(TLSSHIM_E_INTERNAL, "the transport refused a write");
    case SSL_ERROR_ZERO_RETURN:
        return ended(conn);
    case SSL_ERROR_SSL:
        return tls_error(conn);
    case SSL_ERROR_SYSCALL:
        if (conn->transport.read_errno != 0)
            return error_system_as(TLSSHIM_E_RESET, conn->transport.read_errno, "the connection broke");
        if (conn->transport.out_of_memory)
            return TLSSHIM_E_MEMORY;
        return conn->transport.ended ? ended(conn) : error_new(TLSSHIM_E_RESET, "the connection broke");
    default:
        return error_new(TLSSHIM_E_INTERNAL, "the backend asked for something unexpected (%d)", kind);
    }
}
