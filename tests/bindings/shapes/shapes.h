/* Every shape that a function of this ABI may have, for the test of what is generated from it. */

/* Gives pairs (i, -i * 2^40).
 *
 * pairs   output pairs
 * most    number; how many there are
 * return  count; NONE if there are none
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_shape_pairs(int64_t *pairs, int32_t pairs_cap, int32_t most);

/* Gives a text of that many bytes, whole.
 *
 * size    number; its length
 * text    out text, whole
 * return  length
 * errors  -
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_shape_text(int32_t size, void *text, int32_t text_cap);

/* Gives bytes that are twice as many at each call, as others may make them meanwhile; starts anew below 1.
 *
 * size    number; how many the first time
 * bytes   out bytes, whole
 * return  length
 * errors  -
 * thread  any
 * blocks  cpu
 * source  -
 * since   1
 */
int32_t tlsshim_shape_growing(int32_t size, void *bytes, int32_t bytes_cap);

/* Gives a secret of as many bytes as fit, at most that many.
 *
 * secret  out secret, stream
 * size    number; how many there are
 * return  count
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_shape_stream(void *secret, int32_t secret_cap, int32_t size);

/* Fills a buffer and says no more than that.
 *
 * bytes   out bytes, fill
 * return  ok
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_shape_fill(void *bytes, int32_t bytes_cap);

/* Takes as many parameters as a function may have, and gives what it was given.
 *
 * data    in bytes, any length
 * small   number; any
 * large   number; any
 * text    out text, whole
 * taken   output
 * sum     output
 * return  length
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_shape_eight(const void *data, int32_t data_len, int32_t small, int64_t large, void *text,
                            int32_t text_cap, int32_t *taken, int64_t *sum);

/* Gives a result of the caller's choice, with outputs of each sort.
 *
 * wanted  number; the result
 * bytes   out bytes, stream
 * taken   output
 * timeout_ms duration ms
 * return  count; WANT_FEED NONE
 * errors  E_ARGUMENT
 * thread  any
 * blocks  timeout_ms
 * source  -
 * since   1
 */
int32_t tlsshim_shape_result(int32_t wanted, void *bytes, int32_t bytes_cap, int32_t *taken, int64_t timeout_ms);

/* Gives back a wide number.
 *
 * large   number; any
 * return  number; the same
 * errors  -
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int64_t tlsshim_shape_wide(int64_t large);

/* Counts the bytes of four inputs; longer ones let others run.
 *
 * text    in text, up to 100000
 * path    in path, up to 4095
 * secret  in secret, up to 100000
 * data    in bytes, any length
 * return  count
 * errors  -
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_shape_inputs(const void *text, int32_t text_len, const void *path, int32_t path_len, const void *secret,
                             int32_t secret_len, const void *data, int32_t data_len);
