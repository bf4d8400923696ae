/* Every public function with every kind of bad argument, one at a time: an error that its tags list, nothing written,
 * nothing read that must not be, nothing left open. time limit: 300 s */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "stage.h"
#include "support/support.h"
#include "tlsshim.h"

enum { ROOM = 65536 };

/* What a call must answer. */
enum { MAY_DO = 1, MUST_FAIL = 2 }; /* or one code */

struct tally {
    int calls;
    int wrong;
};

static struct call current;

static void on_crash(int number)
{
    const char *text = call_text(&current);

    if (write(2, "crash in ", 9) + write(2, text, strlen(text)) + write(2, "\n", 1) < 0)
        _exit(3);
    signal(number, SIG_DFL);
    raise(number);
}

static void names_crashes(void)
{
    if (!getenv("ASAN_OPTIONS"))
        signal(SIGSEGV, on_crash);
}

/* Arguments that a well-meaning caller could have given. */
static void plausible(struct call *call, const struct stage *stage)
{
    for (int i = 0; i < call->function->count; i++) {
        const struct parameter *parameter = &call->function->parameters[i];
        union value *value = &call->values[i];
        struct sample sample;
        switch (parameter->role) {
        case HANDLE:
            for (int kind = KINDS - 1; kind > 0; kind--)
                if (stage->live[kind] && (parameter->kinds >> kind & 1))
                    value->i64 = stage->live[kind];
            break;
        case IN:
            sample = stage_input(parameter);
            value->pointer = (void *)(uintptr_t)sample.data;
            call->values[i + 1].i32 = sample.length;
            break;
        case OUT:
        case PAIRS:
            call_room(call, i, parameter->role == PAIRS ? 16 * 64 : ROOM);
            call->values[i + 1].i32 = parameter->role == PAIRS ? 64 : ROOM;
            break;
        case OUTPUT:
            call_room(call, i, parameter->limit);
            break;
        case ONE:
            value->i32 = parameter->values[0];
            break;
        case FD:
            value->i64 = lent_socket();
            break;
        case NUMBER:
        case SECONDS:
            value->i64 = stage_number(parameter);
            if (parameter->type == INT32)
                value->i32 = (int32_t)value->i64;
            break;
        default:
            break;
        }
    }
}

/* Every handle that the function wants can be made here. */
static bool staged(const struct function *function, const struct stage *stage)
{
    for (int i = 0; i < function->count; i++) {
        bool found = function->parameters[i].role != HANDLE;
        for (int kind = 1; kind < KINDS; kind++)
            found = found || (stage->live[kind] && (function->parameters[i].kinds >> kind & 1));
        if (!found)
            return false;
    }
    return true;
}

/* That there is no such value, or that this is not the moment, may be known before the buffers are looked at. */
static bool forestalled(int32_t wanted, int64_t result)
{
    if (wanted != TLSSHIM_E_ARGUMENT && wanted != TLSSHIM_E_LIMIT && wanted != TLSSHIM_E_HANDLE)
        return false;
    return (result == TLSSHIM_NONE && wanted != TLSSHIM_E_HANDLE) || support_has_code(result, TLSSHIM_E_STATE);
}

static void make(struct tally *tally, int32_t wanted, const char *promise)
{
    int64_t result = call_make(&current);
    const char *wrong = call_judge(&current, result);

    tally->calls++;
    if (current.function->gives_handle && result > 0)
        tlsshim_close(result);
    if (!wrong && wanted == MUST_FAIL && (result >= 0 || result == TLSSHIM_NONE))
        wrong = "it should have failed";
    if (!wrong && wanted < 0 && !support_has_code(result, wanted) && !forestalled(wanted, result))
        wrong = "another code than wanted";
    if (wrong) {
        tally->wrong++;
        printf("%s: %s: %s; it gave %s", promise, call_text(&current), wrong, support_text(result));
        printf(wanted < 0 ? ", wanted %s\n" : "\n", wanted < 0 ? support_name(wanted) : "");
    }
}

/* One call with plausible arguments of which `change` spoils one. False when there is nothing left to spoil. */
typedef bool (*change)(const struct stage *stage, int at, int turn, int32_t *wanted);

static bool spoil(struct tally *tally, const struct stage *stage, int at, int turn, change how, const char *promise)
{
    int32_t wanted = MUST_FAIL;

    plausible(&current, stage);
    if (!how(stage, at, turn, &wanted))
        return false;
    if (wanted)
        make(tally, wanted, promise);
    return true;
}

