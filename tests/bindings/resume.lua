-- resume.lua COUNT: mutual TLS in memory, each connection but the first resumed by the client's cache.
local tlsshim = require "tlsshim"
local times = tonumber((...))

local ca = assert(tlsshim.ca("CN=loop"))
local trust = assert(tlsshim.trust { cert = ca:cert() })
local server = assert(tlsshim.context { role = "server", trust = trust, require_client_cert = true, session_cache = 64,
    identity = assert(ca:issue { names = "localhost" }) })
local client = assert(tlsshim.context { role = "client", trust = trust, session_cache = 64,
    identity = assert(ca:issue { subject = "CN=client", usage = "client" }) })

local function pump(from, to)
    local data = assert(from:drain())
    while #data > 0 do
        assert(to:feed(data))
        data = assert(from:drain())
    end
end

local function visit()
    local a, b = assert(client:conn("localhost")), assert(server:conn())
    for _ = 1, 4 do
        a:handshake() pump(a, b)
        b:handshake() pump(b, a)
    end
    assert(b:write("x") == 1)
    pump(b, a)
    assert(a:read() == "x" and b:verified())
    local resumed = a:resumed() and b:resumed()
    a:close() b:close()
    return resumed
end

local function resident()
    collectgarbage() collectgarbage()
    for line in io.lines("/proc/self/status") do
        local kb = line:match("^VmRSS:%s+(%d+)")
        if kb then return tonumber(kb) end
    end
end

assert(not visit(), "the first one is full")
for _ = 1, times / 10 do assert(visit(), "not resumed") end
local live, before = tlsshim.live(), resident()
for _ = 1, times do assert(visit(), "not resumed") end
print(("resumed=%d leaked=%d grown_kb=%d cached=%d"):format(server:resumptions(), tlsshim.live() - live,
    resident() - before, client:cache_entries()))
