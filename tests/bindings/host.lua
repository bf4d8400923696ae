-- Runs the scenario on the raw layer of the Lua that runs it: host.lua SCENARIO
local raw = require "tlsshim.raw"

local names = {}

local function word(token)
    local text = token:match('^"(.*)"$')
    if text then return text end
    if token:sub(1, 1) == "$" then return names[token:sub(2)] end
    if token:sub(1, 4) == "hex:" then
        return (token:sub(5):gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
    end
    if token:match("^[A-Z]") then return assert(raw[token], token) end
    return tonumber(token)
end

local function words(line)
    local found, kept, here = {}, nil, 1
    while here <= #line do
        local from, to = line:find(line:sub(here, here) == '"' and '^"[^"]*"' or "^%S+", here)
        local token = line:sub(from, to)
        if token == ">" then
            kept = {}
        elseif kept then
            kept[#kept + 1] = token
        else
            found[#found + 1] = token
        end
        here = line:find("%S", to + 1) or #line + 1
    end
    return found, kept or {}
end

local function sort(value)
    if value == nil then return "nothing" end
    if type(value) == "string" then return #value > 0 and "bytes" or "no bytes" end
    return value >= 4294967296 and "handle" or value > 0 and "positive" or value == 0 and "zero" or "negative"
end

local function measure(value)
    return type(value) == "string" and ("%d bytes"):format(#value) or sort(value)
end

local function show(value)
    if value == nil then return "nothing" end
    if type(value) == "number" then return value >= 4294967296 and "handle" or ("%d"):format(value) end
    if type(value) == "table" then return table.concat(value, " ") end
    if value:find("[^\32-\126]") then return (value:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
    return '"' .. value .. '"'
end

local function show_result(value)
    if type(value) ~= "number" or value >= 0 then return show(value) end
    local _, name = raw.error_name(value)
    local _, text = raw.error_text(value)
    return show(name) .. " " .. show(text)
end

local function pump(one, other)
    local moved
    repeat
        moved = false
        for _, way in ipairs { { one, other }, { other, one } } do
            raw.conn_handshake(way[1])
            local count, bytes = raw.conn_drain(way[1], 700)
            while count > 0 do
                moved = true
                while #bytes > 0 do
                    local taken = raw.conn_feed(way[2], bytes)
                    if taken < 0 then return taken end
                    raw.conn_handshake(way[2])
                    bytes = bytes:sub(taken + 1)
                end
                count, bytes = raw.conn_drain(way[1], 700)
            end
        end
    until not moved
    return 0
end

local function pack(...)
    return { n = select("#", ...), ... }
end

for line in io.lines(arg[1]) do
    if line ~= "" and line:sub(1, 1) ~= "#" then
        local mark = line:match("^([~=!]) ")
        local found, kept = words(mark and line:sub(3) or line)
        local call = found[1] == "pump" and pump or assert(raw[found[1]], found[1])
        local arguments = {}
        for i = 2, #found do arguments[i - 1] = word(found[i]) end
        local results = pack(pcall(call, (table.unpack or unpack)(arguments, 1, #found - 1)))
        local shown = {}
        if mark == "!" then
            shown[1] = results[1] and "not refused" or "refused"
        else
            assert(results[1], line .. ": " .. tostring(results[2]))
            for i = 2, results.n do
                shown[i - 1] = (mark == "=" and measure or mark and sort or i == 2 and show_result or show)(results[i])
            end
        end
        for i, name in ipairs(kept) do names[name] = results[i + 1] end
        print((line:gsub(" >.*", "")))
        print("  " .. table.concat(shown, ", "))
    end
end
