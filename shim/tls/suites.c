#include "suites.h"

#include <stdbool.h>
#include <sys/auxv.h>

#include "../base/compiler.h"

#define EC_AES128 "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
#define EC_AES256 "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
#define EC_CHACHA "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

/* ChaCha20 is the faster one only where the processor has no AES instructions. */
static bool aes_is_fast(void)
{
    return MACHINE_HAS_AES();
}

const char *suites_tls12(void)
{
    return aes_is_fast() ? EC_AES128 ":" EC_AES256 ":" EC_CHACHA : EC_CHACHA ":" EC_AES128 ":" EC_AES256;
}

const char *suites_psk(void)
{
    return "ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES128-GCM-SHA256:DHE-PSK-AES256-GCM-SHA384:DHE-PSK-CHACHA20-POLY1305";
}

const char *suites_tls13(void)
{
    return aes_is_fast() ? "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
                         : "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384";
}

const char *suites_groups(void)
{
    return "X25519:P-256:P-384:P-521:X448";
}

const char *suites_signatures(void)
{
    return "ECDSA+SHA256:ed25519:RSA-PSS+SHA256:rsa_pss_pss_sha256:ECDSA+SHA384:RSA-PSS+SHA384:rsa_pss_pss_sha384:"
           "ECDSA+SHA512:RSA-PSS+SHA512:rsa_pss_pss_sha512:ed448:RSA+SHA256:RSA+SHA384:RSA+SHA512";
}
