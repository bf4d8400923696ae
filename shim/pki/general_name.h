/* One name of any kind as certificates hold them: its kind, its value as text, and made from text. */
#ifndef SHIM_PKI_GENERAL_NAME_H
#define SHIM_PKI_GENERAL_NAME_H

#include <openssl/x509v3.h>

#include "../base/bytes.h"

/* "DNS", "IP", "URI", "EMAIL", "DIRNAME", "RID", "OTHER". */
const char *general_name_kind(const GENERAL_NAME *name);
/* Its value as text, escaped. */
void general_name_value(const GENERAL_NAME *name, struct buffer *out);

/* Makes one from text; the kind is inferred, or told by a prefix ("DNS:", "IP:", "EMAIL:", "URI:"). E_ARGUMENT. */
int32_t general_name_parse(struct bytes text, GENERAL_NAME **name) MUST_USE;
/* The same for a name constraint: addresses as ranges, domains for host names and mail addresses. E_ARGUMENT. */
int32_t general_name_parse_constraint(struct bytes text, GENERAL_NAME **name) MUST_USE;

#endif
