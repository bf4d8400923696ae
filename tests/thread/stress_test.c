/* Many connections of both versions, many threads, everything at once: reads, writes, files, key updates, goodbyes,
 * closes from elsewhere. What was acknowledged must arrive, in order, wherever both ends said goodbye. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/parties.h"
#include "support/socket.h"
#include "support/support.h"

enum { LINKS = 200, THREADS = 8, PIECE = 3000, FILE_SIZE = 1 << 20, SECONDS = 3, SECONDS_SOAK = 60 };

/* One end. The locks are the test's: they keep its own count of bytes, the library needs none. */
struct end {
    _Atomic int64_t stream; /* others may close it at any moment */
    _Atomic int64_t conn;
    pthread_mutex_t writing;
    pthread_mutex_t reading;
    atomic_bool quiet; /* said goodbye */
    uint64_t sent;     /* acknowledged by this end's writes */
    uint64_t received; /* given by this end's reads */
};

struct link {
    struct end end[2];
    atomic_bool dead; /* closed from elsewhere */
};

static struct link links[LINKS];
static struct parties parties[2]; /* of TLS 1.2 and 1.3 */
static int file;                  /* holds the pattern */
static atomic_bool over;
static atomic_int broken;    /* a byte was wrong, lost or doubled */
static atomic_int surprises; /* an error that nothing explains */
static atomic_long finished;
static atomic_long moved;

static uint8_t pattern(uint64_t at)
{
    return (uint8_t)(at * 7 + (at >> 8));
}

/* Others may close an end as soon as they see its handles: those come last. */
static void open_link(struct link *link)
{
    const struct parties *p = &parties[(link - links) % 2];
    int64_t streams[2], conns[2];
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    streams[0] = a_handle(tlsshim_stream_adopt(fds[0], p->client, "localhost", 9, TLSSHIM_FD_TAKE));
    streams[1] = a_handle(tlsshim_stream_adopt(fds[1], p->server, "", 0, TLSSHIM_FD_TAKE));
    for (int i = 0; i < 2; i++) {
        conns[i] = a_handle(tlsshim_stream_conn(streams[i]));
        link->end[i].sent = link->end[i].received = 0;
        atomic_store(&link->end[i].quiet, false);
    }
    atomic_store(&link->dead, false);
    for (int i = 0; i < 2; i++) {
        link->end[i].conn = conns[i];
        link->end[i].stream = streams[i];
    }
}

static void close_link(struct link *link)
{
    for (int i = 0; i < 2; i++) {
        tlsshim_close(atomic_exchange(&link->end[i].conn, 0));
        tlsshim_close(atomic_exchange(&link->end[i].stream, 0));
    }
}

/* Only this may come back: what waits, and from where somebody else may have said goodbye or closed at any moment. */
static void expected(struct link *link, struct end *end, int64_t result)
{
    int32_t code = tlsshim_error_code(result);
    bool flow = result >= 0 || code > TLSSHIM_E_HANDLE;
    bool gone =
        code == TLSSHIM_E_HANDLE || code == TLSSHIM_E_CLOSED || code == TLSSHIM_E_RESET || code == TLSSHIM_E_TRUNCATED;

    if (flow || (gone && atomic_load(&link->dead)) || (code == TLSSHIM_E_STATE && atomic_load(&end->quiet)))
        return;
    if (atomic_fetch_add(&surprises, 1) < 5)
        fprintf(stderr, "surprise: %s\n", support_text(result));
}

static int64_t write_pattern(struct end *end, int32_t len, int64_t timeout)
{
    uint8_t data[PIECE];

    for (int32_t i = 0; i < len; i++)
        data[i] = pattern(end->sent + (uint64_t)i);
    return tlsshim_stream_write(end->stream, data, len, timeout);
}

