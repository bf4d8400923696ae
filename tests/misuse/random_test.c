/* Any function with any arguments, again and again: no crash, no code that is not listed, no handle lost.
 * TLSSHIM_RANDOM_CALLS says how many (SOAK: ten million), TLSSHIM_RANDOM_SEED repeats a run. time limit: 900 s */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "call.h"
#include "stage.h"
#include "support/support.h"
#include "tlsshim.h"

enum {
    MOST_FUNCTIONS = 1024,
    POOL = 64,
    PAST = 64,
    RESULTS = 32,
    ECHOES = 24,
    LARGEST_ROOM = 20000,
    COSTLY_ONE_IN = 40
};

/* Everything that the calls have made so far, and where the dice stand. */
struct world {
    uint64_t dice;
    int64_t pool[POOL]; /* open handles */
    int pool_count;
    int64_t past[PAST]; /* closed ones */
    unsigned past_count;
    struct sample echoes[ECHOES]; /* outputs of earlier calls, to be inputs */
    unsigned echo_count;
    const struct sample *samples;
    int sample_count;
    int64_t port;             /* where a listener of ours listens */
    int64_t results[RESULTS]; /* the latest errors */
    unsigned result_count;
    bool done[MOST_FUNCTIONS]; /* which functions have ever succeeded */
};

static struct world world;
static struct call current;
static uint64_t seed;
static int64_t number;