static void each_call(change how, const char *promise)
{
    struct tally tally = {0, 0};

    names_crashes();
    for (int i = 0; i < function_count; i++) {
        const struct function *function = &functions[i];
        struct stage stage;
        stage_open(&stage);
        for (int at = 0; at < function->count && staged(function, &stage); at++) {
            bool more = true;
            for (int turn = 0; more; turn++) {
                call_begin(&current, function);
                more = spoil(&tally, &stage, at, turn, how, promise);
                call_end(&current);
            }
        }
        int64_t left = stage_close(&stage);
        if (left) {
            tally.wrong++;
            printf("%s: %s: %" PRId64 " handles left open\n", promise, function->name, left);
        }
    }
    fflush(stdout);
    ck_assert_msg(tally.calls > 0, "nothing was called");
    ck_assert_msg(tally.wrong == 0, "%d of %d calls went wrong", tally.wrong, tally.calls);
}

static bool a_bad_handle(const struct stage *stage, int at, int turn, int32_t *wanted)
{
    const struct parameter *parameter = &current.function->parameters[at];
    int64_t good = parameter->role == HANDLE ? current.values[at].i64 : 0;
    const int64_t bad[] = {0,
                           -1,
                           1,
                           INT64_MIN,
                           INT64_MAX,
                           (int32_t)good,
                           good & UINT32_MAX,
                           good ^ ((int64_t)1 << 25),
                           good ^ ((int64_t)1 << 40),
                           good | ((int64_t)1 << 31),
                           good | ((int64_t)1 << 53),
                           -good,
                           0x5eed5eed5eed};
    const int count = sizeof bad / sizeof *bad;

    *wanted = TLSSHIM_E_HANDLE;
    if (parameter->role != HANDLE)
        return false;
    if (turn < count) {
        current.values[at].i64 = bad[turn];
        if (bad[turn] == 0 && parameter->zero)
            *wanted = 0;
        return true;
    }
    int kind = turn - count + 1;
    if (kind < KINDS) { /* stale ones of every kind, this one's too */
        *wanted = stage->stale[kind] ? TLSSHIM_E_HANDLE : 0;
        current.values[at].i64 = stage->stale[kind];
        return true;
    }
    kind -= KINDS;
    if (kind < KINDS) { /* open ones of other kinds */
        bool wrong = stage->live[kind] && !(parameter->kinds >> kind & 1);
        *wanted = wrong ? TLSSHIM_E_HANDLE : 0;
        current.values[at].i64 = stage->live[kind];
        return true;
    }
    return false;
}

static bool a_bad_input(const struct stage *stage, int at, int turn, int32_t *wanted)
{
    const struct parameter *parameter = &current.function->parameters[at];
    const int32_t below[] = {-1, INT32_MIN};

    (void)stage;
    if (parameter->role != IN)
        return false;
    *wanted = TLSSHIM_E_ARGUMENT;
    if (turn < 2) {
        current.values[at + 1].i32 = below[turn];
    } else if (turn == 2) {
        current.values[at].pointer = NULL;
        current.values[at + 1].i32 = 1;
    } else if (turn == 3 && parameter->content != BYTES && parameter->content != SECRET) {
        current.values[at].pointer = (void *)(uintptr_t) "a\0b";
        current.values[at + 1].i32 = 3;
        if (parameter->content == TEXT)
            *wanted = MUST_FAIL;
    } else if (turn <= 3) {
        *wanted = 0;
    } else if (turn < 6 && parameter->limit >= 0 && parameter->limit < INT32_MAX) {
        *wanted = TLSSHIM_E_LIMIT;
        current.values[at].pointer = forbidden_memory();
        current.values[at + 1].i32 = turn == 4 ? (int32_t)(parameter->limit + 1) : INT32_MAX;
    } else if (turn < 6) {
        *wanted = MAY_DO;
        current.values[at].pointer = vast_memory();
        current.values[at + 1].i32 = INT32_MAX - (turn - 4);
    } else if (turn == 6) { /* nothing at all, at no address */
        *wanted = MAY_DO;
        current.values[at].pointer = forbidden_memory();
        current.values[at + 1].i32 = 0;
    } else if (turn == 7) { /* as much as is allowed, of nothing */
        *wanted = MAY_DO;
        current.values[at].pointer = vast_memory();
        current.values[at + 1].i32 =
            parameter->limit < 0 || parameter->limit > 1 << 26 ? 1 << 20 : (int32_t)parameter->limit;
    } else {
        return false;
    }
    return true;
}

