/* Certificate requests: read, asked, told, and answered with a certificate. */
#include "fuzz.h"

void fuzz(const uint8_t *data, size_t len)
{
    int64_t tmpl = fuzz_result(tlsshim_template_from_request(data, (int32_t)len)), key, cert;
    int64_t n;

    fuzz_result(tlsshim_request_text(data, (int32_t)len, fuzz_room, FUZZ_ROOM));
    if (tmpl < 0)
        return;
    for (int32_t field = 0; field < 32; field++) {
        fuzz_result(tlsshim_template_text(tmpl, field, fuzz_room, FUZZ_ROOM));
        fuzz_result(tlsshim_template_number(tmpl, field, &n));
    }
    key = fuzz_result(tlsshim_template_key(tmpl));
    if (key > 0) {
        cert = fuzz_result(tlsshim_template_issue(tmpl, key, fuzz_stage()->ca));
        if (cert > 0)
            fuzz_result(tlsshim_cert_text(cert, TLSSHIM_CERT_FULL, fuzz_room, FUZZ_ROOM));
        fuzz_close(cert);
    }
    fuzz_close(key);
    fuzz_close(tmpl);
}