static uint64_t roll(void)
{
    uint64_t x = world.dice += 0x9E3779B97F4A7C15u;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static int below(int count)
{
    return (int)(roll() % (uint64_t)count);
}

static void on_crash(int signal_number)
{
    char text[1200];
    int length = snprintf(text, sizeof text, "crash in call %" PRId64 " of seed %" PRIu64 ": %s\n", number, seed,
                          call_text(&current));

    if (write(2, text, (size_t)length) < 0)
        _exit(3);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* --- handles ----------------------------------------------------------------------------------------------------- */

static void pool_drop(int at)
{
    world.past[world.past_count++ % PAST] = world.pool[at];
    world.pool[at] = world.pool[--world.pool_count];
}

static void pool_close(int at)
{
    int64_t handle = world.pool[at];

    ck_assert_int_eq(tlsshim_close(handle), TLSSHIM_OK);
    pool_drop(at);
}

static void pool_add(int64_t handle)
{
    if (world.pool_count == POOL)
        pool_close(below(POOL));
    world.pool[world.pool_count++] = handle;
}

/* How many handles must be open; a TLS stream keeps its engine's handle besides its own. */
static int64_t pool_handles(void)
{
    int64_t count = world.pool_count, tls;

    for (int i = 0; i < world.pool_count; i++)
        if (tlsshim_stream_number(world.pool[i], TLSSHIM_STREAM_TLS, &tls) == TLSSHIM_OK)
            count += tls;
    return count;
}

/* What the calls cannot get going without. */
static void pool_refill(void)
{
    static struct stage stage;
    bool missing = world.pool_count < POOL / 4;

    for (int kind = 1; kind < KINDS && !missing; kind++) {
        if (!stage.live[kind])
            continue;
        missing = true;
        for (int i = 0; i < world.pool_count; i++)
            missing = missing && tlsshim_kind(world.pool[i]) != kind;
    }
    if (!missing)
        return;
    stage_open(&stage);
    for (int i = 0; i < HANDLES; i++)
        if (stage.live[i])
            pool_add(stage.live[i]);
}

static int64_t any_of_kind(int32_t kind)
{
    int start = below(POOL);

    for (int i = 0; i < world.pool_count; i++)
        if (tlsshim_kind(world.pool[(start + i) % world.pool_count]) == kind)
            return world.pool[(start + i) % world.pool_count];
    return 0;
}

/* Chance alone carries no handshake: now and then bytes go from one connection to another, the right one or not. */
static void courier(void)
{
    static unsigned char bytes[32768];
    int64_t ends[2] = {any_of_kind(TLSSHIM_KIND_CONN), any_of_kind(TLSSHIM_KIND_CONN)};

    for (int turn = 0; turn < 6; turn++) {
        int64_t from = ends[turn & 1], to = ends[~turn & 1];
        tlsshim_conn_write(from, bytes, 1 + below(300));
        int32_t count = tlsshim_conn_drain(from, bytes, sizeof bytes);
        tlsshim_conn_feed(to, bytes, count > 0 ? count : 0);
    }
}

static int64_t a_handle_for(const struct parameter *parameter)
{
    int dice = below(100);

    if (dice < 80) {
        int start = below(POOL);
        for (int i = 0; i < world.pool_count; i++) {
            int64_t handle = world.pool[(start + i) % world.pool_count];
            if (parameter->kinds >> tlsshim_kind(handle) & 1)
                return handle;
        }
    }
    if (dice < 88 && world.pool_count)
        return world.pool[below(world.pool_count)];
    if (dice < 94 && world.past_count)
        return world.past[(unsigned)below(world.past_count < PAST ? (int)world.past_count : PAST)];
    if (dice < 97 && world.pool_count)
        return world.pool[below(world.pool_count)] ^ ((int64_t)1 << below(63));
    return dice < 98 ? (int64_t)roll() : below(5) - 2;
}

/* --- other arguments --------------------------------------------------------------------------------------------- */

static unsigned char scratch[LARGEST_ROOM];

static struct sample any_sample(enum content content)
{
    struct sample sample = {"", 0, content, NULL};

    if ((content == BYTES || content == SECRET) && world.echo_count && below(3) == 0)
        return world.echoes[(unsigned)below(world.echo_count < ECHOES ? (int)world.echo_count : ECHOES)];
    for (int tries = 0; tries < 8; tries++) {
        sample = world.samples[below(world.sample_count)];
        if (sample.content == content || (content != PATH && below(8) == 0))
            break;
    }
    /* A path is only ever one of ours, a host only ever this machine. */
    return sample.content == PATH || content != PATH ? sample : (struct sample){"", 0, content, NULL};
}

static struct sample damaged(struct sample sample)
{
    int32_t length = sample.length < LARGEST_ROOM ? sample.length : LARGEST_ROOM;

    memcpy(scratch, sample.data, (size_t)length);
    for (int i = below(3); i >= 0 && length > 0; i--)
        scratch[below(length)] ^= (unsigned char)(1u << below(8));
    if (length > 0 && below(4) == 0)
        length = below(length);
    return (struct sample){scratch, length, sample.content, NULL};
}

static struct sample an_input(const struct parameter *parameter)
{
    int dice = below(100);

    if (parameter->content == PATH || strcmp(parameter->name, "host") == 0)
        return parameter->content == PATH ? any_sample(PATH) : stage_input(parameter);
    if (dice < 35)
        return stage_input(parameter);
    if (dice < 80)
        return any_sample(parameter->content);
    if (dice < 92)
        return damaged(any_sample(parameter->content));
    for (int i = 0; i < 64; i++)
        scratch[i] = (unsigned char)roll();
    return (struct sample){scratch, below(64), parameter->content, NULL};
}

static void draw_input(int at)
{
    const struct parameter *parameter = &current.function->parameters[at];
    struct sample sample = an_input(parameter);

    current.values[at].pointer = (void *)(uintptr_t)sample.data;
    current.values[at + 1].i32 = sample.length;
    switch (below(60)) {
    case 0:
        current.values[at].pointer = NULL;
        break;
    case 1:
        current.values[at + 1].i32 = -1 - below(INT32_MAX);
        break;
    case 2:
        current.values[at].pointer = forbidden_memory();
        current.values[at + 1].i32 = 0;
        if (parameter->limit >= 0 && parameter->limit < INT32_MAX)
            current.values[at + 1].i32 = (int32_t)parameter->limit + 1 + below(1000);
        break;
    default:
        break;
    }
}

static void draw_output(int at)
{
    const struct parameter *parameter = &current.function->parameters[at];
    int64_t unit = parameter->role == PAIRS ? 16 : 1;
    int32_t cap = below(3) ? below(LARGEST_ROOM / (int)unit) : below(40);

    call_room(&current, at, cap * unit);
    current.values[at + 1].i32 = cap;
    switch (below(40)) {
    case 0:
        current.values[at].pointer = NULL;
        break;
    case 1:
        current.values[at + 1].i32 = -1 - below(INT32_MAX);
        break;
    default:
        break;
    }
}

static int64_t a_number(const struct parameter *parameter)
{
    const int64_t extremes[] = {INT64_MIN, INT32_MIN, -1, INT32_MAX, INT64_MAX, (int64_t)1 << 40};

    if (strcmp(parameter->name, "result") == 0 && world.result_count && below(4))
        return world.results[(unsigned)below(world.result_count < RESULTS ? (int)world.result_count : RESULTS)];
    if (strcmp(parameter->name, "port") == 0 && below(4))
        return world.port;
    switch (below(4)) {
    case 0:
        return extremes[below(6)];
    case 1:
        return time(NULL) + below(2000000) - 1000000;
    case 2:
        return below(2) ? below(400) : stage_number(parameter);
    default:
        return below(6) - 1;
    }
}

static void draw(int at)
{
    const struct parameter *parameter = &current.function->parameters[at];
    union value *value = &current.values[at];

    switch (parameter->role) {
    case HANDLE:
        value->i64 = parameter->zero && below(3) == 0 ? 0 : a_handle_for(parameter);
        break;
    case IN:
        draw_input(at);
        break;
    case OUT:
    case PAIRS:
        draw_output(at);
        break;
    case OUTPUT:
        call_room(&current, at, parameter->limit);
        if (below(40) == 0)
            value->pointer = NULL;
        break;
    case ONE:
        value->i32 = below(20) ? parameter->values[below(parameter->value_count)] : (int32_t)a_number(parameter);
        break;
    case ANY:
        value->i32 = below(8) ? parameter->values[below(parameter->value_count)] : (int32_t)a_number(parameter);
        if (below(3) == 0)
            value->i32 = 0;
        break;
    case DURATION:
        value->i64 = below(10) ? below(3) : -1 - below(5);
        break;
    case FD:
        value->i64 = below(3) ? lent_socket() : below(2) ? -1 - below(4) : 1000000007;
        break;
    case NUMBER:
    case SECONDS:
        value->i64 = a_number(parameter);
        if (parameter->type == INT32)
            value->i32 = (int32_t)value->i64;
        break;
    default: /* LENGTH and CAPACITY come with their pointer */
        break;
    }
}

/* --- the calls --------------------------------------------------------------------------------------------------- */

static const struct function *a_function(void)
{
    for (;;) {
        const struct function *function = &functions[below(function_count)];
        /* The one call that is for the whole process, and for its start. */
        if (strcmp(function->name, "library_config") == 0)
            continue;
        if (!function->costly || below(COSTLY_ONE_IN) == 0)
            return function;
    }
}

static void keep_echo(int64_t result)
{
    for (int i = 0; i < current.function->count; i++) {
        const struct parameter *parameter = &current.function->parameters[i];
        if (parameter->role != OUT || result <= 0 || result > current.values[i + 1].i32)
            continue;
        struct sample *echo = &world.echoes[world.echo_count++ % ECHOES];
        free((void *)(uintptr_t)echo->data);
        void *copy = malloc((size_t)result);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, current.rooms[i], (size_t)result);
        *echo = (struct sample){copy, (int32_t)result, BYTES, NULL};
    }
}

/* A descriptor that the call is to take over must not be the one that stays ours. */
static int fd_to_take(void)
{
    for (int i = 0; i < current.function->count; i++)
        if (strcmp(current.function->parameters[i].name, "fd_rule") == 0 && current.values[i].i32 == TLSSHIM_FD_TAKE)
            for (int at = 0; at < i; at++)
                if (current.function->parameters[at].role == FD && current.values[at].i64 == lent_socket())
                    return (int)(current.values[at].i64 = dup((int)lent_socket()));
    return -1;
}

static void note(int64_t result)
{
    const struct function *function = current.function;
    const char *wrong = call_judge(&current, result);

    ck_assert_msg(!wrong, "call %" PRId64 " of seed %" PRIu64 ": %s: %s; it gave %s", number, seed, call_text(&current),
                  wrong, support_text(result));
    world.done[function - functions] |= result >= 0;
    if (result > 0 && strcmp(function->name, "listener_port") == 0)
        world.port = result;
    if (result < 0)
        world.results[world.result_count++ % RESULTS] = result;
    if (function->gives_handle && result > 0)
        pool_add(result);
    keep_echo(result);
    if (strcmp(function->name, "close") == 0 && result == TLSSHIM_OK)
        for (int i = 0; i < world.pool_count; i++)
            if (world.pool[i] == current.values[0].i64)
                pool_drop(i);
}

static int64_t wanted_calls(void)
{
    const char *wanted = getenv("TLSSHIM_RANDOM_CALLS");

    if (wanted)
        return strtoll(wanted, NULL, 10);
    return getenv("SOAK") ? 10000000 : 50000;
}

static void choose_seed(void)
{
    const char *wanted = getenv("TLSSHIM_RANDOM_SEED");
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    seed = wanted ? strtoull(wanted, NULL, 10) : (uint64_t)now.tv_sec * 1000003u ^ (uint64_t)now.tv_nsec;
    world.dice = seed;
}

START_TEST(random_calls_never_crash_nor_lose_a_handle)
{
    int64_t before = tlsshim_live(0), calls = wanted_calls();
    int done = 0;

    choose_seed();
    printf("%" PRId64 " random calls, TLSSHIM_RANDOM_SEED=%" PRIu64 "\n", calls, seed);
    fflush(stdout);
    if (!getenv("ASAN_OPTIONS"))
        signal(SIGSEGV, on_crash);
    world.samples = stage_samples(&world.sample_count);
    for (number = 0; number < calls; number++) {
        if (number % 100 == 0)
            pool_refill();
        call_begin(&current, a_function());
        for (int i = 0; i < current.function->count; i++)
            draw(i);
        int fd = fd_to_take();
        int64_t result = call_make(&current);
        if (result < 0 && fd >= 0)
            close(fd);
        note(result);
        call_end(&current);
        if (number % 50 == 0 && world.pool_count)
            pool_close(below(world.pool_count));
        if (number % 20 == 0)
            courier();
        if (number % 1000 == 0)
            ck_assert_int_eq(tlsshim_live(0) - before, pool_handles());
    }
    while (world.pool_count)
        pool_close(0);
    ck_assert_int_eq(tlsshim_live(0), before);
    /* Calls that only ever fail reach nothing. */
    for (int i = 0; i < function_count; i++) {
        done += world.done[i];
        if (!world.done[i])
            printf("%s never succeeded\n", functions[i].name);
    }
    ck_assert_int_ge(done, function_count * 2 / 3);
    for (unsigned i = 0; i < ECHOES; i++)
        free((void *)(uintptr_t)world.echoes[i].data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("random");
    TCase *calls = tcase_create("calls");

    tcase_set_timeout(calls, getenv("SOAK") ? 7200 : 600);
    tcase_add_test(calls, random_calls_never_crash_nor_lose_a_handle);
    suite_add_tcase(suite, calls);
    return run_suite(suite);
}
