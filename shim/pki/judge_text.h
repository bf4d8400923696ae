/* What a failed judgement says: which certificate, which rule, what was wanted and there, what would mend it. */
#ifndef SHIM_PKI_JUDGE_TEXT_H
#define SHIM_PKI_JUDGE_TEXT_H

#include "judge.h"

/* Fills the detail for a code of the backend at a certificate (which may be NULL). */
void judge_explain(struct error_detail *detail, X509_STORE_CTX *context, int verify_code, int depth, X509 *cert,
                   const struct judge_rules *rules, int anchors);
/* The same for a leaf that does not hold the name, and for one whose usages lack the purpose. */
void judge_explain_name(struct error_detail *detail, X509 *leaf, struct bytes name);
void judge_explain_purpose(struct error_detail *detail, X509 *cert, int depth, int32_t purpose);

#endif
