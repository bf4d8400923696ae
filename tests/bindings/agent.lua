-- agent.lua FD FOLDER COUNT: mutual TLS in memory, with both private keys behind a socket, while the collector works.
local tlsshim = require "tlsshim"
local fd, folder, times = ...
fd, times = tonumber(fd), tonumber(times)

local function number(n)
    return string.char(math.floor(n / 2 ^ 24), math.floor(n / 2 ^ 16) % 256, math.floor(n / 2 ^ 8) % 256, n % 256)
end

local agent = assert(tlsshim.stream.adopt(fd))
local asked = 0

local function receive(count)
    local parts, left = {}, count
    while left > 0 do
        local part = assert(agent:read(left))
        parts[#parts + 1], left = part, left - #part
    end
    return table.concat(parts)
end

local function signer(name)
    return { sign = function(event)
        asked = asked + 1
        local request = ""
        for _, field in ipairs { name, event.scheme, event.message } do request = request .. number(#field) .. field end
        collectgarbage()
        assert(agent:write(request))
        local a, b, c, d = receive(4):byte(1, 4)
        return receive(((a * 256 + b) * 256 + c) * 256 + d)
    end }
end

local trust = assert(tlsshim.trust { file = folder .. "/root.pem" })
local function context(role, name)
    local cert = assert(tlsshim.cert.load_file(("%s/%s.pem"):format(folder, name)))
    return assert(tlsshim.context { role = role, trust = trust, identity = assert(tlsshim.identity.external(cert)),
        events = "sign", require_client_cert = role == "server",
        session_cache = role == "server" and 64 or nil })
end
local client, server = context("client", "client"), context("server", "server")
local at_client, at_server = signer "client", signer "server"

local function pump(from, to)
    local data = assert(from:drain())
    while #data > 0 do
        assert(to:feed(data))
        data = assert(from:drain())
    end
end

local function visit()
    local a, b = assert(client:conn "localhost"), assert(server:conn())
    local done, err, also
    repeat
        done, err = a:handshake(at_client)
        assert(done or err.code:match "^WANT", err)
        pump(a, b)
        also, err = b:handshake(at_server)
        assert(also or err.code:match "^WANT", err)
        pump(b, a)
    until done and also
    assert(b:write "x" == 1)
    pump(b, a)
    assert(a:read() == "x" and a:verified() and b:verified() and not a:resumed())
    a:close() b:close()
end

local function resident()
    collectgarbage() collectgarbage()
    for line in io.lines("/proc/self/status") do
        local kb = line:match("^VmRSS:%s+(%d+)")
        if kb then return tonumber(kb) end
    end
end

for _ = 1, 20 do visit() end
local live, before = tlsshim.live(), resident()
asked = 0
for _ = 1, times do visit() end
print(("signed=%d collections=%d leaked=%d grown_kb=%d"):format(asked, asked, tlsshim.live() - live,
    resident() - before))