static void write_some(struct link *link, struct end *end, unsigned *seed)
{
    int32_t len = 1 + rand_r(seed) % PIECE;
    int64_t taken;

    if (pthread_mutex_trylock(&end->writing) != 0)
        return;
    if (end->sent + PIECE < FILE_SIZE && rand_r(seed) % 4 == 0)
        taken = tlsshim_stream_sendfile(end->stream, file, (int64_t)end->sent, len, rand_r(seed) % 3);
    else
        taken = write_pattern(end, len, rand_r(seed) % 3);
    if (taken > 0)
        end->sent += (uint64_t)taken;
    expected(link, end, taken);
    pthread_mutex_unlock(&end->writing);
}

/* Reads and checks what comes; the caller has the reading lock. */
static int32_t take_some(struct end *end, int64_t timeout)
{
    uint8_t data[2 * PIECE];
    int32_t len = tlsshim_stream_read(end->stream, data, sizeof data, timeout);

    for (int32_t i = 0; i < len; i++)
        if (data[i] != pattern(end->received + (uint64_t)i)) {
            atomic_fetch_add(&broken, 1);
            break;
        }
    if (len > 0) {
        end->received += (uint64_t)len;
        atomic_fetch_add(&moved, len);
    }
    return len;
}

static void read_some(struct link *link, struct end *end, unsigned *seed)
{
    if (pthread_mutex_trylock(&end->reading) != 0)
        return;
    expected(link, end, take_some(end, rand_r(seed) % 3));
    pthread_mutex_unlock(&end->reading);
}

/* The same for who holds no lock: the link may have been renewed meanwhile. */
static void expected_of(struct link *link, struct end *end, int64_t conn, int64_t result)
{
    if (conn == 0 || (!atomic_load(&link->dead) && conn != end->conn))
        return;
    expected(link, end, result);
}

static int64_t answer(int64_t stream, int64_t conn, int question)
{
    int64_t n;

    switch (question) {
    case 0:
        return tlsshim_conn_state(conn);
    case 1:
        return tlsshim_conn_number(conn, TLSSHIM_CONN_BYTES_IN, &n);
    case 2:
        return tlsshim_memory(stream);
    case 3:
        return tlsshim_conn_pending_out(conn);
    case 4:
        return tlsshim_stream_flush(stream, 0);
    default:
        return tlsshim_conn_pending(conn);
    }
}

static void ask(struct link *link, struct end *end, unsigned *seed)
{
    int64_t conn = end->conn, stream = end->stream;

    expected_of(link, end, conn, answer(stream, conn, rand_r(seed) % 6));
}

/* Amid the reads and writes of others. */
static void say_goodbye(struct link *link, struct end *end)
{
    int64_t conn = end->conn, stream = end->stream;

    atomic_store(&end->quiet, true);
    expected_of(link, end, conn, tlsshim_stream_shutdown(stream, 0));
}

static void lock_all(struct link *link)
{
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&link->end[i].writing);
        pthread_mutex_lock(&link->end[i].reading);
    }
}

static void unlock_all(struct link *link)
{
    for (int i = 0; i < 2; i++) {
        pthread_mutex_unlock(&link->end[i].reading);
        pthread_mutex_unlock(&link->end[i].writing);
    }
}

/* Both ends say goodbye and read until the other's; then every acknowledged byte must be there. */
static bool goodbyes(struct link *link)
{
    bool said[2] = {false, false}, heard[2] = {false, false};

    for (int round = 0; round < 100000; round++) {
        for (int i = 0; i < 2; i++) {
            int32_t result = said[i] ? 0 : tlsshim_stream_shutdown(link->end[i].stream, 0);

            said[i] = said[i] || result == 0;
            if (result < TLSSHIM_NONE)
                return false;
            result = heard[i] ? 0 : take_some(&link->end[i], 0);
            heard[i] = heard[i] || result == 0;
            if (result < TLSSHIM_NONE)
                return false;
        }
        if (said[0] && said[1] && heard[0] && heard[1])
            return link->end[0].sent == link->end[1].received && link->end[1].sent == link->end[0].received;
    }
    return false;
}

