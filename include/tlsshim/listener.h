/* Listeners: where a server's streams come from. They may be inherited by a forked child. */

/* Listens on an address by TCP.
 *
 * host    in text, up to 255; an IP address, "localhost" (127.0.0.1), or empty: all addresses, IPv6 and IPv4
 * port    number; 1..65535, or 0: any that is free, see listener_port
 * backlog number; connections that may wait, 0 = as many as the system allows
 * return  handle listener
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  listen(2)
 * since   1
 */
int64_t tlsshim_listener_new(const void *host, int32_t host_len, int32_t port, int32_t backlog);

/* Tells the port.
 *
 * listener handle listener
 * return  number; 1..65535
 * errors  -
 * thread  any
 * blocks  never
 * source  getsockname(2)
 * since   1
 */
int32_t tlsshim_listener_port(int64_t listener);

/* Takes the next connection. Never handshakes, so that a silent client holds up nobody else.
 *
 * listener handle listener
 * context handle context or 0; 0 = plain
 * timeout_ms duration ms
 * return  handle stream; WANT_READ TIMEOUT
 * errors  E_ARGUMENT E_LIMIT E_CLOSED +conn_new
 * thread  any
 * blocks  timeout_ms
 * source  accept(2)
 * since   1
 */
int64_t tlsshim_listener_accept(int64_t listener, int64_t context, int64_t timeout_ms);