static bool a_bad_output(const struct stage *stage, int at, int turn, int32_t *wanted)
{
    const struct parameter *parameter = &current.function->parameters[at];
    bool pair = parameter->role == OUT || parameter->role == PAIRS;

    (void)stage;
    *wanted = TLSSHIM_E_ARGUMENT;
    if (!pair && parameter->role != OUTPUT)
        return false;
    if (turn == 0) {
        current.values[at].pointer = NULL;
        return true;
    }
    if (!pair)
        return false;
    if (turn < 3) {
        current.values[at + 1].i32 = turn == 1 ? -1 : INT32_MIN;
        return true;
    }
    *wanted = MAY_DO;
    if (turn < 6) { /* room for nothing, for one, for three */
        int32_t cap = turn == 3 ? 0 : 2 * (turn - 4) + 1;
        call_room(&current, at, parameter->role == PAIRS ? 16 * cap : cap);
        current.values[at + 1].i32 = cap;
        return true;
    }
    if (turn == 6) { /* with no capacity the pointer is not looked at */
        current.values[at].pointer = forbidden_memory();
        current.values[at + 1].i32 = 0;
        free(current.rooms[at]);
        current.rooms[at] = NULL;
        return true;
    }
    if (turn == 7 && parameter->mode != FILL) { /* all of 2 GiB */
        current.values[at].pointer = vast_memory();
        current.values[at + 1].i32 = parameter->role == PAIRS ? INT32_MAX / 16 : INT32_MAX;
        free(current.rooms[at]);
        current.rooms[at] = NULL;
        return true;
    }
    return false;
}

static bool a_bad_number(const struct stage *stage, int at, int turn, int32_t *wanted)
{
    const struct parameter *parameter = &current.function->parameters[at];
    const int32_t outside[] = {0, -1, INT32_MIN, INT32_MAX, 1 << 30, 0x7fff};
    const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, INT32_MIN,        -2,       -1, 0,
                                1,         INT32_MAX,     (int64_t)1 << 40, INT64_MAX};
    const int64_t descriptors[] = {-1, INT64_MIN, INT64_MAX, (int64_t)1 << 32, 1000000007};

    (void)stage;
    switch (parameter->role) {
    case ONE:
        if (turn >= 6)
            return false;
        current.values[at].i32 = outside[turn];
        *wanted = turn == 0 && parameter->zero ? 0 : MUST_FAIL;
        for (int i = 0; i < parameter->value_count; i++)
            if (parameter->values[i] == outside[turn])
                *wanted = 0;
        return true;
    case ANY:
        if (turn >= 3)
            return false;
        current.values[at].i32 = outside[turn + 1];
        *wanted = MUST_FAIL;
        return true;
    case NUMBER:
    case SECONDS:
        if (turn >= (int)(sizeof extremes / sizeof *extremes))
            return false;
        current.values[at].i64 = extremes[turn];
        if (parameter->type == INT32)
            current.values[at].i32 = (int32_t)extremes[turn];
        *wanted = MAY_DO;
        return true;
    case DURATION:
        if (turn >= 2)
            return false;
        current.values[at].i64 = turn ? -1 : INT64_MIN;
        *wanted = MUST_FAIL;
        return true;
    case FD:
        if (turn >= (int)(sizeof descriptors / sizeof *descriptors))
            return false;
        current.values[at].i64 = descriptors[turn];
        *wanted = MUST_FAIL;
        return true;
    default:
        return false;
    }
}

START_TEST(a_bad_handle_is_refused_by_every_function)
{
    each_call(a_bad_handle, "bad handle");
}
END_TEST

START_TEST(a_bad_input_is_refused_before_it_is_read)
{
    each_call(a_bad_input, "bad input");
}
END_TEST

START_TEST(an_output_is_never_written_past_its_capacity)
{
    each_call(a_bad_output, "bad output");
}
END_TEST

START_TEST(a_number_out_of_its_range_is_refused)
{
    each_call(a_bad_number, "bad number");
}
END_TEST

/* Kinds without a fixture would leave their functions untested in silence. */
START_TEST(every_function_can_be_staged)
{
    struct stage stage;
    int missing = 0;

    stage_open(&stage);
    for (int i = 0; i < function_count; i++)
        if (!staged(&functions[i], &stage)) {
            printf("no handle of the right kind can be made for %s\n", functions[i].name);
            missing++;
        }
    ck_assert_int_eq(stage_close(&stage), 0);
    ck_assert_int_eq(missing, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("misuse");
    TCase *calls = tcase_create("calls");

    tcase_set_timeout(calls, 120);
    tcase_add_test(calls, every_function_can_be_staged);
    tcase_add_test(calls, a_bad_handle_is_refused_by_every_function);
    tcase_add_test(calls, a_bad_input_is_refused_before_it_is_read);
    tcase_add_test(calls, an_output_is_never_written_past_its_capacity);
    tcase_add_test(calls, a_number_out_of_its_range_is_refused);
    suite_add_tcase(suite, calls);
    return run_suite(suite);
}
