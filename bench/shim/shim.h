/* The same work as in bench/plain, through the public ABI alone. */
#ifndef BENCH_SHIM_H
#define BENCH_SHIM_H

#include <stdbool.h>
#include <stdint.h>
#include <tlsshim.h>

enum { RECORD = 16384, ROOM = 65536 + 4096 };

struct ends {
    int64_t client;
    int64_t server;
};

/* Gives the result back, or says the library's sentence and ends. */
int64_t must(int64_t result);
int64_t context_for_server(void);
int64_t context_for_client(void);
struct ends ends_new(int64_t client, int64_t server);
void ends_handshake(struct ends *ends);
void ends_close(struct ends *ends);
/* Two ends in memory with all behind them, tickets too. */
struct ends ends_connected(void);
/* One byte, sealed at one end and opened at the other. */
void move_byte(int64_t from, int64_t to);

void bulk_prepare(void);
void bulk_work(long chunks);
void gather_work(long chunks);
void bulk_threads_work(long chunks);
void echo_work(long turns);
void handshake_prepare(void);
void handshake_work(long times);
void handshake_threads_work(long times);
void open_work(long times);
double memory_value(long count);
void lock_prepare(void);
double lock_value(long count);
void sockets_prepare(void);
void sockets_work(long messages);

void certs_prepare(void);
void certs_work(long times);
void key_work(long times);
void self_signed_prepare(void);
void self_signed_work(long times);
void parse_prepare(void);
void parse_work(long times);
void bundle_work(long times);
void system_context_prepare(void);
void system_context_work(long times);
void pin_prepare(void);
void pin_work(long times);
void visit_work(long times);

#endif
