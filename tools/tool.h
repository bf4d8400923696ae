/* What the commands share: arguments, files, failures, answers of the library. */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tlsshim.h"

enum { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_USAGE = 2 };

/* A text as the pair that functions take. */
#define str(text) (text), (int32_t)strlen(text)

/* Says why and ends: exit code 1, or 2 for wrong usage. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends with the text of an error, after `what` and a colon, if the result is one. */
int64_t good(int64_t result, const char *what);
/* The text of an error, to be freed. */
char *text_of_error(int64_t result);

/* Arguments that have not been taken yet. */
struct args {
    int count;
    char **at;
};

/* Takes "--name" out: true if it was there. */
bool args_flag(struct args *args, const char *name);
/* Takes "--name value" or "--name=value" out: the value of the first, or NULL. */
const char *args_value(struct args *args, const char *name);
/* Takes the first word that is no option, or NULL. */
const char *args_word(struct args *args);
/* Ends with a complaint if anything is left. */
void args_end(const struct args *args, const char *command);

/* Bytes that a function gave, with a NUL behind them. */
struct data {
    char *bytes;
    int32_t len;
};

/* Calls a function with an out pair behind its arguments, twice: for the size, then for the bytes. */
#define data_of(data, what, function, ...)                                                                             \
    do {                                                                                                               \
        data_room((data), (int32_t)good(function(__VA_ARGS__, NULL, 0), (what)));                                      \
        (data)->len = (int32_t)good(function(__VA_ARGS__, (data)->bytes, (data)->len), (what));                        \
        (data)->bytes[(data)->len] = 0;                                                                                \
    } while (0)
void data_room(struct data *data, int32_t len);
/* Wipes and frees. */
void data_end(struct data *data);

/* A text field of a certificate, to be freed; NULL if it does not say. */
char *cert_field(int64_t cert, int32_t field);
/* A part of an entry of a certificate's list, likewise. */
char *cert_part(int64_t cert, int32_t list, int32_t index, int32_t part);

/* Reads a file whole. */
struct data read_file(const char *path);
/* Writes a file that must not be there, unless `force`; a secret one is for its owner alone. */
void write_file(const char *path, const struct data *data, bool secret, bool force);
/* The first line of a file. */
char *read_line(const char *path);
/* `base` with an ending, to be freed. */
char *with_ending(const char *base, const char *ending);
/* "dir/www.csr" becomes "dir/www", to be freed. */
char *without_ending(const char *path);

/* Seconds since 1970 of "2026-11-21" or "2026-11-21T22:30:00Z". */
int64_t moment(const char *text);
/* A USAGE mask of "server,client". */
int32_t usage_mask(const char *text);

/* The commands. */
int run_cert(struct args *args);
int run_show(struct args *args);
int run_verify(struct args *args);

#endif
