-- Many connections in one thread, a coroutine each; for LuaJIT, which can call poll by itself.
--
--   luajit coroutines.lua [CLIENTS]   a server and its clients, all at once
local ffi = require "ffi"
local tlsshim = require "tlsshim"

ffi.cdef [[
    struct pollfd { int fd; short events, revents; };
    int poll(struct pollfd *fds, unsigned long count, int milliseconds);
]]

local waiting = {} -- what each coroutine waits for: a stream or a listener

local function resume(task, ...)
    local ok, object = coroutine.resume(task, ...)
    if not ok then error(object, 0) end
    waiting[task] = object
end

local function spawn(call, ...) resume(coroutine.create(call), ...) end

-- Repeats what cannot go on yet; the others run meanwhile. A write goes on behind what was taken.
local function await(object, method, data, ...)
    while true do
        local result, err, written = object[method](object, data, ...)
        if not err then return result end
        if err.code ~= "WANT_READ" and err.code ~= "WANT_WRITE" then error(err, 0) end
        if written then data = data:sub(written + 1) end
        coroutine.yield(object)
    end
end

local function run()
    while next(waiting) do
        local tasks = {}
        for task in pairs(waiting) do tasks[#tasks + 1] = task end
        local fds = ffi.new("struct pollfd[?]", #tasks)
        for i, task in ipairs(tasks) do
            local object = waiting[task]
            local wants = object.wants and object:wants() or 1 -- 1 = read, 2 = write
            fds[i - 1] = { object:fd(), (wants % 2) + (wants >= 2 and 4 or 0), 0 }
        end
        ffi.C.poll(fds, #tasks, 1000)
        for i, task in ipairs(tasks) do
            if fds[i - 1].revents ~= 0 then resume(task) end
        end
    end
end

local clients, port = tonumber((...)) or 20, nil
local me = assert(tlsshim.self_signed "localhost")
local server = assert(tlsshim.context { role = "server", identity = me })
local client = assert(tlsshim.context { role = "client", trust = assert(tlsshim.trust { cert = me:cert() }) })

local function serve(stream)
    stream.timeout = 0
    local data = await(stream, "read")
    while data do
        await(stream, "write", data)
        data = await(stream, "read")
    end
    await(stream, "shutdown")
    stream:close()
end

spawn(function()
    local listener = assert(tlsshim.listen("localhost", 0))
    port = listener:port()
    for _ = 1, clients do spawn(serve, await(listener, "accept", server, 0)) end
end)

local open, most, echoed = 0, 0, 0
for number = 1, clients do
    spawn(function()
        local stream = assert(tlsshim.connect("localhost", port, { context = client, timeout = 0 }))
        await(stream, "handshake")
        open, most = open + 1, math.max(most, open + 1)
        local sent, back = string.char(number % 256):rep(100000), ""
        await(stream, "write", sent)
        while #back < #sent do back = back .. await(stream, "read") end
        await(stream, "shutdown")
        open, echoed = open - 1, echoed + (back == sent and 1 or 0)
        stream:close()
    end)
end
run()
print(("%d clients, %d of them at once, %d echoes"):format(clients, most, echoed))
os.exit(echoed == clients)
