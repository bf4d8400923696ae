-- Contexts, connections without I/O, sessions.

local raw = require "tlsshim.raw"
local object = require "tlsshim.object"
local pki = require "tlsshim.pki"

local bytes, check_options, class, constant = object.bytes, object.check_options, object.class, object.constant
local count, done, fail, fields = object.count, object.done, object.fail, object.fields
local mask, milliseconds, steps, try = object.mask, object.milliseconds, object.steps, object.try
local value, wrap, yes = object.value, object.wrap, object.yes

local PIECE, SESSIONS = 65536, 1024
local Context, Conn, Session = class "context", class "conn", class "session"

local function version(name)
    return name and constant("TLS", (name:gsub("^TLSv", ""))) or 0
end

local function wire(protocols)
    return #protocols == 0 and "" or try(value(raw.alpn_encode(table.concat(protocols, ","))))
end

local function switch(call) return function(handle, on) return call(handle, on and 1 or 0) end end

-- Options that are one call each; the others are read in Context.new.
local settings = {
    verify_depth = raw.context_set_verify_depth,
    verify_flags = function(handle, names) return raw.context_set_verify_flags(handle, mask("VERIFY", names)) end,
    trust = function(handle, trust) return raw.context_set_trust(handle, trust.handle) end,
    identity = function(handle, identity) return raw.context_add_identity(handle, identity.handle, "") end,
    ciphers = raw.context_set_ciphers,
    ciphersuites = raw.context_set_ciphersuites,
    groups = raw.context_set_groups,
    tickets = raw.context_set_tickets,
    session_lifetime = raw.context_set_session_lifetime,
    session_cache = function(handle, entries)
        return raw.context_set_session_cache(handle, entries == true and SESSIONS or entries or 0)
    end,
    ticket_keys = raw.context_set_ticket_keys,
    ticket_rotation = raw.context_set_ticket_rotation,
    chain_cache = raw.context_set_chain_cache,
    handshake_timeout = function(handle, s) return raw.context_set_handshake_timeout(handle, milliseconds(s)) end,
    memory = function(handle, policy) return raw.context_set_memory(handle, constant("POLICY", policy)) end,
    insecure_skip_chain = switch(raw.context_insecure_skip_chain),
    insecure_skip_name = switch(raw.context_insecure_skip_name),
    insecure_skip_time = switch(raw.context_insecure_skip_time),
    insecure_skip_purpose = switch(raw.context_insecure_skip_purpose),
}
local context_options = { role = true, ca_file = true, identity_file = true, cert_file = true, key_file = true,
    passphrase = true, identities = true, require_client_cert = true, request_client_cert = true,
    alpn_protocols = true, alpn_mode = true, pins = true, pin_mode = true, min_version = true, max_version = true }
for name in pairs(settings) do context_options[name] = true end

-- context { role = "server", cert_file = ..., key_file = ..., ca_file = ..., require_client_cert = true,
--           alpn_protocols = { "h2", "http/1.1" } }
Context.new = steps(function(options)
    check_options(options, context_options)
    local context = try(wrap(Context, raw.context_new(constant("ROLE", options.role))))
    local handle = context.handle
    for name, call in pairs(settings) do
        if options[name] ~= nil then try(call(handle, options[name])) end
    end
    local function lend(loaded, call)
        try(call(loaded.handle))
        loaded:close()
    end
    if options.ca_file then
        local function set_trust(trust) return raw.context_set_trust(handle, trust) end
        lend(try(pki.trust.new { file = options.ca_file }), set_trust)
    end
    local function add(identity) return raw.context_add_identity(handle, identity, "") end
    if options.identity_file then lend(try(pki.identity.load_file(options.identity_file, options.passphrase)), add) end
    if options.cert_file then
        lend(try(pki.identity.load_files(options.cert_file, options.key_file, options.passphrase)), add)
    end
    for pattern, identity in pairs(options.identities or {}) do
        try(raw.context_add_identity(handle, identity.handle, pattern))
    end
    local mode = options.require_client_cert and "require" or options.request_client_cert and "request"
    if mode then try(raw.context_set_client_certificate(handle, constant("CLIENT_CERTIFICATE", mode))) end
    if options.min_version or options.max_version then
        try(raw.context_set_versions(handle, version(options.min_version), version(options.max_version)))
    end
    for _, pin in ipairs(options.pins or {}) do
        try(raw.context_add_pin(handle, pin, constant("PIN", options.pin_mode or "and")))
    end
    if options.alpn_protocols then
        local alpn_mode = constant("ALPN", options.alpn_mode or "fail")
        try(raw.context_set_alpn(handle, wire(options.alpn_protocols), alpn_mode))
    end
    return context
end)
function Context:conn(peer_name) return Conn.new(self, peer_name) end
-- Of a live server context: the first key seals, all open.
function Context:set_ticket_keys(keys) return done(raw.context_set_ticket_keys(self.handle, keys)) end
-- Later connections take the successor's configuration; sessions and ticket keys stay.
function Context:replace(successor) return done(raw.context_replace(self.handle, successor.handle)) end
fields(Context, "CONTEXT", raw.context_number, "cache_hits cache_misses cache_entries")
fields(Context, "CONTEXT", raw.context_number, "handshakes resumptions verify_depth handshake_timeout")
fields(Context, "CONTEXT", raw.context_number, "frozen", yes)
fields(Context, "CONTEXT", raw.context_text, "ciphers ciphersuites groups signatures")

