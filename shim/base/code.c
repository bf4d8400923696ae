#include "code.h"

#include <stddef.h>

#include "bytes.h"

int32_t code_bare(int64_t result)
{
    return result >= 0 ? 0 : -(int32_t)(-(uint64_t)result & 255);
}

static const struct code {
    int32_t code;
    const char *name;
    const char *text;
} codes[] = {
    {TLSSHIM_OK, "OK", "done"},
    {TLSSHIM_WANT_FEED, "WANT_FEED", "bytes from the peer are needed"},
    {TLSSHIM_WANT_DRAIN, "WANT_DRAIN", "bytes for the peer must be drained first"},
    {TLSSHIM_WANT_EVENT, "WANT_EVENT", "an event waits for its answer"},
    {TLSSHIM_WANT_READ, "WANT_READ", "the descriptor must become readable"},
    {TLSSHIM_WANT_WRITE, "WANT_WRITE", "the descriptor must become writable"},
    {TLSSHIM_TIMEOUT, "TIMEOUT", "the time given ran out"},
    {TLSSHIM_WOKEN, "WOKEN", "the wait was cut short"},
    {TLSSHIM_NONE, "NONE", "there is no such value"},
    {TLSSHIM_E_HANDLE, "E_HANDLE", "not an open handle of the wanted kind"},
    {TLSSHIM_E_ARGUMENT, "E_ARGUMENT", "an argument is out of its range"},
    {TLSSHIM_E_STATE, "E_STATE", "not possible in this state"},
    {TLSSHIM_E_FROZEN, "E_FROZEN", "in use, and so no longer changeable"},
    {TLSSHIM_E_FORKED, "E_FORKED", "belongs to the process before the fork"},
    {TLSSHIM_E_UNSUPPORTED, "E_UNSUPPORTED", "not in this build, backend or machine"},
    {TLSSHIM_E_LIMIT, "E_LIMIT", "past a stated limit"},
    {TLSSHIM_E_MEMORY, "E_MEMORY", "out of memory"},
    {TLSSHIM_E_SYSTEM, "E_SYSTEM", "a system call failed"},
    {TLSSHIM_E_INTERNAL, "E_INTERNAL", "a defect in tlsshim or its backend"},
    {TLSSHIM_E_RESOLVE, "E_RESOLVE", "the host name does not resolve"},
    {TLSSHIM_E_CONNECT, "E_CONNECT", "no connection could be made"},
    {TLSSHIM_E_RESET, "E_RESET", "the transport broke"},
    {TLSSHIM_E_TRUNCATED, "E_TRUNCATED", "the transport ended without the peer's goodbye"},
    {TLSSHIM_E_CLOSED, "E_CLOSED", "closed by another thread"},
    {TLSSHIM_E_DEADLINE, "E_DEADLINE", "the handshake's time ran out"},
    {TLSSHIM_E_CANCELLED, "E_CANCELLED", "the operation was cancelled"},
    {TLSSHIM_E_FORMAT, "E_FORMAT", "the data is not what it should be"},
    {TLSSHIM_E_PASSPHRASE, "E_PASSPHRASE", "missing or wrong passphrase"},
    {TLSSHIM_E_MISMATCH, "E_MISMATCH", "two things that should belong together do not"},
    {TLSSHIM_E_WEAK, "E_WEAK", "below the security level"},
    {TLSSHIM_E_EMPTY, "E_EMPTY", "nothing there where something is needed"},
    {TLSSHIM_E_PROTOCOL, "E_PROTOCOL", "the peer broke the protocol"},
    {TLSSHIM_E_NOT_TLS, "E_NOT_TLS", "the peer does not speak TLS"},
    {TLSSHIM_E_ALERT, "E_ALERT", "the peer sent a fatal alert"},
    {TLSSHIM_E_REJECTED, "E_REJECTED", "the peer refused our certificate"},
    {TLSSHIM_E_VERIFY, "E_VERIFY", "the peer's chain does not verify"},
    {TLSSHIM_E_NAME, "E_NAME", "the peer's certificate is for other names"},
    {TLSSHIM_E_EXPIRED, "E_EXPIRED", "the certificate is expired or not yet valid"},
    {TLSSHIM_E_REVOKED, "E_REVOKED", "the certificate is revoked"},
    {TLSSHIM_E_PIN, "E_PIN", "none of the pins matches"},
    {TLSSHIM_E_NO_CERTIFICATE, "E_NO_CERTIFICATE", "the peer gave no certificate"},
    {TLSSHIM_E_ALPN, "E_ALPN", "no application protocol in common"},
    {TLSSHIM_E_STAPLE, "E_STAPLE", "the stapled OCSP answer is missing or bad"},
    {TLSSHIM_E_VERDICT, "E_VERDICT", "the host refused the peer"},
    {TLSSHIM_E_NEGOTIATION, "E_NEGOTIATION", "no version, cipher, group or signature scheme in common"},
};

static const struct code *code_find(int64_t result)
{
    int32_t bare = code_bare(result);

    if (result < 0 && bare == TLSSHIM_OK)
        return NULL; /* no result of ours: a record without a code */
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].code == bare)
            return &codes[i];
    return NULL;
}

int32_t tlsshim_error_code(int64_t result)
{
    return code_bare(result);
}

int32_t tlsshim_error_name(int64_t result, void *name, int32_t name_cap)
{
    const struct code *code = code_find(result);

    return code == NULL ? TLSSHIM_NONE : text_out(name, name_cap, code->name);
}

const char *code_text(int64_t result)
{
    const struct code *code = code_find(result);

    return code == NULL ? NULL : code->text;
}

static const char *const alert_names[] = {
    [0] = "close_notify",
    [10] = "unexpected_message",
    [20] = "bad_record_mac",
    [22] = "record_overflow",
    [40] = "handshake_failure",
    [42] = "bad_certificate",
    [43] = "unsupported_certificate",
    [44] = "certificate_revoked",
    [45] = "certificate_expired",
    [46] = "certificate_unknown",
    [47] = "illegal_parameter",
    [48] = "unknown_ca",
    [49] = "access_denied",
    [50] = "decode_error",
    [51] = "decrypt_error",
    [70] = "protocol_version",
    [71] = "insufficient_security",
    [80] = "internal_error",
    [86] = "inappropriate_fallback",
    [90] = "user_canceled",
    [100] = "no_renegotiation",
    [109] = "missing_extension",
    [110] = "unsupported_extension",
    [112] = "unrecognized_name",
    [113] = "bad_certificate_status_response",
    [115] = "unknown_psk_identity",
    [116] = "certificate_required",
    [120] = "no_application_protocol",
};

const char *code_alert_name(int32_t alert)
{
    if (alert < 0 || (size_t)alert >= sizeof alert_names / sizeof alert_names[0] || alert_names[alert] == NULL)
        return "unknown";
    return alert_names[alert];
}
