#include "base/handle.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/backend.h"
#include "base/slots.h"
#include "support/support.h"

enum { ALIVE = 0x11fe, DEAD = 0xdead };

struct thing {
    int state;
    atomic_int closings;
    int64_t weight;
};

static atomic_int frees;
static atomic_int forgets;
static atomic_int made;
static _Atomic(OSSL_LIB_CTX *) context_at_free;

static void thing_free(void *object)
{
    struct thing *thing = object;

    must_be(thing->state, ALIVE);
    thing->state = DEAD;
    atomic_store(&context_at_free, OSSL_LIB_CTX_set0_default(NULL));
    free(thing);
    atomic_fetch_add(&frees, 1);
}

static void thing_forget(void *object)
{
    (void)object;
    atomic_fetch_add(&forgets, 1);
}

static void thing_closing(void *object)
{
    struct thing *thing = object;

    must_be(thing->state, ALIVE);
    atomic_fetch_add(&thing->closings, 1);
}

static int64_t thing_memory(void *object)
{
    return ((struct thing *)object)->weight;
}

static const struct handle_kind here_only = {
    .number = TLSSHIM_KIND_CONN,
    .one_process = true,
    .closing = thing_closing,
    .free = thing_free,
    .forget = thing_forget,
    .memory = thing_memory,
};

static const struct handle_kind anywhere = {
    .number = TLSSHIM_KIND_MOCK,
    .closing = thing_closing,
    .free = thing_free,
    .forget = thing_forget,
    .memory = thing_memory,
};

static int64_t a_thing(const struct handle_kind *kind)
{
    struct thing *thing = calloc(1, sizeof *thing);
    int64_t handle;

    ck_assert_ptr_nonnull(thing);
    thing->state = ALIVE;
    thing->weight = 77;
    handle = handle_new(kind, thing);
    if (handle < 0)
        free(thing);
    else
        atomic_fetch_add(&made, 1);
    return handle;
}

static void refused(int64_t handle)
{
    void *object;

    must_be(handle_pin(handle, &anywhere, &object), TLSSHIM_E_HANDLE);
    must_be(handle_kind_of(handle), TLSSHIM_E_HANDLE);
    must_be(tlsshim_kind(handle), TLSSHIM_E_HANDLE);
    must_be(tlsshim_memory(handle), TLSSHIM_E_HANDLE);
    must_be(tlsshim_copy(handle), TLSSHIM_E_HANDLE);
    must_be(tlsshim_close(handle), TLSSHIM_E_HANDLE);
}

START_TEST(a_handle_is_exact_in_a_double_and_never_fits_32_bits)
{
    for (int i = 0; i < 10000; i++) {
        int64_t handle = a_thing(&anywhere);

        must_be((int64_t)(double)handle, handle);
        must_be(handle > UINT32_MAX && handle < INT64_C(1) << 53, 1);
        must_be(handle >> 31 & 1, 0); /* so a truncated one is no result code */
        refused((int32_t)handle);
        must_be(tlsshim_close(handle), TLSSHIM_OK);
    }
}
END_TEST

START_TEST(a_closed_handle_is_refused_for_ever)
{
    int64_t closed[8];
    int reused = 0;

    for (int i = 0; i < 8; i++) {
        closed[i] = a_handle(a_thing(&anywhere));
        must_be(tlsshim_close(closed[i]), TLSSHIM_OK);
    }
    for (int i = 0; i < 30000; i++) { /* recycles every slot several times */
        int64_t other = a_thing(&anywhere);

        for (int k = 0; k < 8; k++)
            reused += (other & (SLOT_COUNT - 1)) == (closed[k] & (SLOT_COUNT - 1));
        refused(closed[i % 8]);
        must_be(tlsshim_close(other), TLSSHIM_OK);
    }
    ck_assert_int_ge(reused, 3 * 8);
    for (int k = 0; k < 8; k++)
        refused(closed[k]);
}
END_TEST

START_TEST(a_handle_of_another_kind_is_refused)
{
    int64_t handle = a_handle(a_thing(&anywhere));
    void *object;

    must_be(handle_pin(handle, &here_only, &object), TLSSHIM_E_HANDLE);
    for (int64_t kind = 0; kind < 32; kind++)
        if (kind != anywhere.number)
            refused((handle & ~(INT64_C(31) << SLOT_BITS)) | kind << SLOT_BITS);
    must_be(tlsshim_kind(handle), TLSSHIM_KIND_MOCK);
    must_be(tlsshim_close(handle), TLSSHIM_OK);
}
END_TEST

