#include "base/queue.h"

#include "support/support.h"

START_TEST(a_queue_gives_back_what_it_took_in_order)
{
    struct queue queue = {0};
    uint8_t next_in = 0, next_out = 0;
    uint8_t data[997];

    for (int round = 0; round < 2000; round++) {
        size_t in = (size_t)(round * 37) % sizeof data, out = (size_t)(round * 61) % sizeof data, got;

        for (size_t i = 0; i < in; i++)
            data[i] = next_in++;
        if (!queue_add(&queue, data, in))
            ck_abort_msg("no memory");
        got = queue_take(&queue, data, out);
        for (size_t i = 0; i < got; i++)
            must_be(data[i], next_out++);
    }
    while (queue.len > 0) {
        size_t got = queue_take(&queue, data, sizeof data);

        for (size_t i = 0; i < got; i++)
            must_be(data[i], next_out++);
    }
    ck_assert_int_eq(next_in, next_out);
    queue_free(&queue);
    ck_assert_ptr_null(queue.data);
}
END_TEST

START_TEST(room_is_behind_what_waits_and_joins_it_only_when_told)
{
    struct queue queue = {0};
    uint8_t *room;
    char back[8];

    ck_assert(queue_add(&queue, "abc", 3));
    room = queue_room(&queue, 2);
    ck_assert_ptr_nonnull(room);
    room[0] = 'd', room[1] = 'e';
    ck_assert_uint_eq(queue.len, 3);
    queue.len += 2;
    ck_assert_uint_eq(queue_take(&queue, back, sizeof back), 5);
    ck_assert_mem_eq(back, "abcde", 5);
    ck_assert_ptr_null(queue_room(&queue, (size_t)1 << 31));
    ck_assert(queue_add(&queue, "x", 1)); /* a refusal harms nothing */
    queue_free(&queue);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue");
    TCase *tcase = tcase_create("queue");

    tcase_add_test(tcase, a_queue_gives_back_what_it_took_in_order);
    tcase_add_test(tcase, room_is_behind_what_waits_and_joins_it_only_when_told);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
