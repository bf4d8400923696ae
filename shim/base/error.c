#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "code.h"

/* Records: a ring of which less than half may be kept, so that 4,096 errors later a record is still there, busy
 * writers and the seam of the numbers included.
 * A state is (number << 32 | keepers << 8 | busy). The payload moves in release stores and acquire loads, so that a
 * reader who saw a word of a newer record also sees the state that says so. */
enum {
    RING = 8192,
    KEPT_MOST = 4000,
    NUMBERS = (1 << 23) - 1,
    WORDS = (sizeof(struct error_detail) + 7) / 8,
};

#define BUSY UINT64_C(1)
#define KEEPER UINT64_C(0x100)
#define KEEPERS UINT64_C(0xffffff00)

struct record {
    _Atomic uint64_t state;
    _Atomic uint64_t payload[WORDS];
};

union image {
    struct error_detail detail;
    uint64_t words[WORDS];
};

static struct record ring[RING];
static _Atomic uint64_t next_number;
static _Atomic int32_t kept;

static struct record *record_claim(int64_t *number)
{
    for (int i = 0; i < RING; i++) {
        uint64_t n = atomic_fetch_add_explicit(&next_number, 1, memory_order_relaxed) % NUMBERS + 1;
        struct record *record = &ring[n % RING];
        uint64_t state = atomic_load_explicit(&record->state, memory_order_relaxed);

        if ((state & (KEEPERS | BUSY)) != 0)
            continue;
        if (atomic_compare_exchange_strong_explicit(&record->state, &state, n << 32 | BUSY, memory_order_acq_rel,
                                                    memory_order_relaxed)) {
            *number = (int64_t)n;
            return record;
        }
    }
    return NULL;
}

int32_t error_publish(int32_t code, const struct error_detail *detail)
{
    union image image;
    int64_t number;
    struct record *record;

    if (code == TLSSHIM_E_HANDLE || code == TLSSHIM_E_FORKED || code == TLSSHIM_E_MEMORY)
        return code;
    record = record_claim(&number);
    if (record == NULL)
        return code;
    memset(&image, 0, sizeof image);
    image.detail = *detail;
    for (int i = 0; i < (int)WORDS; i++)
        atomic_store_explicit(&record->payload[i], image.words[i], memory_order_release);
    atomic_store_explicit(&record->state, (uint64_t)number << 32, memory_order_release);
    return (int32_t)(code - 256 * number);
}

static struct record *record_of(int64_t result, uint64_t *number)
{
    if (result >= 0 || result < INT32_MIN)
        return NULL;
    *number = (uint64_t)(-result) >> 8;
    return *number == 0 ? NULL : &ring[*number % RING];
}

static bool record_read(int64_t result, struct error_detail *detail)
{
    union image image;
    uint64_t number;
    struct record *record = record_of(result, &number);

    if (record == NULL)
        return false;
    for (int pass = 0; pass < 2; pass++) {
        uint64_t state = atomic_load_explicit(&record->state, memory_order_acquire);

        if (state >> 32 != number || (state & BUSY) != 0)
            return false;
        for (int i = 0; pass == 0 && i < (int)WORDS; i++)
            image.words[i] = atomic_load_explicit(&record->payload[i], memory_order_acquire);
    }
    *detail = image.detail;
    return true;
}

bool error_keep(int64_t result)
{
    uint64_t number;
    struct record *record = record_of(result, &number);
    uint64_t state;

    if (record == NULL)
        return false;
    if (atomic_fetch_add(&kept, 1) >= KEPT_MOST) {
        atomic_fetch_sub(&kept, 1);
        return false;
    }
    state = atomic_load(&record->state);
    while (state >> 32 == number && (state & BUSY) == 0)
        if (atomic_compare_exchange_weak(&record->state, &state, state + KEEPER))
            return true;
    atomic_fetch_sub(&kept, 1);
    return false;
}

void error_release(int64_t result)
{
    uint64_t number;
    struct record *record = record_of(result, &number);

    if (record == NULL)
        return;
    atomic_fetch_sub(&record->state, KEEPER);
    atomic_fetch_sub(&kept, 1);
}

struct error_detail error_detail_none(void)
{
    struct error_detail detail;

    memset(&detail, 0, sizeof detail);
    detail.depth = ERROR_NO_DEPTH;
    return detail;
}

void error_sentence(char *text, size_t cap, const char *format, va_list args)
{
    char raw[ERROR_TEXT_CAP];
    int len = vsnprintf(raw, sizeof raw, format, args);
    size_t end = sizeof raw - 1;

    if (len < 0)
        raw[0] = 0;
    if (len >= (int)sizeof raw) { /* the last character may be half of one */
        while (end > 0 && ((unsigned char)raw[end - 1] & 0xc0) == 0x80)
            end--;
        if (end > 0 && (unsigned char)raw[end - 1] >= 0xc0)
            end--;
        raw[end] = 0;
    }
    text_clean(text, cap, raw);
}