START_TEST(any_flipped_bit_is_refused_though_the_neighbours_are_open)
{
    enum { MANY = 300 };
    int64_t open[MANY];

    for (int i = 0; i < MANY; i++)
        open[i] = a_handle(a_thing(&anywhere));
    for (int i = 0; i < MANY; i++)
        for (int bit = 0; bit < 64; bit++)
            refused((int64_t)((uint64_t)open[i] ^ UINT64_C(1) << bit));
    for (int i = 0; i < MANY; i++)
        must_be(tlsshim_close(open[i]), TLSSHIM_OK);
}
END_TEST

START_TEST(what_never_was_a_handle_is_refused)
{
    static const int64_t never[] = {0,
                                    -1,
                                    1,
                                    TLSSHIM_E_HANDLE,
                                    INT64_MIN,
                                    INT64_MAX,
                                    UINT32_MAX,
                                    INT64_C(1) << 32,
                                    (INT64_C(1) << 53) - 1,
                                    INT64_C(1) << 53};
    uint64_t random = 88172645463325252U;

    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        refused(never[i]);
    for (int i = 0; i < 100000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        refused((int64_t)random);
        refused((int64_t)(random & ((UINT64_C(1) << 53) - 1) & ~(UINT64_C(1) << 31)));
    }
}
END_TEST

START_TEST(the_last_one_out_frees)
{
    int64_t handle = a_handle(a_thing(&anywhere));
    int before = atomic_load(&frees);
    void *first, *second;

    must_be(handle_pin(handle, &anywhere, &first), TLSSHIM_OK);
    must_be(handle_pin(handle, &anywhere, &second), TLSSHIM_OK);
    ck_assert_ptr_eq(first, second);
    ck_assert(!handle_closing(handle));
    must_be(tlsshim_close(handle), TLSSHIM_OK);
    ck_assert(handle_closing(handle));
    must_be(atomic_load(&((struct thing *)first)->closings), 1);
    refused(handle);
    must_be(atomic_load(&frees), before);
    handle_unpin(handle);
    must_be(((struct thing *)second)->state, ALIVE);
    handle_unpin(handle);
    must_be(atomic_load(&frees), before + 1);
}
END_TEST

START_TEST(freeing_happens_inside_a_visit)
{
    struct visit visit;

    must_be(tlsshim_close(a_handle(a_thing(&anywhere))), TLSSHIM_OK);
    ck_assert_ok(visit_enter(&visit));
    ck_assert_ptr_eq(atomic_load(&context_at_free), backend_context());
    visit_leave(&visit);
}
END_TEST

START_TEST(a_slot_rests_4096_uses_before_it_comes_again)
{
    int64_t handle = a_handle(a_thing(&anywhere));
    int64_t slot = handle & (SLOT_COUNT - 1);
    int uses = 0;

    must_be(tlsshim_close(handle), TLSSHIM_OK);
    do {
        handle = a_thing(&anywhere);
        must_be(tlsshim_close(handle), TLSSHIM_OK);
        uses++;
    } while ((handle & (SLOT_COUNT - 1)) != slot && uses < 4 * SLOT_COUNT);
    ck_assert_int_gt(uses, 4096);
    ck_assert_msg(uses < 4 * SLOT_COUNT, "the slot never came again");
}
END_TEST

/* Opens and closes until the slot comes again; 0 if it does not within some turns of the ring. */
static int64_t until_slot(int64_t slot)
{
    for (int i = 0; i < 6 * SLOT_REST; i++) {
        int64_t handle = a_thing(&anywhere);

        if ((handle & (SLOT_COUNT - 1)) == slot)
            return handle;
        must_be(tlsshim_close(handle), TLSSHIM_OK);
    }
    return 0;
}