static bool shaken(struct link *link)
{
    int32_t state[2] = {tlsshim_conn_state(link->end[0].conn), tlsshim_conn_state(link->end[1].conn)};

    return state[0] > 0 && state[1] > 0 && (state[0] & state[1] & TLSSHIM_STATE_HANDSHAKE_DONE) != 0;
}

static void renew(struct link *link)
{
    lock_all(link);
    if (!atomic_load(&link->dead) && shaken(link)) {
        if (goodbyes(link))
            atomic_fetch_add(&finished, 1);
        else if (!atomic_load(&link->dead))
            atomic_fetch_add(&broken, 1);
    }
    atomic_store(&link->dead, true);
    close_link(link);
    open_link(link);
    unlock_all(link);
}

static void change_key(struct link *link, struct end *end, unsigned *seed)
{
    bool can = (link - links) % 2 == 1;
    int32_t result;

    if (pthread_mutex_trylock(&end->writing) != 0)
        return;
    result = tlsshim_conn_key_update(end->conn, rand_r(seed) % 2);
    if (can || tlsshim_error_code(result) != TLSSHIM_E_UNSUPPORTED)
        expected(link, end, result);
    pthread_mutex_unlock(&end->writing);
}

/* Nobody's lock is asked for. */
static void close_end(struct link *link, const struct end *end)
{
    int64_t stream = end->stream;

    atomic_store(&link->dead, true);
    tlsshim_close(stream);
}

static void step(unsigned *seed)
{
    struct link *link = &links[rand_r(seed) % LINKS];
    struct end *end = &link->end[rand_r(seed) % 2];
    int dice = rand_r(seed) % 1000;

    if (dice < 420) {
        write_some(link, end, seed);
    } else if (dice < 900) {
        read_some(link, end, seed);
    } else if (dice < 950) {
        ask(link, end, seed);
    } else if (dice < 980) {
        change_key(link, end, seed);
    } else if (dice < 984) {
        say_goodbye(link, end);
    } else if (dice < 996) {
        renew(link);
    } else {
        close_end(link, end);
    }
}

static void *work(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;

    while (!atomic_load(&over))
        step(&seed);
    return NULL;
}

static void make_file(void)
{
    file = memfd_create("pattern", MFD_CLOEXEC);
    for (uint64_t at = 0; at < FILE_SIZE; at += PIECE) {
        uint8_t data[PIECE];

        for (uint64_t i = 0; i < PIECE; i++)
            data[i] = pattern(at + i);
        must_be(write(file, data, PIECE), PIECE);
    }
}

START_TEST(nothing_breaks_and_nothing_is_lost)
{
    int64_t end = now_ms() + 1000 * (getenv("SOAK") != NULL ? SECONDS_SOAK : SECONDS);
    pthread_t threads[THREADS];

    parties[0] = mutual_parties(TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_2);
    parties[1] = mutual_parties(TLSSHIM_TLS_1_3, TLSSHIM_TLS_1_3);
    make_file();
    for (int i = 0; i < LINKS; i++) {
        for (int j = 0; j < 2; j++) {
            pthread_mutex_init(&links[i].end[j].writing, NULL);
            pthread_mutex_init(&links[i].end[j].reading, NULL);
        }
        open_link(&links[i]);
    }
    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
    while (now_ms() < end)
        usleep(10000);
    atomic_store(&over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < LINKS; i++)
        close_link(&links[i]);
    parties_close(&parties[0]);
    parties_close(&parties[1]);
    close(file);
    printf("%ld connections finished with goodbyes, %ld bytes moved\n", atomic_load(&finished), atomic_load(&moved));
    ck_assert_int_eq(atomic_load(&broken), 0);
    ck_assert_int_eq(atomic_load(&surprises), 0);
    ck_assert_int_gt(atomic_load(&moved), 0);
    ck_assert_int_gt(atomic_load(&finished), 0);
    ck_assert_int_eq(tlsshim_live(0), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stress");
    TCase *tcase = tcase_create("stress");

    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, nothing_breaks_and_nothing_is_lost);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
