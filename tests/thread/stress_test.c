/* Many connections, many threads, everything at once: reads, writes, key updates, goodbyes, closes from elsewhere.
 * What was acknowledged must arrive, in order, wherever both ends said goodbye. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/parties.h"
#include "support/socket.h"
#include "support/support.h"

enum { LINKS = 200, THREADS = 8, PIECE = 3000, SECONDS = 3, SECONDS_SOAK = 60 };

/* One end. The locks are the test's: they keep its own count of bytes, the library needs none. */
struct end {
    _Atomic int64_t stream; /* others may close it at any moment */
    _Atomic int64_t conn;
    pthread_mutex_t writing;
    pthread_mutex_t reading;
    uint64_t sent;     /* acknowledged by this end's writes */
    uint64_t received; /* given by this end's reads */
};

struct link {
    struct end end[2];
    atomic_bool dead; /* closed from elsewhere */
};

static struct link links[LINKS];
static struct parties parties;
static atomic_bool over;
static atomic_int broken;    /* a byte was wrong, lost or doubled */
static atomic_int surprises; /* an error that nothing explains */
static atomic_long finished;
static atomic_long moved;

static uint8_t pattern(uint64_t at)
{
    return (uint8_t)(at * 7 + (at >> 8));
}

static void open_link(struct link *link)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    link->end[0].stream = tlsshim_stream_adopt(fds[0], parties.client, "localhost", 9, TLSSHIM_FD_TAKE);
    link->end[1].stream = tlsshim_stream_adopt(fds[1], parties.server, "", 0, TLSSHIM_FD_TAKE);
    for (int i = 0; i < 2; i++) {
        ck_assert_ok(link->end[i].stream);
        link->end[i].conn = tlsshim_stream_conn(link->end[i].stream);
        ck_assert_ok(link->end[i].conn);
        link->end[i].sent = link->end[i].received = 0;
    }
    atomic_store(&link->dead, false);
}

static void close_link(struct link *link)
{
    for (int i = 0; i < 2; i++) {
        tlsshim_close(link->end[i].conn);
        tlsshim_close(link->end[i].stream);
    }
}

/* Where the other end may have gone at any moment, only this may come back. */
static void expected(struct link *link, int64_t result)
{
    int32_t code = tlsshim_error_code(result);
    bool flow = result >= 0 || code > TLSSHIM_E_HANDLE;
    bool gone =
        code == TLSSHIM_E_HANDLE || code == TLSSHIM_E_CLOSED || code == TLSSHIM_E_RESET || code == TLSSHIM_E_TRUNCATED;

    if (flow || (gone && atomic_load(&link->dead)))
        return;
    if (atomic_fetch_add(&surprises, 1) < 5)
        fprintf(stderr, "surprise: %s\n", support_text(result));
}

static void write_some(struct link *link, struct end *end, unsigned *seed)
{
    uint8_t data[PIECE];
    int32_t len = 1 + rand_r(seed) % PIECE;
    int32_t taken;

    if (pthread_mutex_trylock(&end->writing) != 0)
        return;
    for (int32_t i = 0; i < len; i++)
        data[i] = pattern(end->sent + (uint64_t)i);
    taken = tlsshim_stream_write(end->stream, data, len, rand_r(seed) % 3);
    if (taken > 0)
        end->sent += (uint64_t)taken;
    expected(link, taken);
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
    expected(link, take_some(end, rand_r(seed) % 3));
    pthread_mutex_unlock(&end->reading);
}

static void ask(struct link *link, struct end *end, unsigned *seed)
{
    int64_t n;

    switch (rand_r(seed) % 4) {
    case 0:
        expected(link, tlsshim_conn_state(end->conn));
        break;
    case 1:
        expected(link, tlsshim_conn_number(end->conn, TLSSHIM_CONN_BYTES_IN, &n));
        break;
    case 2:
        expected(link, tlsshim_memory(end->stream));
        break;
    default:
        expected(link, tlsshim_conn_pending(end->conn));
    }
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
        if (!goodbyes(link))
            atomic_fetch_add(&broken, 1);
        atomic_fetch_add(&finished, 1);
    }
    atomic_store(&link->dead, true);
    close_link(link);
    open_link(link);
    unlock_all(link);
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
    } else if (dice < 985) {
        if (pthread_mutex_trylock(&end->writing) == 0) {
            int32_t result = tlsshim_conn_key_update(end->conn, rand_r(seed) % 2);

            expected(link, result);
            pthread_mutex_unlock(&end->writing);
        }
    } else if (dice < 996) {
        renew(link);
    } else {
        atomic_store(&link->dead, true); /* and nobody's lock is asked for */
        tlsshim_close(end->stream);
    }
}

static void *work(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;

    while (!atomic_load(&over))
        step(&seed);
    return NULL;
}

START_TEST(nothing_breaks_and_nothing_is_lost)
{
    int64_t end = now_ms() + 1000 * (getenv("SOAK") != NULL ? SECONDS_SOAK : SECONDS);
    pthread_t threads[THREADS];

    parties = mutual_parties(TLSSHIM_TLS_1_3, 0);
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
    parties_close(&parties);
    printf("%ld connections finished with goodbyes, %ld bytes moved\n", atomic_load(&finished), atomic_load(&moved));
    ck_assert_int_eq(atomic_load(&broken), 0);
    ck_assert_int_eq(atomic_load(&surprises), 0);
    ck_assert_int_gt(atomic_load(&moved), 0);
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