function Conn.new(context, peer_name) return wrap(Conn, raw.conn_new(context.handle, peer_name or "")) end
function Conn:set_server_name(name) return done(raw.conn_set_server_name(self.handle, name)) end
function Conn:set_verify_name(name) return done(raw.conn_set_verify_name(self.handle, name)) end
Conn.set_alpn = steps(function(conn, protocols, mode)
    return done(raw.conn_set_alpn(conn.handle, wire(protocols), constant("ALPN", mode or "fail")))
end)
function Conn:set_session(session) return done(raw.conn_set_session(self.handle, session.handle)) end
-- The newest session to come back with; nil until the server has sent one.
function Conn:session() return wrap(Session, raw.conn_take_session(self.handle)) end
function Conn:feed(data) return count(raw.conn_feed(self.handle, data)) end
function Conn:feed_end() return done(raw.conn_feed_end(self.handle)) end
function Conn:drain(most) return value(raw.conn_drain(self.handle, most or PIECE)) end
function Conn:handshake() return done(raw.conn_handshake(self.handle)) end
function Conn:read(most) return bytes(raw.conn_read(self.handle, most or PIECE)) end
function Conn:peek(most) return bytes(raw.conn_peek(self.handle, most or PIECE)) end
function Conn:write(data) return count(raw.conn_write(self.handle, data)) end
function Conn:shutdown() return done(raw.conn_shutdown(self.handle)) end
-- open and seal return the bytes (or nil and an error), the error or nil, and how much of the input was used.
local function moved(result, output, taken)
    if result < 0 then
        local _, err = fail(result)
        return nil, err, taken
    end
    return output, nil, taken
end
function Conn:open(data, most) return moved(raw.conn_open(self.handle, data, most or PIECE)) end
function Conn:seal(data, most) return moved(raw.conn_seal(self.handle, data, most or PIECE)) end
function Conn:cork(on) return done(raw.conn_cork(self.handle, on and 1 or 0)) end
function Conn:key_update(both) return done(raw.conn_key_update(self.handle, both and 1 or 0)) end
function Conn:pending() return count(raw.conn_pending(self.handle)) end
function Conn:pending_out() return count(raw.conn_pending_out(self.handle)) end

local state_names = { "handshake_done", "readable", "output_pending", "event_pending", "peer_closed", "we_closed",
    "failed", "input_ended" }
-- { handshake_done = true, readable = false, ... }
function Conn:state()
    local state, err = count(raw.conn_state(self.handle))
    if not state then return nil, err end
    local set = {}
    for _, name in ipairs(state_names) do
        local bit = constant("STATE", name)
        set[name] = state % (2 * bit) >= bit
    end
    return set
end
fields(Conn, "CONN", raw.conn_text, "version cipher group signature peer_signature alpn")
fields(Conn, "CONN", raw.conn_text, "server_name verify_name verify_report")
fields(Conn, "CONN", raw.conn_number, "cipher_bits verify_code handshake_ms bytes_in bytes_out")
fields(Conn, "CONN", raw.conn_number, "verified resumed certificate_requested", yes)
function Conn:peer_cert() return wrap(pki.cert, raw.conn_peer_cert(self.handle)) end
function Conn:verified_chain() return wrap(pki.cert, raw.conn_verified_chain(self.handle)) end
function Conn:local_cert() return wrap(pki.cert, raw.conn_local_cert(self.handle)) end
function Conn:peer_name()
    local cert, err = self:peer_cert()
    if not cert then return nil, err end
    local name = cert:common_name()
    cert:close()
    return name
end
function Conn:channel_binding(kind) return value(raw.conn_channel_binding(self.handle, kind)) end
function Conn:export_keying(label, length, context)
    return value(raw.conn_export_keying(self.handle, label, context and 1 or 0, context or "", length))
end

function Session.load(data) return wrap(Session, raw.session_load(data)) end
function Session:export() return value(raw.session_export(self.handle)) end
fields(Session, "SESSION", raw.session_text, "id peer_name alpn")
fields(Session, "SESSION", raw.session_number, "created lifetime")
fields(Session, "SESSION", raw.session_number, "usable has_ticket", yes)

-- Random ticket keys, 80 bytes each.
local function ticket_keys(keys) return value(raw.ticket_keys_new(keys or 1)) end

-- The keys of a fleet that shares a secret of at least 32 random bytes: of this period, the one before, the next.
local function derive_ticket_keys(secret, period, now)
    return value(raw.ticket_keys_derive(secret, now or os.time(), period or 3600))
end

return { context = Context, conn = Conn, session = Session, ticket_keys = ticket_keys,
    derive_ticket_keys = derive_ticket_keys }
