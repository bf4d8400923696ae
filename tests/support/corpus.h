/* Files of others that tests read: Debian's python3-cryptography-vectors, or where CORPUS says. */
#ifndef TESTS_SUPPORT_CORPUS_H
#define TESTS_SUPPORT_CORPUS_H

#include "support/pki.h"

enum { CORPUS_PATH = 512 };

/* The path of a file or folder in the corpus, or of one elsewhere that begins with a slash; good until the next call.
 */
const char *corpus_path(const char *below);
/* Calls `look` with each regular file of a folder and those below it; the count of them. */
int corpus_each(const char *below, void (*look)(const char *path, void *user), void *user);
/* A file whole, to be freed; files past 4 MiB are NULL. */
uint8_t *corpus_read(const char *path, int32_t *len);

#endif
