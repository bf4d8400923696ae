/* The one judgement on a chain: for handshakes and for trust_verify alike. */
#ifndef SHIM_PKI_JUDGE_H
#define SHIM_PKI_JUDGE_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "../base/bytes.h"
#include "../base/error.h"
#include "trust.h"

#define JUDGE_NOW INT64_MIN

/* What a failed judgement may be let pass for: the bits of the INSECURE mask. */
enum { JUDGE_SKIP_CHAIN = 1, JUDGE_SKIP_NAME = 2, JUDGE_SKIP_TIME = 4, JUDGE_SKIP_PURPOSE = 8 };

struct judge_rules {
    int32_t purpose;        /* one USAGE bit, 0 = any */
    struct bytes name;      /* what the leaf must hold; length 0 = the chain alone is judged */
    int64_t at_time;        /* seconds since 1970, JUDGE_NOW = now */
    int32_t verify_flags;   /* VERIFY mask */
    int32_t depth;          /* most intermediates, -1 = the default */
    uint32_t insecure;      /* INSECURE mask: judged still, then let pass */
    int32_t security_level; /* -1 = 1 */
};

struct verdict {
    int32_t code;    /* OK, or the bare E_ code of the judgement, before any insecure switch */
    bool accepted;   /* after the insecure switches */
    int verify_code; /* X509_V_ of the judgement, for alerts */
    int64_t from;    /* what it rests on holds from here ... */
    int64_t until;   /* ... to here: notAfter of the chain, nextUpdate of the CRLs; when accepted */
    struct error_detail detail;
};

/* OK when a judgement was made (see verdict), else an error. `untrusted` may be NULL or hold the leaf too. `verified`
 * (may be NULL) receives the chain from leaf to anchor, for the caller to free; NULL if there is none. */
int32_t judge(struct trust *trust, X509 *leaf, STACK_OF(X509) * untrusted, const struct judge_rules *rules,
              struct verdict *verdict, STACK_OF(X509) * *verified) MUST_USE;

/* E_ARGUMENT unless the mask is a VERIFY mask that makes sense. */
int32_t judge_flags_check(int32_t verify_flags) MUST_USE;

#endif
