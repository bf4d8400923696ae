/* Streams: a socket, plain or TLS, with a deadline on every call that may wait.
 *
 * timeout_ms is a duration on a monotonic clock: 0 = do not wait, negative is refused. A call that cannot go on answers
 * WANT_EVENT where the host has to answer an event; else with timeout 0 WANT_READ or WANT_WRITE (poll stream_fd for
 * what stream_wants tells, then repeat), with more TIMEOUT. Nothing is lost by either: the next call goes on.
 * Before a call is repeated stream_fd must be asked again: a stream that still connects has another descriptor than
 * one that is connected. A descriptor that was put into blocking mode stays so, and never blocks a call.
 * Closing sends nothing and wakes who waits inside with E_CLOSED; the goodbye is stream_shutdown.
 */

enum tlsshim_fd_group {
    TLSSHIM_FD_KEEP = 1, /* the host closes the descriptor, after the stream */
    TLSSHIM_FD_TAKE = 2  /* the stream closes it */
};

enum tlsshim_stream_group {
    TLSSHIM_STREAM_PEER_ADDRESS = 1,  /* t: "127.0.0.1", "2001:db8::1" */
    TLSSHIM_STREAM_PEER_PORT = 2,     /* n */
    TLSSHIM_STREAM_LOCAL_ADDRESS = 3, /* t */
    TLSSHIM_STREAM_LOCAL_PORT = 4,    /* n */
    TLSSHIM_STREAM_TLS = 5            /* n: 0 = plain, 1 = TLS */
};

/* What a stream waits for, or is ready for. A mask. */
enum tlsshim_ready_group {
    TLSSHIM_READY_READ = 1,
    TLSSHIM_READY_WRITE = 2,
    TLSSHIM_READY_CLOSED = 4,
    TLSSHIM_READY_EVENT = 8
};

/* Connects to a host by TCP, trying its addresses one after the other, 250 ms apart, until one answers.
 *
 * Never handshakes. With timeout 0 a handle comes back at once, and its later calls go on connecting, resolution
 * included: E_RESOLVE and E_CONNECT are theirs. With more, TIMEOUT means that no handle was made.
 * The host is the peer's name of a client: sent as server name unless it is an address, and verified.
 *
 * host    in text, up to 255; a host name or an IP address
 * port    number; 1..65535
 * context handle context or 0; 0 = plain
 * timeout_ms duration ms
 * return  handle stream; TIMEOUT
 * errors  E_ARGUMENT E_LIMIT E_RESOLVE E_CONNECT +conn_new
 * thread  any
 * blocks  timeout_ms
 * source  RFC 8305
 * since   1
 */
int64_t tlsshim_stream_connect(const void *host, int32_t host_len, int32_t port, int64_t context, int64_t timeout_ms);

/* Makes a stream of a connected stream socket. Its blocking mode is never changed. On an error it stays the host's.
 *
 * fd      fd; a connected socket, of the internet or local
 * context handle context or 0; 0 = plain
 * peer_name in text, up to 255; as in conn_new; empty when plain
 * fd_rule one of fd
 * return  handle stream
 * errors  E_ARGUMENT E_LIMIT +conn_new
 * thread  any
 * blocks  files; as conn_new
 * source  -
 * since   1
 */
int64_t tlsshim_stream_adopt(int64_t fd, int64_t context, const void *peer_name, int32_t peer_name_len,
                             int32_t fd_rule);

/* Turns a plain stream into a TLS one, for protocols that begin in the clear. Never handshakes.
 *
 * stream  handle stream; connected
 * context handle context
 * peer_name in text, up to 255; as in conn_new
 * already_read in bytes, up to 65536; bytes of the handshake that the host has read beyond the plain part
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_STATE +conn_new
 * thread  any
 * blocks  files; as conn_new
 * source  -
 * since   1
 */
int32_t tlsshim_stream_start_tls(int64_t stream, int64_t context, const void *peer_name, int32_t peer_name_len,
                                 const void *already_read, int32_t already_read_len);

/* Gives the engine of a TLS stream, for questions and events. Its feed, drain, open and seal are E_STATE.
 *
 * stream  handle stream
 * return  handle conn; NONE when plain
 * errors  E_LIMIT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int64_t tlsshim_stream_conn(int64_t stream);

/* Finishes connecting, and the handshake of a TLS stream. The other calls do so themselves.
 *
 * stream  handle stream
 * timeout_ms duration ms
 * return  ok; WANT_EVENT WANT_READ WANT_WRITE TIMEOUT
 * errors  E_ARGUMENT E_RESOLVE E_CONNECT E_CLOSED +conn_handshake
 * thread  any
 * blocks  cpu timeout_ms
 * source  SSL_do_handshake(3)
 * since   1
 */
int32_t tlsshim_stream_handshake(int64_t stream, int64_t timeout_ms);

