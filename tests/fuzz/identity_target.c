/* Identities: PKCS#12 of today and of old with the passphrase "secret", and PEM files that hold all parts. */
#include "fuzz.h"

static void use(int64_t identity)
{
    if (identity > 0) {
        int64_t context = fuzz_must(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
        int64_t cert = fuzz_result(tlsshim_identity_cert(identity)), key = fuzz_result(tlsshim_identity_key(identity));

        fuzz_result(tlsshim_context_add_identity(context, identity, "", 0));
        fuzz_close(cert);
        fuzz_close(key);
        fuzz_close(context);
    }
    fuzz_close(identity);
}

void fuzz(const uint8_t *data, size_t len)
{
    use(fuzz_result(tlsshim_identity_load(data, (int32_t)len, "secret", 6)));
    use(fuzz_result(tlsshim_identity_insecure_load_legacy(data, (int32_t)len, "secret", 6)));
}
