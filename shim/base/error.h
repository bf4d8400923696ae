/* Errors as values: a code and the number of a record on one number line. */
#ifndef SHIM_BASE_ERROR_H
#define SHIM_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "tlsshim.h"

enum { ERROR_TEXT_CAP = 512, ERROR_NAME_CAP = 192, ERROR_NO_DEPTH = -1 };

/* What a record holds. Zero and empty mean "not there", depth ERROR_NO_DEPTH. Texts are escaped by the writer. */
struct error_detail {
    int32_t side;
    int32_t verify_code;
    int32_t depth;
    int32_t alert;
    int32_t errno_value;
    int32_t reason;
    char verify_text[64];
    char reason_text[64];
    char library[32];
    char subject[ERROR_NAME_CAP];
    char issuer[ERROR_NAME_CAP];
    char wanted_name[ERROR_NAME_CAP];
    char names[ERROR_NAME_CAP];
    char text[ERROR_TEXT_CAP];
};

/* A detail with nothing in it but depth ERROR_NO_DEPTH. */
struct error_detail error_detail_none(void);
/* Formats one clean line, cut to what fits at a whole character. */
void error_sentence(char *text, size_t cap, const char *format, va_list args);
/* The same for the sentence of a detail. */
void error_say(struct error_detail *detail, const char *format, ...) FORMAT_LIKE_PRINTF(2, 3);

/* Publishes a record and gives the result that names it. */
int32_t error_publish(int32_t code, const struct error_detail *detail);
/* A record with a sentence alone. */
int32_t error_new(int32_t code, const char *format, ...) FORMAT_LIKE_PRINTF(2, 3);
/* E_SYSTEM with errno and its text after the sentence; ENOMEM becomes a bare E_MEMORY. */
int32_t error_system(int errno_value, const char *format, ...) FORMAT_LIKE_PRINTF(2, 3);
/* The same with another code: E_CONNECT, E_RESET... */
int32_t error_system_as(int32_t code, int errno_value, const char *format, ...) FORMAT_LIKE_PRINTF(3, 4);

/* Keeps the record of a result from being overwritten until released; false if it is gone or too many are kept. */
_Bool error_keep(int64_t result);
void error_release(int64_t result);

#endif