void error_say(struct error_detail *detail, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    error_sentence(detail->text, sizeof detail->text, format, args);
    va_end(args);
}

int32_t error_new(int32_t code, const char *format, ...)
{
    struct error_detail detail = error_detail_none();
    va_list args;

    va_start(args, format);
    error_sentence(detail.text, sizeof detail.text, format, args);
    va_end(args);
    detail.side = TLSSHIM_SIDE_LOCAL;
    return error_publish(code, &detail);
}

static int32_t system_error(int32_t code, int errno_value, const char *format, va_list args)
{
    struct error_detail detail = error_detail_none();
    char sentence[ERROR_TEXT_CAP / 2];

    if (errno_value == ENOMEM && code == TLSSHIM_E_SYSTEM)
        return TLSSHIM_E_MEMORY;
    error_sentence(sentence, sizeof sentence, format, args);
    error_say(&detail, "%s: %s", sentence, strerrordesc_np(errno_value) ? strerrordesc_np(errno_value) : "?");
    detail.errno_value = errno_value;
    detail.side = code == TLSSHIM_E_SYSTEM ? TLSSHIM_SIDE_SYSTEM : TLSSHIM_SIDE_TRANSPORT;
    return error_publish(code, &detail);
}

int32_t error_system(int errno_value, const char *format, ...)
{
    va_list args;
    int32_t result;

    va_start(args, format);
    result = system_error(TLSSHIM_E_SYSTEM, errno_value, format, args);
    va_end(args);
    return result;
}

int32_t error_system_as(int32_t code, int errno_value, const char *format, ...)
{
    va_list args;
    int32_t result;

    va_start(args, format);
    result = system_error(code, errno_value, format, args);
    va_end(args);
    return result;
}

int32_t tlsshim_error_text(int64_t result, void *text, int32_t text_cap)
{
    const char *general = code_text(result);
    struct error_detail detail;

    if (general == NULL)
        return TLSSHIM_NONE;
    return text_out(text, text_cap, record_read(result, &detail) && detail.text[0] != 0 ? detail.text : general);
}

int32_t tlsshim_error_number(int64_t result, int32_t field, int64_t *n)
{
    struct error_detail detail;
    int64_t value;

    if (field < TLSSHIM_ERROR_VERIFY_CODE || field > TLSSHIM_ERROR_NAMES)
        return error_new(TLSSHIM_E_ARGUMENT, "%d is no error field", field);
    if (n == NULL)
        return error_new(TLSSHIM_E_ARGUMENT, "the output n is NULL");
    if (!record_read(result, &detail))
        return TLSSHIM_NONE;
    switch (field) {
    case TLSSHIM_ERROR_VERIFY_CODE:
        value = detail.verify_code;
        break;
    case TLSSHIM_ERROR_DEPTH:
        if (detail.depth == ERROR_NO_DEPTH)
            return TLSSHIM_NONE;
        *n = detail.depth;
        return TLSSHIM_OK;
    case TLSSHIM_ERROR_ALERT:
        value = detail.alert;
        break;
    case TLSSHIM_ERROR_ERRNO:
        value = detail.errno_value;
        break;
    case TLSSHIM_ERROR_REASON:
        value = detail.reason;
        break;
    case TLSSHIM_ERROR_SIDE:
        value = detail.side;
        break;
    default:
        return TLSSHIM_NONE;
    }
    if (value == 0)
        return TLSSHIM_NONE;
    *n = value;
    return TLSSHIM_OK;
}

int32_t tlsshim_error_part(int64_t result, int32_t field, void *text, int32_t text_cap)
{
    struct error_detail detail;
    const char *part = NULL;

    if (field < TLSSHIM_ERROR_VERIFY_CODE || field > TLSSHIM_ERROR_NAMES)
        return error_new(TLSSHIM_E_ARGUMENT, "%d is no error field", field);
    if (!record_read(result, &detail))
        return TLSSHIM_NONE;
    switch (field) {
    case TLSSHIM_ERROR_VERIFY_CODE:
        part = detail.verify_text;
        break;
    case TLSSHIM_ERROR_ALERT:
        part = detail.alert != 0 ? code_alert_name(detail.alert) : NULL;
        break;
    case TLSSHIM_ERROR_ERRNO:
        part = detail.errno_value != 0 ? strerrorname_np(detail.errno_value) : NULL;
        break;
    case TLSSHIM_ERROR_REASON:
        part = detail.reason_text;
        break;
    case TLSSHIM_ERROR_LIBRARY:
        part = detail.library;
        break;
    case TLSSHIM_ERROR_SUBJECT:
        part = detail.subject;
        break;
    case TLSSHIM_ERROR_ISSUER:
        part = detail.issuer;
        break;
    case TLSSHIM_ERROR_WANTED_NAME:
        part = detail.wanted_name;
        break;
    case TLSSHIM_ERROR_NAMES:
        part = detail.names;
        break;
    default:
        break;
    }
    return part == NULL || part[0] == 0 ? TLSSHIM_NONE : text_out(text, text_cap, part);
}
