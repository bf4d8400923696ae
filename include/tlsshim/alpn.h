/* ALPN lists (RFC 7301): pure bytes. The wire form is a row of names, each behind its length in one byte. */

/* What an endpoint does when no protocol was agreed on. */
enum tlsshim_alpn_group {
    TLSSHIM_ALPN_CONTINUE = 1, /* goes on without */
    TLSSHIM_ALPN_FAIL = 2,     /* no overlap is fatal; a peer without ALPN is served */
    TLSSHIM_ALPN_REQUIRE = 3   /* a peer without ALPN is refused too */
};

/* Turns "h2,http/1.1" into the wire form.
 *
 * A name may hold any byte but a comma; names that do need the wire form itself.
 *
 * text    in text, up to 65535
 * wire    out bytes, whole
 * return  length
 * errors  E_ARGUMENT E_LIMIT E_FORMAT
 * thread  any
 * blocks  never
 * source  RFC 7301 section 3.1
 * since   1
 */
int32_t tlsshim_alpn_encode(const void *text, int32_t text_len, void *wire, int32_t wire_cap);

/* Turns the wire form into "h2,http/1.1"; bytes that are no printable text, commas and backslashes come as \xNN.
 *
 * wire    in bytes, up to 65535
 * text    out text, whole
 * return  length
 * errors  E_ARGUMENT E_LIMIT E_FORMAT
 * thread  any
 * blocks  never
 * source  RFC 7301 section 3.1
 * since   1
 */
int32_t tlsshim_alpn_decode(const void *wire, int32_t wire_len, void *text, int32_t text_cap);

/* Picks the first name of the first list that the second list holds too.
 *
 * mine    in bytes, up to 65535; wire form, by preference
 * theirs  in bytes, up to 65535; wire form
 * name    out bytes, whole
 * return  length; NONE where there is no overlap
 * errors  E_ARGUMENT E_LIMIT E_FORMAT
 * thread  any
 * blocks  never
 * source  RFC 7301 section 3.2
 * since   1
 */
int32_t tlsshim_alpn_select(const void *mine, int32_t mine_len, const void *theirs, int32_t theirs_len, void *name,
                            int32_t name_cap);
