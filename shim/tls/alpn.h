/* ALPN lists in wire form. */
#ifndef SHIM_TLS_ALPN_H
#define SHIM_TLS_ALPN_H

#include "../base/bytes.h"

enum { ALPN_LIMIT = 65535 };

/* Checks an (x, x_len) pair that must be a wire list: E_ARGUMENT, E_LIMIT, E_FORMAT naming the byte at fault. */
int32_t alpn_in(const void *wire, int32_t wire_len, const char *what, struct bytes *list);
/* The first name of `mine` that `theirs` holds too; both are valid wire lists. */
bool alpn_select(struct bytes mine, struct bytes theirs, struct bytes *name);
/* Adds a name as text: commas, backslashes and what is no printable text as \xNN. */
void alpn_name_text(struct bytes name, struct buffer *text);

#endif
