-- Events: what the host decides in the middle of a connection.
--
-- A step that needs a decision gives nil and WANT_EVENT. conn:event() is the question: its kind ("hello", "verify",
-- "certificate", "session", "keylog", "sign"), details that are looked up when asked for, and the answers. Handlers,
-- functions by kind, answer between two steps; this loop calls them, never C, so they may raise and yield.

local raw = require "tlsshim.raw"
local object = require "tlsshim.object"
local pki = require "tlsshim.pki"

local constant, done, fail, value = object.constant, object.done, object.fail, object.value
-- What a refusal tells the peer unless it is said: handshake_failure, certificate_unknown, internal_error.
local alerts = { hello = 40, verify = 46, certificate = 80, sign = 80 }
local kinds, choosing = {}, { hello = true, certificate = true }
for name in ("hello verify certificate session keylog sign"):gmatch "%S+" do kinds[constant("EVENT", name)] = name end

-- Big-endian 16-bit numbers, as IANA gives them out.
local function numbers(bytes)
    local list = {}
    for at = 1, #bytes - 1, 2 do list[#list + 1] = bytes:byte(at) * 256 + bytes:byte(at + 1) end
    return list
end

local function split(text, mark)
    local list = {}
    for each in text:gmatch("[^" .. mark .. "]+") do list[#list + 1] = each end
    return list
end
local function lines(text) return split(text, "\n") end
local function names(wire) return split(value(raw.alpn_decode(wire)) or "", ",") end

local details = { session = function(event) return event.conn:session() end }
local function detail(name, call, field, turn)
    field = constant("DETAIL", field or name)
    details[name] = function(event)
        local found = value(call(event.conn.handle, field))
        if found and turn then return turn(found) end
        return found
    end
end
detail("server_name", raw.conn_event_text)
detail("alpn", raw.conn_event_bytes, nil, names)
for name in ("versions ciphers groups signatures"):gmatch "%S+" do detail(name, raw.conn_event_bytes, nil, numbers) end
detail("verify_code", raw.conn_event_number)
detail("verify_text", raw.conn_event_text, "verify_code")
detail("depth", raw.conn_event_number)
detail("ca_names", raw.conn_event_text, nil, lines)
detail("keylog_line", raw.conn_event_text)
detail("scheme", raw.conn_event_text, "sign_scheme")
detail("digest", raw.conn_event_text, "sign_digest")
detail("input", raw.conn_event_bytes, "sign_input")
detail("message", raw.conn_event_bytes, "sign_message")

local Event = {}

-- An event takes one answer: what another asks later is no business of this one.
local function answer(call)
    return function(event, ...)
        local result = event.answered and raw.E_STATE or call(event.conn.handle, ...)
        event.answered = event.answered or result >= 0
        return done(result)
    end
end
Event.done = answer(raw.conn_event_done)
Event.accept = answer(raw.conn_accept_peer)
Event.sign = answer(raw.conn_sign_with)
local refuse = answer(raw.conn_refuse)
function Event:refuse(alert) return refuse(self, alert or alerts[self.kind] or 80) end

-- Records a choice, an identity or (for hello) a context; done then goes on with it.
function Event:use(choice)
    if self.answered then return fail(raw.E_STATE) end
    local call = getmetatable(choice) == pki.identity and raw.conn_use_identity or raw.conn_use_context
    return done(call(self.conn.handle, choice.handle))
end

local meta = { __name = "tlsshim.event" }
function meta.__index(event, name)
    if Event[name] then return Event[name] end
    if event.answered or not details[name] then return nil end
    local found = details[name](event)
    rawset(event, name, found)
    return found
end

-- What the connection asks; nil when it asks nothing.
local function pending(conn)
    local result = raw.conn_event(conn.handle)
    if result == raw.NONE then return nil end
    if result < 0 then return fail(result) end
    return setmetatable({ kind = kinds[result], conn = conn, answered = false }, meta)
end

-- What a handler has left open follows from what it returned: an identity or a context to use, true for a peer that is
-- welcome, a signature. No word for a peer, and no signature, is a refusal.
local function conclude(event, returned)
    if event.answered then return true end
    if event.kind == "verify" and returned then return event:accept() end
    if event.kind == "sign" and returned then return event:sign(returned) end
    if event.kind == "verify" or event.kind == "sign" then return event:refuse() end
    if returned and choosing[event.kind] then
        local ok, err = event:use(returned)
        if not ok then return nil, err end
    end
    return event:done()
end

-- True if a handler has answered; nil, err if its answer was not taken; false where there is none for it.
local function handle(conn)
    local event, err = pending(conn)
    if not event then return not err, err end
    local handler = conn.handlers[event.kind]
    if not handler then return false end
    return conclude(event, handler(event))
end

-- Makes a step, again and again while handlers answer what it asks.
local function driven(conn, step, ...)
    local result, output = step(...)
    while result == raw.WANT_EVENT and conn and conn.handlers do
        local ok, err = handle(conn)
        if not ok then return err and err.result or result end
        result, output = step(...)
    end
    return result, output
end

-- The functions that answer from now on: { hello = function(event) ... end, verify = ..., sign = ... }
local function set_handlers(conn, handlers)
    for kind in pairs(handlers) do constant("EVENT", kind) end
    conn.handlers = handlers
end

return { driven = driven, handle = handle, pending = pending, set_handlers = set_handlers }
