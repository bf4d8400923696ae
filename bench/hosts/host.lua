-- The work of bench/plain from Lua: host.lua COMMAND key=value..., amounts on standard input (see bench/meter.h).
--   bulk       raw layer: conn_seal and conn_open on strings
--   buffers    the same functions through LuaJIT's FFI, on buffers that are kept
--   sockets    raw layer: stream_write and stream_read over a TCP connection
--   luasec     LuaSec over the same
--   luaossl    cqueues with luaossl over the same
local options = {}
for i = 2, #arg do
    local key, value = arg[i]:match("^([%w_]+)=(.*)$")
    options[key] = value
end
local size = tonumber(options.size or 16384)
local suite = options.suite or "TLS_AES_256_GCM_SHA384"
local certs = os.getenv("BENCH_CERTS")
local message = ("x"):rep(size)
local per_turn = math.max(1, math.min(32, math.floor(32768 / size)))

local function file(name) return certs .. "/" .. name end

-- --- tlsshim ---

local raw

local function must(result, ...)
    if result < 0 then
        local _, text = raw.error_text(result)
        error(text, 2)
    end
    return result, ...
end

local function contexts()
    local trust = must(raw.trust_new())
    must(raw.trust_add_file(trust, file "ca.pem"))
    local client = must(raw.context_new(raw.ROLE_CLIENT))
    must(raw.context_set_trust(client, trust))
    local server = must(raw.context_new(raw.ROLE_SERVER))
    local identity = must(raw.identity_new(must(raw.cert_load_file(file "server.pem")),
                                           must(raw.key_load_file(file "server.key", ""))))
    must(raw.context_add_identity(server, identity, ""))
    for _, context in ipairs { client, server } do
        must(raw.context_set_ciphersuites(context, suite))
        must(raw.context_set_memory(context, raw.POLICY_BUSY_FAST))
    end
    return client, server
end

local function pass(from, to)
    raw.conn_handshake(from)
    local _, bytes = must(raw.conn_drain(from, 65536))
    if #bytes > 0 then must(raw.conn_feed(to, bytes)) end
end

local client, server

local function connect()
    raw = require "tlsshim.raw"
    local client_context, server_context = contexts()
    client, server = must(raw.conn_new(client_context, "localhost")), must(raw.conn_new(server_context, ""))
    for _ = 1, 4 do
        pass(client, server)
        pass(server, client)
    end
    local _, bytes = must(raw.conn_seal(server, "x", 65536))
    assert(raw.conn_open(client, bytes, 1) == 1)
end

local function bulk(amount)
    local seal, open = raw.conn_seal, raw.conn_open
    for _ = 1, amount do
        local _, bytes = seal(client, message, 17000)
        local count = open(server, bytes, size)
        if count ~= size then error "bytes were lost" end
    end
end

local function connect_buffers()
    connect()
    local ffi = require "ffi"
    local C = require("tlsshim.find").library(ffi.load)
    local plain, wire, back = ffi.new("uint8_t[?]", size), ffi.new("uint8_t[?]", 17000), ffi.new("uint8_t[?]", size)
    local taken = ffi.new("int32_t[1]")
    return function(amount)
        for _ = 1, amount do
            local sealed = C.tlsshim_conn_seal(client, plain, size, wire, 17000, taken)
            if C.tlsshim_conn_open(server, wire, sealed, back, size, taken) ~= size then error "bytes were lost" end
        end
    end
end

-- --- over a TCP connection, both ends in this thread ---

local function tcp_pair()
    local socket = require "socket"
    local listener = assert(socket.bind("127.0.0.1", 0))
    local _, port = listener:getsockname()
    local one = assert(socket.connect("127.0.0.1", port))
    local other = assert(listener:accept())
    one:setoption("tcp-nodelay", true)
    other:setoption("tcp-nodelay", true)
    return one, other
end

local held

