-- Connections without I/O, sessions.

local raw = require "tlsshim.raw"
local object = require "tlsshim.object"
local pki = require "tlsshim.pki"
local events = require "tlsshim.event"

local bytes, class, constant, count = object.bytes, object.class, object.constant, object.count
local done, fail, fields, steps = object.done, object.fail, object.fields, object.steps
local value, wire, wrap, yes = object.value, object.wire, object.wrap, object.yes
local driven = events.driven

local PIECE = 65536
local Conn, Session = class "conn", class "session"

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
-- With handlers, functions by kind of event, these answer what this step and later ones ask.
function Conn:handshake(handlers)
    if handlers then events.set_handlers(self, handlers) end
    return done(driven(self, raw.conn_handshake, self.handle))
end
function Conn:read(most) return bytes(driven(self, raw.conn_read, self.handle, most or PIECE)) end
function Conn:peek(most) return bytes(driven(self, raw.conn_peek, self.handle, most or PIECE)) end
function Conn:write(data) return count(driven(self, raw.conn_write, self.handle, data)) end
function Conn:shutdown() return done(driven(self, raw.conn_shutdown, self.handle)) end
-- open and seal return the bytes (or nil and an error), the error or nil, and how much of the input was used.
local function moved(conn, call, data, most)
    local result, output, taken = call(conn.handle, data, most or PIECE)
    local used = taken or 0
    while result == raw.WANT_EVENT and conn.handlers do
        local ok, err = events.handle(conn)
        if not ok then return nil, err or select(2, fail(result)), used end
        result, output, taken = call(conn.handle, data:sub(used + 1), most or PIECE)
        used = used + (taken or 0)
    end
    if result >= 0 then return output, nil, used end
    local _, err = fail(result)
    return nil, err, taken and used
end
function Conn:open(data, most) return moved(self, raw.conn_open, data, most) end
function Conn:seal(data, most) return moved(self, raw.conn_seal, data, most) end
-- What the connection asks the host; nil when it asks nothing.
function Conn:event() return events.pending(self) end
-- Before a client's handshake: shows this identity in place of the context's.
function Conn:use_identity(identity) return done(raw.conn_use_identity(self.handle, identity.handle)) end
-- Asks a client for its certificate after the handshake.
function Conn:request_certificate() return done(raw.conn_request_certificate(self.handle)) end
function Conn:cork(on) return done(raw.conn_cork(self.handle, on and 1 or 0)) end
function Conn:key_update(both) return done(raw.conn_key_update(self.handle, both and 1 or 0)) end
function Conn:pending() return count(raw.conn_pending(self.handle)) end
function Conn:pending_out() return count(raw.conn_pending_out(self.handle)) end

local function names_in(bits, group, names)
    local found = {}
    for _, name in ipairs(names) do
        local bit = constant(group, name)
        if bits % (2 * bit) >= bit then found[#found + 1] = name end
    end
    return found
end

local state_names = { "handshake_done", "readable", "output_pending", "event_pending", "peer_closed", "we_closed",
    "failed", "input_ended" }
-- { handshake_done = true, readable = false, ... }
function Conn:state()
    local state, err = count(raw.conn_state(self.handle))
    if not state then return nil, err end
    local set = {}
    for _, name in ipairs(state_names) do set[name] = false end
    for _, name in ipairs(names_in(state, "STATE", state_names)) do set[name] = true end
    return set
end
fields(Conn, "CONN", raw.conn_text, "version cipher group signature peer_signature alpn")
fields(Conn, "CONN", raw.conn_text, "server_name verify_name verify_report shared_ciphers psk_identity")
fields(Conn, "CONN", raw.conn_number, "cipher_bits verify_code handshake_ms bytes_in bytes_out")
fields(Conn, "CONN", raw.conn_number, "verified resumed certificate_requested hello_retry extended_master_secret", yes)
fields(Conn, "CONN", raw.conn_bytes, "client_random staple")
local insecure_names = { "chain", "name", "time", "purpose", "legacy" }
-- The judgements that did not refuse the peer: { "name" }; empty where all did their work.
function Conn:insecure()
    local skipped, err = value(raw.conn_number(self.handle, raw.CONN_INSECURE))
    if not skipped then return nil, err end
    return names_in(skipped, "INSECURE", insecure_names)
end
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
-- Who the peer is, in one table; nil if it has shown no certificate. The chain is the one that was verified.
function Conn:peer()
    local cert, err = self:peer_cert()
    if not cert then return nil, err end
    return { common_name = cert:common_name(), subject = cert:subject(), names = cert:names(), cert = cert,
        fingerprint = cert:fingerprint(), verified = self:verified(), chain = self:verified_chain() }
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

return { conn = Conn, session = Session, ticket_keys = ticket_keys,
    derive_ticket_keys = derive_ticket_keys }
