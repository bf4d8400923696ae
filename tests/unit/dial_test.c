/* Making a connection: which address is tried when. The room's own insides, so that a test names the addresses. */
#include "../../shim/net/dial.c"

#include <time.h>

#include "support/socket.h"
#include "support/support.h"

static struct dial *a_dial(const char *const *hosts, const int32_t *ports, int count)
{
    struct bytes host = {(const uint8_t *)"127.0.0.1", 9};
    struct dial *dial;

    ck_assert_ok(dial_new(host, 1, &dial));
    strcpy(dial->host, "many.test");
    for (int i = 0; i < count; i++)
        ck_assert(address_parse(hosts[i], ports[i], &dial->addresses[i]));
    dial->count = count;
    return dial;
}

static int32_t dial_through(struct dial *dial, int *fd)
{
    struct pollfd ready = {.fd = dial_fd(dial), .events = POLLIN};
    int32_t result;

    while ((result = dial_step(dial, fd)) == TLSSHIM_WANT_READ)
        ck_assert_int_eq(poll(&ready, 1, SOON), 1);
    return result;
}

static void expect_port(int fd, int32_t port)
{
    struct address address = {.len = sizeof address.at};

    ck_assert_int_eq(getpeername(fd, (struct sockaddr *)&address.at, &address.len), 0);
    ck_assert_int_eq(address_port(&address), port);
}

START_TEST(a_refused_address_gives_way_at_once)
{
    int64_t listener = listener_at("127.0.0.1", 0), began = now_ms();
    const char *const hosts[] = {"::1", "127.0.0.1", "127.0.0.1"};
    const int32_t ports[] = {dead_port(), dead_port(), tlsshim_listener_port(listener)};
    struct dial *dial = a_dial(hosts, ports, 3);
    int fd;

    ck_assert_int_eq(dial_through(dial, &fd), TLSSHIM_OK);
    ck_assert_int_lt(now_ms() - began, 200);
    expect_port(fd, ports[2]);
    close(fd);
    dial_free(dial);
    ck_assert_ok(tlsshim_close(listener));
}
END_TEST

START_TEST(a_silent_address_gives_way_after_a_quarter_of_a_second)
{
    int64_t listener = listener_at("127.0.0.1", 0), began = now_ms();
    const char *const hosts[] = {"127.0.0.1", "127.0.0.1"};
    const int32_t ports[] = {silent_port(), tlsshim_listener_port(listener)};
    int descriptors = count_descriptors();
    struct dial *dial = a_dial(hosts, ports, 2);
    int fd;

    ck_assert_int_eq(dial_through(dial, &fd), TLSSHIM_OK);
    ck_assert_int_ge(now_ms() - began, 250);
    expect_port(fd, ports[1]);
    dial_free(dial);
    close(fd);
    ck_assert_int_eq(count_descriptors(), descriptors);
    ck_assert_ok(tlsshim_close(listener));
}
END_TEST

START_TEST(when_all_fail_each_is_named_with_its_reason)
{
    const char *const hosts[] = {"::1", "127.0.0.1"};
    const int32_t ports[] = {dead_port(), dead_port()};
    struct dial *dial = a_dial(hosts, ports, 2);
    int32_t result;
    int fd = -1;

    result = dial_through(dial, &fd);
    ck_assert_result(result, TLSSHIM_E_CONNECT);
    ck_assert_ptr_nonnull(strstr(support_text(result), "many.test port 1: ::1: Connection refused; 127.0.0.1: "
                                                       "Connection refused"));
    dial_free(dial);
}
END_TEST

START_TEST(only_what_reads_as_an_address_is_one)
{
    static const struct {
        const char *text;
        const char *back;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"::1", "::1"},
        {"2001:DB8:0::1", "2001:db8::1"},
        {"::ffff:10.0.0.1", "10.0.0.1"},
        {"1", NULL},
        {"127.1", NULL},
        {"010.0.0.1", NULL},
        {"0x7f000001", NULL},
        {"localhost", NULL},
        {"[::1]", NULL},
        {"", NULL},
        {"1.2.3.4.", NULL},
    };
    struct address address;
    char text[ADDRESS_TEXT_CAP];

    ck_assert_msg(address_parse(cases[_i].text, 443, &address) == (cases[_i].back != NULL), "%s", cases[_i].text);
    if (cases[_i].back != NULL) {
        ck_assert(address_text(&address, text));
        ck_assert_str_eq(text, cases[_i].back);
        ck_assert_int_eq(address_port(&address), 443);
    }
}
END_TEST

START_TEST(a_lookup_can_be_left_behind)
{
    struct lookup *lookup;

    for (int i = 0; i < 100; i++) {
        int32_t result = lookup_start("localhost", 80, &lookup);

        if (result == TLSSHIM_OK)
            lookup_drop(lookup);
        else
            ck_assert_int_eq(result, TLSSHIM_WANT_READ); /* so many are under way */
    }
}
END_TEST

START_TEST(lookups_wait_for_one_another_when_there_are_too_many)
{
    struct bytes host = {(const uint8_t *)"localhost", 9};
    int32_t port = dead_port();
    struct dial *dials[2 * LOOKUP_THREADS];
    int fd;

    for (int i = 0; i < 2 * LOOKUP_THREADS; i++) {
        ck_assert_ok(dial_new(host, port, &dials[i]));
        ck_assert_int_ne(dial_step(dials[i], &fd), TLSSHIM_OK);
    }
    for (int i = 0; i < 2 * LOOKUP_THREADS; i++) {
        if (dials[i]->said.len == 0) /* else it has failed in its first step already */
            ck_assert_result(dial_through(dials[i], &fd), TLSSHIM_E_CONNECT);
        dial_free(dials[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dial");
    TCase *all = tcase_create("all");

    tcase_add_test(all, a_refused_address_gives_way_at_once);
    tcase_add_test(all, a_silent_address_gives_way_after_a_quarter_of_a_second);
    tcase_add_test(all, when_all_fail_each_is_named_with_its_reason);
    tcase_add_loop_test(all, only_what_reads_as_an_address_is_one, 0, 12);
    tcase_add_test(all, a_lookup_can_be_left_behind);
    tcase_add_test(all, lookups_wait_for_one_another_when_there_are_too_many);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
