-- Streams and listeners. Times are seconds, by default those of the object (30).

local raw = require "tlsshim.raw"
local object = require "tlsshim.object"
local tls = require "tlsshim.tls"
local events = require "tlsshim.event"

local bytes, check_options, class, count = object.bytes, object.check_options, object.class, object.count
local done, fail, fields, milliseconds = object.done, object.fail, object.fields, object.milliseconds
local steps, try, wrap, yes = object.steps, object.try, object.wrap, object.yes

local PIECE = 65536
local ALL = 9007199254740991 -- bytes of a file
local driven = events.driven
local Stream, Listener = class "stream", class "listener"
Stream.timeout, Listener.timeout = 30, 30

local function wait(waiter, seconds) return milliseconds(seconds or waiter.timeout) end

-- connect(host, port, { context = ..., timeout = ..., session = ..., server_name = ..., verify_name = ...,
-- handlers = ... }) connects and shakes hands, all within the time; without a context the stream is plain. With timeout
-- 0 the stream comes at once and goes on connecting in its calls, which do not wait either. The time that handlers take
-- is their own: each step after an answer has the whole timeout again.
local connect = steps(function(host, port, options)
    options = options or {}
    check_options(options, { context = true, timeout = true, session = true, server_name = true, verify_name = true,
        handlers = true })
    local stream = try(wrap(Stream, raw.stream_connect(host, port, options.context and options.context.handle or 0, 0)))
    stream.timeout = options.timeout
    local conn = stream:conn()
    if options.server_name then try(conn:set_server_name(options.server_name)) end
    if options.verify_name then try(conn:set_verify_name(options.verify_name)) end
    if options.session then try(conn:set_session(options.session)) end
    if options.handlers then events.set_handlers(conn, options.handlers) end
    if options.timeout == 0 then return stream end
    local ok, err = stream:handshake()
    if not ok then
        stream:close()
        error(err, 0)
    end
    return stream
end)
-- Makes a stream of a connected socket; with take the stream closes it.
function Stream.adopt(fd, context, peer_name, take)
    local rule = take and raw.FD_TAKE or raw.FD_KEEP
    return wrap(Stream, raw.stream_adopt(fd, context and context.handle or 0, peer_name or "", rule))
end
function Stream:start_tls(context, peer_name, already_read)
    return done(raw.stream_start_tls(self.handle, context.handle, peer_name or "", already_read or ""))
end
-- Its engine, for questions; closed with the stream.
function Stream:conn()
    if not self.engine and self.handle ~= 0 then
        local conn, err = wrap(tls.conn, raw.stream_conn(self.handle))
        if not conn then return nil, err end
        self.engine = conn
    end
    return self.engine
end
-- With handlers, functions by kind of event, these answer what this call and later ones ask.
function Stream:handshake(timeout, handlers)
    local conn = self:conn()
    if handlers and conn then events.set_handlers(conn, handlers) end
    return done(driven(conn, raw.stream_handshake, self.handle, wait(self, timeout)))
end
function Stream:read(most, timeout)
    return bytes(driven(self.engine, raw.stream_read, self.handle, most or PIECE, wait(self, timeout)))
end
-- All of data within the time; else nil, the error, and how much was taken.
function Stream:write(data, timeout)
    local ms = wait(self, timeout)
    local taken = driven(self.engine, raw.stream_write, self.handle, data, ms)
    if taken == #data then return true end
    local _, err = fail(taken < 0 and taken or ms == 0 and raw.WANT_WRITE or raw.TIMEOUT)
    return nil, err, math.max(taken, 0)
end
-- Sends bytes of an open file, a descriptor's number: `count` of them, or to its end. Gives how many were taken: fewer
-- where the file or the time ends before, 0 at the end of the file.
function Stream:sendfile(fd, offset, size, timeout)
    return count(driven(self.engine, raw.stream_sendfile, self.handle, fd, offset or 0, size or ALL,
        wait(self, timeout)))
end
function Stream:flush(timeout)
    return done(driven(self.engine, raw.stream_flush, self.handle, wait(self, timeout)))
end
function Stream:shutdown(timeout)
    return done(driven(self.engine, raw.stream_shutdown, self.handle, wait(self, timeout)))
end
-- for data in stream:chunks() do ... end; an error is raised.
function Stream:chunks(most, timeout)
    return function()
        local data, err = self:read(most, timeout)
        if err then error(err, 0) end
        return data
    end
end
function Stream:fd() return count(raw.stream_fd(self.handle)) end
function Stream:wants() return count(raw.stream_wants(self.handle)) end
fields(Stream, "STREAM", raw.stream_text, "peer_address local_address")
fields(Stream, "STREAM", raw.stream_number, "peer_port local_port")
fields(Stream, "STREAM", raw.stream_number, "tls", yes)

-- listen("127.0.0.1", 0): port 0 is any that is free, host "" all addresses.
local function listen(host, port, backlog)
    return wrap(Listener, raw.listener_new(host or "", port or 0, backlog or 0))
end
function Listener:port() return count(raw.listener_port(self.handle)) end
function Listener:fd() return count(raw.stream_fd(self.handle)) end
-- The next stream. It has not shaken hands: reads, writes or handshake do that.
function Listener:accept(context, timeout)
    return wrap(Stream, raw.listener_accept(self.handle, context and context.handle or 0, wait(self, timeout)))
end

return { stream = Stream, listener = Listener, connect = connect, listen = listen }
