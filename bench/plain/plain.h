/* OpenSSL as its manual pages show it (style=manual), or with what an expert would switch on (style=tuned). */
#ifndef BENCH_PLAIN_H
#define BENCH_PLAIN_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct ends {
    SSL *client;
    SSL *server;
    BIO *client_net; /* the network halves of two BIO pairs; NULL where the ends need no carrying */
    BIO *server_net;
};

bool tuned(void);
SSL_CTX *server_context(void);
SSL_CTX *client_context(void);
/* Two ends in memory; no step is made. bio=pair: each has a BIO pair whose network half the application reads and
 * writes, as BIO_s_bio(3) shows, so that what is to be sent passes through its hands. bio=memory: the same with memory
 * BIOs. bio=joined: one BIO pair between the two, which nothing could be sent from. */
struct ends ends_in_memory(SSL_CTX *client, SSL_CTX *server);
/* Carries what waits from one end to the other through a buffer. */
void ends_carry(const struct ends *ends, bool to_server);
/* Two ends over a socketpair, each with SSL_set_fd. */
struct ends ends_on_sockets(SSL_CTX *client, SSL_CTX *server);
/* Both ends in turn until both are complete. */
void ends_handshake(struct ends *ends);
void ends_free(struct ends *ends);
/* Says the backend's reason and ends. */
_Noreturn void fail(const char *what);

void bulk_prepare(void);
void bulk_work(long chunks);
void bulk_threads_work(long chunks);
void echo_prepare(void);
void echo_work(long turns);
void sockets_prepare(void);
void sockets_work(long messages);
void handshake_prepare(void);
void handshake_work(long times);
void handshake_threads_work(long times);
void open_work(long times);
double memory_value(long count);

void key_work(long times);
void self_signed_prepare(void);
void self_signed_work(long times);
void parse_prepare(void);
void parse_work(long times);
void bundle_work(long times);
void system_context_work(long times);
void cipher_prepare(void);
void cipher_work(long times);
void curve_prepare(void);
void curve_work(long times);

#endif
