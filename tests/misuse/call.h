/* Calls a function of the table with arguments made at run time, and judges what it did. */
#ifndef TESTS_MISUSE_CALL_H
#define TESTS_MISUSE_CALL_H

#include "table.h"

union value {
    int32_t i32;
    int64_t i64;
    void *pointer;
};

/* One call: its arguments, and memory for its outputs. */
struct call {
    const struct function *function;
    union value values[MOST_PARAMETERS];
    unsigned char *rooms[MOST_PARAMETERS]; /* OUT, PAIRS, OUTPUT: memory of our own behind the pointer, or NULL */
    int64_t sizes[MOST_PARAMETERS];
};

void call_begin(struct call *call, const struct function *function);
/* Gives parameter `at` a room of exactly that many bytes, filled with a pattern. */
void call_room(struct call *call, int at, int64_t size);
int64_t call_make(struct call *call);
/* NULL, or what is wrong: a code that is not listed, an output written in spite of an error, a length past the room. */
const char *call_judge(const struct call *call, int64_t result);
void call_end(struct call *call);
/* "cert_load(data=0x0, data_len=5)", good until the next call. */
const char *call_text(const struct call *call);
bool call_lists(const struct function *function, int32_t code);

#endif
