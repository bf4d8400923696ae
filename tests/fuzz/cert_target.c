/* Certificates, PEM or DER: all that can be asked of them, exported and read again, judged and trusted. */
#include <string.h>

#include "fuzz.h"

static void ask_lists(int64_t cert)
{
    for (int32_t list = TLSSHIM_CERT_LIST_SUBJECT; list <= TLSSHIM_CERT_LIST_EXTENSIONS; list++) {
        int32_t count = (int32_t)fuzz_result(tlsshim_cert_list_count(cert, list));

        for (int32_t index = 0; index < count && index < 8; index++)
            for (int32_t part = TLSSHIM_PART_VALUE; part <= TLSSHIM_PART_SET; part++)
                fuzz_result(tlsshim_cert_list_at(cert, list, index, part, fuzz_room, FUZZ_ROOM));
    }
}

static void ask(int64_t cert)
{
    int64_t n;

    for (int32_t field = 0; field <= TLSSHIM_CERT_MUST_STAPLE + 1; field++) {
        fuzz_result(tlsshim_cert_text(cert, field, fuzz_room, FUZZ_ROOM));
        fuzz_result(tlsshim_cert_number(cert, field, &n));
    }
    ask_lists(cert);
    fuzz_result(tlsshim_cert_matches_name(cert, "www.test", 8));
    fuzz_result(tlsshim_cert_matches_name(cert, "10.0.0.1", 8));
    fuzz_close(fuzz_result(tlsshim_cert_public_key(cert)));
}

static void export_again(int64_t cert, int32_t format)
{
    static uint8_t once[FUZZ_ROOM];
    int32_t len = (int32_t)fuzz_result(tlsshim_cert_export(cert, format, once, FUZZ_ROOM));
    int64_t again;

    if (len < 0 || len > FUZZ_ROOM)
        return;
    again = fuzz_must(tlsshim_cert_load(once, len));
    if (fuzz_must(tlsshim_cert_export(again, format, fuzz_room, FUZZ_ROOM)) != len ||
        memcmp(once, fuzz_room, (size_t)len) != 0)
        fuzz_broken("a certificate that is read again is exported alike");
    fuzz_close(again);
}

void fuzz(const uint8_t *data, size_t len)
{
    int64_t cert = fuzz_result(tlsshim_cert_load(data, (int32_t)len));
    int64_t trust = fuzz_must(tlsshim_trust_new());

    fuzz_result(tlsshim_trust_add(trust, data, (int32_t)len));
    if (cert > 0) {
        ask(cert);
        export_again(cert, TLSSHIM_FORMAT_PEM);
        export_again(cert, TLSSHIM_FORMAT_DER);
        fuzz_result(tlsshim_trust_verify(trust, cert, 0, "www.test", 8, INT64_MIN, 0));
        fuzz_result(tlsshim_trust_verify(fuzz_stage()->trust, cert, TLSSHIM_USAGE_SERVER, "", 0, INT64_MIN, 0));
        fuzz_close(cert);
    }
    fuzz_close(trust);
}
