/* Lists of signature schemes, and how strong the schemes in them are. */
#ifndef SHIM_TLS_WORDS_H
#define SHIM_TLS_WORDS_H

#include <stdbool.h>

enum { WORD_CAP = 128 };

/* The first scheme of a list that rests on SHA-1 or MD5; false if there is none. */
bool words_broken_scheme(const char *list, char scheme[WORD_CAP]);
/* True if some scheme of a list gives so many bits of security. */
bool words_any_scheme(const char *list, int bits);

#endif
