/* Ticket keys: what a server seals its stateless tickets with. 80 bytes each: name 16, MAC key 32, cipher key 32. */

/* Makes random ticket keys, for context_set_ticket_keys.
 *
 * count   number; 1..16
 * keys    out secret, whole
 * return  length; 80 bytes a key
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  RFC 5077 section 4
 * since   1
 */
int32_t tlsshim_ticket_keys_new(int32_t count, void *keys, int32_t keys_cap);

/* Derives the ticket keys of a fleet from a shared secret and the time: any machine resumes what another began, with
 * no coordination. Three keys, for context_set_ticket_keys: of the current period, which seals, of the previous and
 * of the next, so that clocks may differ by a period. To be called again in each period.
 *
 * Who has the secret can make a session with any client certificate: it is as grave as the key of a CA. In TLS 1.2 he
 * could also read what was recorded before, so derived keys seal tickets of TLS 1.3 only; keys from elsewhere, such as
 * those of ticket_keys_new handed round, seal both.
 *
 * secret  in secret, up to 65535; at least 32 random bytes, no password
 * now     seconds; since 1970
 * period  seconds; 60..604800
 * keys    out secret, whole
 * return  length; 240 bytes
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  RFC 5869
 * since   1
 */
int32_t tlsshim_ticket_keys_derive(const void *secret, int32_t secret_len, int64_t now, int64_t period, void *keys,
                                   int32_t keys_cap);
