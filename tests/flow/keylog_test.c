#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/pair.h"

static char folder[64];

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static int turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void folder_begin(void)
{
    keep_begin();
    strcpy(folder, "/tmp/tlsshim-keylog-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void folder_end(void)
{
    static const char *const names[] = {"a", "b", "pipe"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path_of(names[i]));
    rmdir(folder);
    keep_end();
}

static int64_t logged(int64_t context, const char *path)
{
    ck_assert_ok(tlsshim_context_set_keylog_file(context, path, (int32_t)strlen(path)));
    return context;
}

static const char *content(const char *path)
{
    static char texts[2][1 << 20];
    static int turn;
    char *text = texts[turn++ % 2];
    FILE *file = fopen(path, "rb");
    size_t len = file != NULL ? fread(text, 1, sizeof texts[0] - 1, file) : 0;

    ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
    fclose(file);
    text[len] = 0;
    return text;
}

static struct pair *connect_by(int64_t client, int64_t server)
{
    struct pair *pair = pair_new(client, server, PIPE_MOST);

    pair_connect(pair);
    return pair;
}

static int64_t a_client(int32_t version)
{
    return client_context(version, certs()->trust, 0);
}

static int64_t a_server(int32_t version)
{
    return server_context(version, certs()->server, 0, 0);
}

static int count_lines(const char *text, const char *start)
{
    int lines = 0;

    for (const char *at = text; *at != 0; at = strchr(at, '\n') + 1) {
        ck_assert_msg(strchr(at, '\n') != NULL, "an unfinished line: %s", at);
        lines += strncmp(at, start, strlen(start)) == 0;
    }
    return lines;
}

/* "LABEL <client random> <secret>": the random is the connection's own, a secret has the length of its hash. */
static void check_line(const char *text, const char *label, int64_t conn, size_t secret)
{
    uint8_t random[32];
    char start[128] = "";

    ck_assert_int_eq(tlsshim_conn_bytes(conn, TLSSHIM_CONN_CLIENT_RANDOM, random, 32), 32);
    snprintf(start, sizeof start, "%s ", label);
    for (int i = 0; i < 32; i++)
        snprintf(start + strlen(start), sizeof start - strlen(start), "%02x", random[i]);
    must_be(count_lines(text, start), 1);
    text = strstr(text, start) + strlen(start);
    must_be(text[0], ' ');
    must_be((int64_t)strspn(text + 1, "0123456789abcdef"), (int64_t)(2 * secret));
    must_be(text[1 + 2 * secret], '\n');
}

START_TEST(both_ends_log_the_same_secrets_of_their_connection)
{
    static const char *const labels[] = {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                                         "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"};
    int32_t version = _i == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    struct pair *pair = connect_by(logged(a_client(version), path_of("a")), logged(a_server(version), path_of("b")));
    size_t hash = number_of(pair->client, TLSSHIM_CONN_CIPHER) == 0x1302 ? 48 : 32;

    if (_i == 0) {
        check_line(content(path_of("a")), "CLIENT_RANDOM", pair->client, 48);
        ck_assert_str_eq(content(path_of("a")), content(path_of("b")));
        return;
    }
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        check_line(content(path_of("a")), labels[i], pair->client, hash);
        check_line(content(path_of("b")), labels[i], pair->server, hash);
        ck_assert_ptr_nonnull(strstr(content(path_of("a")), labels[i]));
        ck_assert_int_eq(strncmp(strstr(content(path_of("a")), labels[i]), strstr(content(path_of("b")), labels[i]),
                                 strlen(labels[i]) + 2 + 64 + 2 * hash),
                         0);
    }
}
END_TEST

START_TEST(the_file_is_for_its_owner_alone_and_only_grows)
{
    int64_t client = a_client(TLSSHIM_TLS_1_2), server;
    struct stat about;
    mode_t before = umask(0);

    logged(client, path_of("a"));
    umask(before);
    ck_assert_int_eq(stat(path_of("a"), &about), 0);
    ck_assert_int_eq(about.st_mode & 07777, 0600);
    ck_assert_int_eq(about.st_size, 0);
    server = a_server(0);
    for (int i = 1; i < 4; i++) {
        connect_by(client, server);
        must_be(count_lines(content(path_of("a")), "CLIENT_RANDOM "), i);
    }
    connect_by(logged(a_client(TLSSHIM_TLS_1_2), path_of("a")), server);
    must_be(count_lines(content(path_of("a")), "CLIENT_RANDOM "), 4);
}
END_TEST

START_TEST(no_environment_variable_switches_it_on)
{
    setenv("SSLKEYLOGFILE", path_of("a"), 1);
    connect_by(a_client(0), a_server(0));
    ck_assert_int_eq(access(path_of("a"), F_OK), -1);
    unsetenv("SSLKEYLOGFILE");
}
END_TEST

START_TEST(a_copy_goes_on_and_an_empty_path_ends_it)
{
    int64_t client = logged(a_client(TLSSHIM_TLS_1_2), path_of("a")), server = a_server(0);
    int64_t copy = keep(tlsshim_copy(client)), quiet = keep(tlsshim_copy(client)), live = a_client(TLSSHIM_TLS_1_2);

    ck_assert_ok(tlsshim_close(client));
    connect_by(copy, server);
    must_be(count_lines(content(path_of("a")), "CLIENT_RANDOM "), 1);
    ck_assert_ok(tlsshim_context_set_keylog_file(quiet, NULL, 0));
    connect_by(quiet, server);
    connect_by(live, server);
    must_be(count_lines(content(path_of("a")), "CLIENT_RANDOM "), 1);
    ck_assert_ok(tlsshim_context_replace(live, copy));
    connect_by(live, server);
    must_be(count_lines(content(path_of("a")), "CLIENT_RANDOM "), 2);
}
END_TEST

static int open_files(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

START_TEST(the_file_is_closed_with_its_last_user_and_not_left_to_programs)
{
    int64_t context = a_client(0), copy;
    int before = open_files();

    logged(context, path_of("a"));
    logged(context, path_of("b"));
    must_be(open_files(), before + 1);
    for (int fd = 0; fd < 256; fd++) {
        char link[64], at[128] = "";

        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (readlink(link, at, sizeof at - 1) > 0 && strcmp(at, path_of("b")) == 0)
            must_be(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    }
    copy = tlsshim_copy(context);
    ck_assert_ok(tlsshim_close(context));
    must_be(open_files(), before + 1);
    ck_assert_ok(tlsshim_close(copy));
    must_be(open_files(), before);
}
END_TEST

START_TEST(what_is_no_file_is_refused_and_the_log_before_it_stays)
{
    int64_t context = logged(a_client(TLSSHIM_TLS_1_2), path_of("a")), n = 0;
    const char *nowhere = "/nonexistent/log";
    int32_t result;

    ck_assert_int_eq(mkfifo(path_of("pipe"), 0600), 0);
    result = tlsshim_context_set_keylog_file(context, nowhere, (int32_t)strlen(nowhere));
    ck_assert_result(result, TLSSHIM_E_SYSTEM);
    ck_assert_ok(tlsshim_error_number(result, TLSSHIM_ERROR_ERRNO, &n));
    ck_assert_int_eq(n, ENOENT);
    ck_assert_result(tlsshim_context_set_keylog_file(context, folder, (int32_t)strlen(folder)), TLSSHIM_E_SYSTEM);
    ck_assert_result(tlsshim_context_set_keylog_file(context, path_of("pipe"), (int32_t)strlen(path_of("pipe"))),
                     TLSSHIM_E_SYSTEM); /* nobody reads it: ENXIO, at once */
    ck_assert_result(tlsshim_context_set_keylog_file(context, "/dev/null", 9), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_context_set_keylog_file(context, "a\0b", 3), TLSSHIM_E_ARGUMENT);
    connect_by(context, a_server(0));
    must_be(count_lines(content(path_of("a")), "CLIENT_RANDOM "), 1);
}
END_TEST

/* The host gets the very lines that the file gets, if it asks for them. */
START_TEST(a_host_is_told_the_lines_of_the_file)
{
    int32_t version = _i == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3, result;
    int64_t client = logged(a_client(version), path_of("a"));
    struct pair *pair;
    char lines[4096] = "";

    ck_assert_ok(tlsshim_context_set_events(client, TLSSHIM_EVENT_KEYLOG));
    pair = pair_new(client, a_server(version), PIPE_MOST);
    for (int steps = 0; steps < 100; steps++) {
        result = tlsshim_conn_handshake(pair->client);
        if (result == TLSSHIM_WANT_EVENT) {
            size_t len = strlen(lines);
            int32_t more;

            must_be(tlsshim_conn_event(pair->client), TLSSHIM_EVENT_KEYLOG);
            more = tlsshim_conn_event_text(pair->client, TLSSHIM_DETAIL_KEYLOG_LINE, lines + len,
                                           (int32_t)(sizeof lines - len) - 2);
            ck_assert_int_gt(more, 0);
            strcpy(lines + len + more, "\n");
            ck_assert_ok(tlsshim_conn_event_done(pair->client));
        }
        tlsshim_conn_handshake(pair->server);
        pair_move(pair);
    }
    must_be(result, TLSSHIM_OK);
    ck_assert_str_eq(lines, content(path_of("a")));
    must_be(count_lines(lines, ""), _i == 0 ? 1 : 5);
}
END_TEST

enum { THREADS = 4, EACH = 25 };

static void handshakes(int64_t client, int64_t server)
{
    static _Thread_local uint8_t wire[20000];

    for (int i = 0; i < EACH; i++) {
        int64_t ends[] = {a_handle(tlsshim_conn_new(client, "www.test", 8)), a_handle(tlsshim_conn_new(server, "", 0))};

        for (int step = 0; step < 8; step++) {
            int32_t len;

            tlsshim_conn_handshake(ends[step % 2]);
            len = tlsshim_conn_drain(ends[step % 2], wire, sizeof wire);
            if (len > 0)
                tlsshim_conn_feed(ends[1 - step % 2], wire, len);
        }
        if (tlsshim_conn_handshake(ends[0]) != TLSSHIM_OK)
            abort();
        tlsshim_close(ends[0]);
        tlsshim_close(ends[1]);
    }
}

static void *handshakes_of(void *contexts)
{
    handshakes(((int64_t *)contexts)[0], ((int64_t *)contexts)[1]);
    return NULL;
}

/* Threads of two processes, both ends of all connections in one file. */
START_TEST(threads_and_a_forked_child_may_share_the_file)
{
    int64_t contexts[] = {logged(a_client(TLSSHIM_TLS_1_3), path_of("a")), logged(a_server(0), path_of("a"))};
    pthread_t threads[THREADS];
    const char *text;
    int status;
    pid_t child;

    handshakes(contexts[0], contexts[1]);
    child = fork();
    if (child == 0) {
        handshakes(contexts[0], contexts[1]);
        _exit(0);
    }
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, handshakes_of, contexts), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    text = content(path_of("a"));
    must_be(count_lines(text, "CLIENT_TRAFFIC_SECRET_0 "), 2 * EACH * (THREADS + 2));
    must_be(count_lines(text, ""), 2 * 5 * EACH * (THREADS + 2));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keylog");
    TCase *tests = tcase_create("keylog");

    certs();
    tcase_add_checked_fixture(tests, folder_begin, folder_end);
    tcase_add_loop_test(tests, both_ends_log_the_same_secrets_of_their_connection, 0, 2);
    tcase_add_test(tests, the_file_is_for_its_owner_alone_and_only_grows);
    tcase_add_test(tests, no_environment_variable_switches_it_on);
    tcase_add_test(tests, a_copy_goes_on_and_an_empty_path_ends_it);
    tcase_add_test(tests, the_file_is_closed_with_its_last_user_and_not_left_to_programs);
    tcase_add_test(tests, what_is_no_file_is_refused_and_the_log_before_it_stays);
    tcase_add_loop_test(tests, a_host_is_told_the_lines_of_the_file, 0, 2);
    tcase_add_test(tests, threads_and_a_forked_child_may_share_the_file);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