/* Takes what has come from the peer, as soon as there is anything.
 *
 * stream  handle stream
 * data    out bytes, stream; capacity 1..
 * timeout_ms duration ms
 * return  count; 0 = the peer's clean end; WANT_EVENT WANT_READ WANT_WRITE TIMEOUT
 * errors  +stream_handshake
 * thread  any
 * blocks  cpu timeout_ms
 * source  recv(2), SSL_read_ex(3)
 * since   1
 */
int32_t tlsshim_stream_read(int64_t stream, void *data, int32_t data_cap, int64_t timeout_ms);

/* Takes bytes to send, all of them if the time suffices. What a TLS stream took and could not send yet, at most 64 KiB
 * (context_set_limit), goes out with its next call of any kind.
 *
 * stream  handle stream
 * data    in bytes, any length
 * timeout_ms duration ms
 * return  count; the bytes taken, 0 only for length 0; if none: WANT_EVENT WANT_READ WANT_WRITE TIMEOUT
 * errors  E_STATE E_LIMIT +stream_handshake
 * thread  any
 * blocks  cpu timeout_ms
 * source  send(2), SSL_write_ex(3)
 * since   1
 */
int32_t tlsshim_stream_write(int64_t stream, const void *data, int32_t data_len, int64_t timeout_ms);

/* Sends what was taken and not yet sent.
 *
 * stream  handle stream
 * timeout_ms duration ms
 * return  ok; WANT_EVENT WANT_READ WANT_WRITE TIMEOUT
 * errors  +stream_handshake
 * thread  any
 * blocks  cpu timeout_ms
 * source  -
 * since   1
 */
int32_t tlsshim_stream_flush(int64_t stream, int64_t timeout_ms);

/* Sends bytes of a file, all of them if the time suffices; with timeout 0 no more than 256 KiB a call, so that a loop
 * gets on. On a plain stream the kernel moves them without a copy, unless its socket is in blocking mode; on a TLS
 * stream they are read and encrypted. Neither raises a signal, also when the file is cut short meanwhile.
 *
 * The file's own position is neither used nor moved, so that its bytes may be sent by several threads or streams.
 * For all that is left give a count that is larger than can be, such as 2^53-1.
 *
 * stream  handle stream
 * fd      fd; of what can be read at an offset; it stays the host's
 * offset  number; 0..; of the first byte
 * count   number; 0..
 * timeout_ms duration ms
 * return  count; the bytes taken, 0 at the end of the file; if none: WANT_EVENT WANT_READ WANT_WRITE TIMEOUT
 * errors  +stream_write
 * thread  any
 * blocks  files cpu timeout_ms
 * source  sendfile(2), pread(2), SSL_write_ex(3)
 * since   1
 */
int64_t tlsshim_stream_sendfile(int64_t stream, int64_t fd, int64_t offset, int64_t count, int64_t timeout_ms);

/* Says goodbye after all that was written: TLS its own, plain the end of sending. Reading goes on.
 *
 * OK means that all of it is with the kernel, and a close does not take it back. But what the peer sends to a socket
 * that is closed resets the connection, and may cost the peer the rest: where it may still send, read to its end first.
 *
 * stream  handle stream
 * timeout_ms duration ms
 * return  ok; WANT_EVENT WANT_READ WANT_WRITE TIMEOUT
 * errors  +stream_handshake
 * thread  any
 * blocks  cpu timeout_ms
 * source  SSL_shutdown(3), shutdown(2)
 * since   1
 */
int32_t tlsshim_stream_shutdown(int64_t stream, int64_t timeout_ms);

/* Gives the descriptor to poll. Of a stream that still connects it is another one, good until connected.
 *
 * stream  handle stream or listener
 * return  number; the descriptor; it stays the stream's
 * errors  -
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int64_t tlsshim_stream_fd(int64_t stream);

/* Tells what the calls that could not go on wait for: READ and WRITE on stream_fd, EVENT for an answer. A reader may
 * wait for both, when bytes to be sent are in its way.
 *
 * stream  handle stream
 * return  any of ready
 * errors  -
 * thread  any
 * blocks  never
 * source  poll(2)
 * since   1
 */
int32_t tlsshim_stream_wants(int64_t stream);

/* Gives a text of the stream.
 *
 * stream  handle stream
 * field   one of stream
 * text    out text, whole
 * return  length; NONE while connecting, for a local socket, or if it is no text
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  getpeername(2)
 * since   1
 */
int32_t tlsshim_stream_text(int64_t stream, int32_t field, void *text, int32_t text_cap);

/* Gives a number of the stream.
 *
 * stream  handle stream
 * field   one of stream
 * n       output
 * return  ok; NONE while connecting, for a local socket, or if it is no number
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  getpeername(2)
 * since   1
 */
int32_t tlsshim_stream_number(int64_t stream, int32_t field, int64_t *n);
