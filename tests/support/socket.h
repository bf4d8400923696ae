/* Sockets for tests: connected streams, peers that do not answer, descriptors counted. Loopback only. */
#ifndef TESTS_SUPPORT_SOCKET_H
#define TESTS_SUPPORT_SOCKET_H

#include <stdint.h>

enum { SOON = 10000 }; /* a deadline in ms that a working call never reaches */

/* Two connected streams over TCP; contexts may be 0. */
void connected_streams(int64_t client_context, int64_t server_context, int64_t *client, int64_t *server);
/* The same over host "127.0.0.1", "::1" or "localhost" (which must also be the peer's name). */
void connected_streams_at(const char *host, int64_t client_context, int64_t server_context, int64_t *client,
                          int64_t *server);
int64_t listener_at(const char *host, int32_t port);
int64_t connect_to(const char *host, int32_t port, int64_t context, int64_t timeout_ms);
/* Two connected sockets over TCP, for tests that bring their own peer. */
void tcp_pair(int fds[2]);
/* A listening socket whose queue is full: who connects to it waits for an answer. Gives the port. */
int32_t silent_port(void);
/* A port on which nobody listens. */
int32_t dead_port(void);
/* Whole texts; in time, or the test fails. */
void send_text(int64_t stream, const char *text);
void expect_text(int64_t stream, const char *wanted);
void close_both(int64_t a, int64_t b);
int count_descriptors(void);
int64_t now_ms(void);
/* Until the other threads of this process all wait for something; no longer than ten seconds. */
void let_others_wait(void);

#endif
