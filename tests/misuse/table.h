/* Every public function as data: made from the headers' tags, so that none can be forgotten. */
#ifndef TESTS_MISUSE_TABLE_H
#define TESTS_MISUSE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

enum { MOST_PARAMETERS = 8, MOST_CODES = 64, KINDS = 16 };
enum type { INT32, INT64, POINTER };
enum role { HANDLE, IN, LENGTH, OUT, PAIRS, CAPACITY, ONE, ANY, NUMBER, DURATION, SECONDS, FD, OUTPUT };
enum content { BYTES, TEXT, PATH, SECRET };
enum mode { WHOLE, STREAM, FILL };
#define ANY_KIND UINT32_MAX

/* One C parameter; LENGTH and CAPACITY follow the pointer that they belong to. */
struct parameter {
    const char *name;
    enum role role;
    enum type type;
    enum content content;  /* IN */
    enum mode mode;        /* OUT */
    int64_t limit;         /* IN: most bytes, -1 = any length; OUTPUT: bytes of the number */
    uint32_t kinds;        /* HANDLE: a bit for each kind */
    bool zero;             /* HANDLE, ONE: 0 is legal */
    const int32_t *values; /* ONE, ANY */
    int value_count;
};

struct function {
    const char *name;
    void (*address)(void);
    bool wide; /* returns 64 bits */
    bool gives_handle;
    bool costly;
    bool gives_code;           /* its result is itself the code of another result */
    int32_t codes[MOST_CODES]; /* negative results that it may give, bare; ends with 0 */
    int count;
    struct parameter parameters[MOST_PARAMETERS];
};

extern const struct function functions[];
extern const int function_count;
extern const char *const kind_names[KINDS];

#endif