START_TEST(a_spent_slot_is_retired_and_never_repeats_a_handle)
{
    enum { GENERATIONS = 1 << 27 };
    int64_t handle = a_handle(a_thing(&anywhere));
    int64_t slot = handle & (SLOT_COUNT - 1);
    int64_t seen[200];
    int count = 0;

    handle_spend(handle, GENERATIONS - 64 - 40);
    do {
        for (int i = 0; i < count; i++)
            must_be(seen[i] != handle, 1);
        must_be(count < 200, 1);
        seen[count++] = handle;
        must_be(tlsshim_close(handle), TLSSHIM_OK);
        handle = until_slot(slot);
    } while (handle != 0);
    ck_assert_int_ge(count, 2);
    for (int i = 0; i < count; i++)
        refused(seen[i]);
}
END_TEST

START_TEST(live_counts_what_is_open_by_kind)
{
    int64_t mocks = tlsshim_live(TLSSHIM_KIND_MOCK);
    int64_t conns = tlsshim_live(TLSSHIM_KIND_CONN);
    int64_t all = tlsshim_live(0);
    int64_t first = a_handle(a_thing(&anywhere));
    int64_t second = a_handle(a_thing(&here_only));

    must_be(tlsshim_live(TLSSHIM_KIND_MOCK), mocks + 1);
    must_be(tlsshim_live(TLSSHIM_KIND_CONN), conns + 1);
    must_be(tlsshim_live(0), all + 2);
    must_be(tlsshim_close(first), TLSSHIM_OK);
    must_be(tlsshim_close(second), TLSSHIM_OK);
    must_be(tlsshim_live(0), all);
    ck_assert_result(tlsshim_live(-1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_live(16), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_live(INT32_MAX), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(memory_is_asked_of_the_object)
{
    int64_t handle = a_handle(a_thing(&anywhere));

    must_be(tlsshim_memory(handle), 77);
    must_be(tlsshim_copy(handle), TLSSHIM_E_HANDLE); /* a kind without copies */
    must_be(tlsshim_close(handle), TLSSHIM_OK);
}
END_TEST

START_TEST(a_child_may_close_what_it_inherits_but_not_use_what_belongs_to_one_process)
{
    int64_t ours = a_handle(a_thing(&here_only));
    int64_t shared = a_handle(a_thing(&anywhere));
    int before = atomic_load(&frees);
    void *object;
    pid_t child = _i == 0 ? fork() : (pid_t)syscall(SYS_fork); /* the second skips what fork() would call */
    int status;

    if (child == 0) {
        bool good = handle_pin(ours, &here_only, &object) == TLSSHIM_E_FORKED;

        good = good && handle_pin(shared, &anywhere, &object) == TLSSHIM_OK;
        handle_unpin(shared);
        good = good && tlsshim_close(ours) == TLSSHIM_OK && tlsshim_close(ours) == TLSSHIM_E_HANDLE;
        good = good && tlsshim_close(shared) == TLSSHIM_OK;
        good = good && atomic_load(&forgets) == 2 && atomic_load(&((struct thing *)object)->closings) == 1;
        ours = a_thing(&here_only); /* one of its own is as good as any */
        good = good && handle_pin(ours, &here_only, &object) == TLSSHIM_OK;
        handle_unpin(ours);
        good = good && tlsshim_close(ours) == TLSSHIM_OK && atomic_load(&frees) == before + 1;
        _exit(good ? 0 : 1);
    }
    ck_assert_int_gt(child, 0);
    must_be(waitpid(child, &status, 0), child);
    must_be(status, 0);
    must_be(handle_pin(ours, &here_only, &object), TLSSHIM_OK);
    handle_unpin(ours);
    must_be(tlsshim_close(ours), TLSSHIM_OK);
    must_be(tlsshim_close(shared), TLSSHIM_OK);
    must_be(atomic_load(&forgets), 0);
}
END_TEST

enum { THREADS = 4, SHARED = 16 };
static _Atomic int64_t shared_handles[SHARED];
static atomic_int closed_ok;

/* Pins, closes and replaces shared handles at random. */
static void *busy(void *seed)
{
    uint64_t random = (uint64_t)(uintptr_t)seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    void *object;

    for (int i = 0; i < 20000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        _Atomic int64_t *place = &shared_handles[random % SHARED];
        int64_t handle = atomic_load(place);

        switch (random >> 32 & 3) {
        case 0:
            if (tlsshim_close(handle) == TLSSHIM_OK)
                atomic_fetch_add(&closed_ok, 1);
            break;
        case 1:
            if (tlsshim_kind(handle) == TLSSHIM_E_HANDLE) {
                int64_t fresh = a_thing(&anywhere);

                if (!atomic_compare_exchange_strong(place, &handle, fresh)) {
                    must_be(tlsshim_close(fresh), TLSSHIM_OK);
                    atomic_fetch_add(&closed_ok, 1);
                }
            }
            break;
        default:
            if (handle_pin(handle, &anywhere, &object) == TLSSHIM_OK) {
                must_be(((struct thing *)object)->state, ALIVE);
                must_be(((struct thing *)object)->weight, 77);
                handle_unpin(handle);
            }
        }
    }
    return NULL;
}

START_TEST(threads_at_random_free_each_object_exactly_once)
{
    int live_before = (int)tlsshim_live(TLSSHIM_KIND_MOCK);
    int made_before = atomic_load(&made), frees_before = atomic_load(&frees);
    pthread_t threads[THREADS];

    for (int i = 0; i < SHARED; i++)
        atomic_store(&shared_handles[i], a_handle(a_thing(&anywhere)));
    for (int i = 0; i < THREADS; i++)
        must_be(pthread_create(&threads[i], NULL, busy, (void *)(uintptr_t)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SHARED; i++)
        if (tlsshim_close(atomic_load(&shared_handles[i])) == TLSSHIM_OK)
            atomic_fetch_add(&closed_ok, 1);
    ck_assert_int_gt(atomic_load(&made) - made_before, SHARED);
    must_be(atomic_load(&frees) - frees_before, atomic_load(&made) - made_before);
    must_be(atomic_load(&closed_ok), atomic_load(&made) - made_before);
    must_be(tlsshim_live(TLSSHIM_KIND_MOCK), live_before);
}
END_TEST

START_TEST(more_than_a_million_can_be_open_and_then_the_limit_is_told)
{
    int64_t *open = calloc(SLOT_COUNT + 1, sizeof *open);
    int64_t result = 0;
    int count = 0;
    char text[200];
    int32_t len;

    ck_assert_ptr_nonnull(open);
    while (count <= SLOT_COUNT && (result = a_thing(&anywhere)) > 0)
        open[count++] = result;
    ck_assert_int_gt(count, 1000000);
    ck_assert_result(result, TLSSHIM_E_LIMIT);
    len = tlsshim_error_text(result, text, (int32_t)sizeof text);
    ck_assert_msg(len > 0 && memmem(text, (size_t)len, "handles are open", 16) != NULL, "%.*s", (int)len, text);
    for (int i = 0; i < count; i++)
        must_be(tlsshim_close(open[i]), TLSSHIM_OK);
    for (int i = 0; i < 20000; i++) {
        int64_t handle = a_thing(&anywhere);

        must_be(tlsshim_kind(handle), TLSSHIM_KIND_MOCK);
        must_be(tlsshim_close(handle), TLSSHIM_OK);
        must_be(tlsshim_kind(open[i * 50]), TLSSHIM_E_HANDLE);
    }
    free(open);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("handle");
    TCase *tcase = tcase_create("handle");

    tcase_add_test(tcase, a_handle_is_exact_in_a_double_and_never_fits_32_bits);
    tcase_add_test(tcase, a_closed_handle_is_refused_for_ever);
    tcase_add_test(tcase, a_handle_of_another_kind_is_refused);
    tcase_add_test(tcase, any_flipped_bit_is_refused_though_the_neighbours_are_open);
    tcase_add_test(tcase, what_never_was_a_handle_is_refused);
    tcase_add_test(tcase, the_last_one_out_frees);
    tcase_add_test(tcase, freeing_happens_inside_a_visit);
    tcase_add_test(tcase, a_slot_rests_4096_uses_before_it_comes_again);
    tcase_add_test(tcase, a_spent_slot_is_retired_and_never_repeats_a_handle);
    tcase_add_test(tcase, live_counts_what_is_open_by_kind);
    tcase_add_test(tcase, memory_is_asked_of_the_object);
    tcase_add_loop_test(tcase, a_child_may_close_what_it_inherits_but_not_use_what_belongs_to_one_process, 0, 2);
    tcase_add_test(tcase, threads_at_random_free_each_object_exactly_once);
    tcase_add_test(tcase, more_than_a_million_can_be_open_and_then_the_limit_is_told);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
