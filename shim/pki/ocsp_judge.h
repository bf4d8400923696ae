/* The one judgement on an OCSP answer: of what a server staples, and of what is given to it for stapling. */
#ifndef SHIM_PKI_OCSP_JUDGE_H
#define SHIM_PKI_OCSP_JUDGE_H

#include <openssl/x509.h>

#include "../base/bytes.h"
#include "judge.h"

/* What is wrong with an answer. */
enum ocsp_fault {
    OCSP_SOUND,
    OCSP_DAMAGED,  /* cannot be read, or holds no answer */
    OCSP_FOREIGN,  /* is about other certificates */
    OCSP_UNSIGNED, /* is not by the issuer, nor by one whom the issuer let answer for it */
    OCSP_UNTIMELY, /* expired, or not valid yet */
    OCSP_OF_REVOKED,
    OCSP_OF_UNKNOWN
};

struct ocsp_case {
    struct bytes answer; /* DER */
    X509 *leaf;
    X509 *issuer;                    /* NULL = not known, which is UNSIGNED unless the answer is our own */
    struct trust *trust;             /* that a responder's chain must lead to; NULL = the answer is our own */
    STACK_OF(X509) * untrusted;      /* helps with that; may be NULL */
    const struct judge_rules *rules; /* of the leaf's own judgement */
};

struct ocsp_verdict {
    enum ocsp_fault fault;
    int64_t from; /* what the answer rests on holds from here ... */
    int64_t until;
    struct error_detail detail; /* unless SOUND */
};

/* OK when a judgement was made (see verdict), else E_MEMORY. */
int32_t ocsp_judge(const struct ocsp_case *of, struct ocsp_verdict *verdict) MUST_USE;
/* The detail of a judgement on a certificate for which no answer came at all. */
void ocsp_explain_missing(struct error_detail *detail, X509 *leaf, bool demanded_by_certificate);

#endif
