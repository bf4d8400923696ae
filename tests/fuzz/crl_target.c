/* Revocation lists: told, and put beside anchors. */
#include "fuzz.h"

void fuzz(const uint8_t *data, size_t len)
{
    int64_t trust = fuzz_must(tlsshim_trust_new());
    int64_t leaf = fuzz_must(tlsshim_identity_cert(fuzz_stage()->server_identity));
    int64_t root = fuzz_must(tlsshim_identity_cert(fuzz_stage()->ca));

    fuzz_result(tlsshim_crl_text(data, (int32_t)len, fuzz_room, FUZZ_ROOM));
    fuzz_must(tlsshim_trust_add_cert(trust, root));
    fuzz_result(tlsshim_trust_add(trust, data, (int32_t)len));
    fuzz_result(tlsshim_trust_verify(trust, leaf, 0, "www.test", 8, INT64_MIN, TLSSHIM_VERIFY_CRL_LEAF));
    fuzz_close(root);
    fuzz_close(leaf);
    fuzz_close(trust);
}
