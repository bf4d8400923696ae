-- Echo over mutual TLS, both ends, for Lua 5.4 and LuaJIT.
--
--   echo.lua server CA IDENTITY [PORT]   prints its port and echoes until it is stopped
--   echo.lua client CA IDENTITY PORT     has 1 MiB echoed, then once more over a resumed connection
--
-- CA is a file of anchors; IDENTITY.pem and IDENTITY.key say who this end is, "-" is nobody.
local tlsshim = require "tlsshim"

local role, ca, identity, port = ...
local PIECE, PIECES = 65536, 16
io.stdout:setvbuf "line"

local context = assert(tlsshim.context {
    role = role, ca_file = ca, require_client_cert = role == "server", min_version = "TLSv1.3",
    cert_file = identity ~= "-" and identity .. ".pem" or nil, key_file = identity .. ".key",
    alpn_protocols = { "h2", "http/1.1" },
})

local function serve(stream)
    assert(stream:handshake())
    print("peer=" .. stream:conn():peer_name() .. " resumed=" .. (stream:conn():resumed() and 1 or 0))
    for data in stream:chunks() do assert(stream:write(data)) end
    assert(stream:shutdown())
end

local function echoed(stream, data)
    assert(stream:write(data))
    local back = ""
    while #back < #data do back = back .. assert(stream:read()) end
    return back == data
end

local function visit(session)
    local stream = assert(tlsshim.connect("localhost", tonumber(port), { context = context, session = session }))
    for n = 1, PIECES do assert(echoed(stream, string.char(n):rep(PIECE)), "the echo differs") end
    assert(stream:shutdown())
    assert(not stream:read(), "bytes after the end")
    return stream
end

if role == "server" then
    local listener = assert(tlsshim.listen("localhost", tonumber(port)))
    print("port=" .. listener:port())
    while true do
        local stream = assert(listener:accept(context, math.huge))
        local ok, err = pcall(serve, stream)
        if not ok then print(("refused=%s: %s"):format(err.code, err)) end
        stream:close()
    end
end

local ok, err = pcall(function()
    local first = visit()
    local conn = visit(first:conn():session()):conn()
    print(("version=%s cipher=%s alpn=%s peer=%s resumed=%d handshake_ms=%d,%d"):format(conn:version(), conn:cipher(),
        conn:alpn(), conn:peer_name(), conn:resumed() and 1 or 0, first:conn():handshake_ms(), conn:handshake_ms()))
end)
if not ok then print(("refused=%s: %s"):format(err.code, err)) end
os.exit(ok, true)