local function connect_sockets()
    raw = require "tlsshim.raw"
    local one, other = tcp_pair()
    held = { one, other }
    local client_context, server_context = contexts()
    client = must(raw.stream_adopt(one:getfd(), client_context, "localhost", raw.FD_KEEP))
    server = must(raw.stream_adopt(other:getfd(), server_context, "", raw.FD_KEEP))
    local done
    repeat
        done = raw.stream_handshake(client, 0) == 0
        done = raw.stream_handshake(server, 0) == 0 and done
    until done
    must(raw.stream_write(server, "x", 1000))
    must(raw.stream_read(client, 1, 1000))
end

local function sockets(amount)
    local write, read = raw.stream_write, raw.stream_read
    while amount > 0 do
        local turn = math.min(amount, per_turn)
        for _ = 1, turn do
            if write(client, message, 10000) ~= size then error "a message was cut" end
        end
        local left = turn * size
        while left > 0 do left = left - must(read(server, 16384, 10000)) end
        amount = amount - turn
    end
end

local function connect_luasec()
    local ssl = require "ssl"
    local one, other = tcp_pair()
    client = assert(ssl.wrap(one, { mode = "client", protocol = "tlsv1_3", verify = "peer", cafile = file "ca.pem",
                                    ciphersuites = suite }))
    server = assert(ssl.wrap(other, { mode = "server", protocol = "tlsv1_3", certificate = file "server.pem",
                                      key = file "server.key", ciphersuites = suite }))
    client:settimeout(0)
    server:settimeout(0)
    local one_done, other_done
    repeat
        one_done = one_done or client:dohandshake()
        other_done = other_done or server:dohandshake()
    until one_done and other_done
    client:settimeout(10)
    server:settimeout(10)
    assert(server:send("x"))
    assert(client:receive(1))
end

local function luasec(amount)
    while amount > 0 do
        local turn = math.min(amount, per_turn)
        for _ = 1, turn do assert(client:send(message)) end
        for _ = 1, turn do assert(#assert(server:receive(size)) == size) end
        amount = amount - turn
    end
end

-- luaossl has no calls that move bytes; cqueues has, and waits for nothing here but the handshake.
local loop

local function in_loop(run)
    loop:wrap(run)
    assert(loop:loop())
end

local function connect_luaossl()
    local socket, context = require "cqueues.socket", require "openssl.ssl.context"
    local function read(name)
        local handle = assert(io.open(file(name)))
        local text = handle:read "a"
        handle:close()
        return text
    end
    local certificate = require "openssl.x509"
    local here, there = context.new("TLS", false), context.new("TLS", true)
    local store = require("openssl.x509.store").new()
    store:add(certificate.new(read "ca.pem"))
    here:setStore(store)
    here:setVerify(context.VERIFY_PEER)
    there:setCertificate(certificate.new(read "server.pem"))
    there:setPrivateKey(require("openssl.pkey").new(read "server.key"))
    loop = require("cqueues").new()
    local listener = assert(socket.listen { host = "127.0.0.1", port = 0 })
    local _, _, port = listener:localname()
    client = socket.connect { host = "127.0.0.1", port = port, nodelay = true }
    loop:wrap(function()
        server = assert(listener:accept { nodelay = true })
        server:setmode("bn", "bf")
        assert(server:starttls(there))
        server:write "x"
        server:flush()
    end)
    in_loop(function()
        client:setmode("bn", "bf")
        assert(client:starttls(here))
        assert(client:read(1) == "x")
    end)
end

local function luaossl(amount)
    in_loop(function()
        while amount > 0 do
            local turn = math.min(amount, per_turn)
            for _ = 1, turn do assert(client:write(message) and client:flush()) end
            for _ = 1, turn do assert(#server:read(size) == size) end
            amount = amount - turn
        end
    end)
end

local prepare = { bulk = connect, buffers = connect_buffers, sockets = connect_sockets, luasec = connect_luasec,
                  luaossl = connect_luaossl }
local work = { bulk = bulk, sockets = sockets, luasec = luasec, luaossl = luaossl }
local run = assert(prepare[arg[1]], "no such command")() or work[arg[1]]

local function now()
    local ok, socket = pcall(require, "socket")
    return ok and socket.gettime() or os.time()
end

for line in io.lines() do
    local wall, cpu = now(), os.clock()
    run(tonumber(line))
    print(("%.9f %.9f"):format(os.clock() - cpu, now() - wall))
    io.flush()
end
