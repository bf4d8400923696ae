-- The raw layer for LuaJIT: the C names without prefix.
--
-- Inputs in C order without lengths and outputs; a stream or fill output takes its capacity in its place, a whole one
-- takes nothing. Returned: the result, then each output, nil where the result says that there is none.

local ffi = require "ffi"
local calls = require "tlsshim.ffi_calls"
local find = require "tlsshim.find"

local type, tonumber, floor, error, string_format = type, tonumber, math.floor, error, string.format
local E_HANDLE, NONE = calls.constants.E_HANDLE, calls.constants.NONE

ffi.cdef(calls.declarations)
local C, path = find.library(ffi.load)

local found = C.tlsshim_abi_version()
if found ~= calls.abi then
    error(string_format("tlsshim.ffi was made for ABI %d, the library found (%s) has ABI %d", calls.abi, path, found))
end

-- One room, reused by each call: no Lua code runs between the call and the copy into a string.
local KEPT_ROOM = 1048576
local kept_size = 4096
local kept = ffi.new("uint8_t[?]", kept_size)

local helpers = { tonumber = tonumber, int32_room = ffi.new("int32_t[1]"), int64_room = ffi.new("int64_t[1]") }

local function wrong(name, wanted)
    error(string_format("bad argument '%s' (%s)", name, wanted), 4)
end

function helpers.int32_in(value, name)
    if type(value) ~= "number" then wrong(name, "integer expected") end
    if value ~= floor(value) then wrong(name, "number has no integer representation") end
    if value < -2147483648 or value > 2147483647 then wrong(name, "integer out of range") end
end

-- A double holds every handle; other numbers past 2^53 may be given as int64_t.
function helpers.int64_in(value, name)
    if type(value) == "number" then
        if value ~= floor(value) then wrong(name, "number has no integer representation") end
        if value < -0x1p63 or value >= 0x1p63 then wrong(name, "integer out of range") end
    elseif not ffi.istype("int64_t", value) then
        wrong(name, "integer expected")
    end
end

function helpers.string_in(value, name)
    if type(value) ~= "string" then wrong(name, "string expected") end
end

function helpers.room(cap)
    if cap > kept_size then
        if cap > KEPT_ROOM then return ffi.new("uint8_t[?]", cap), cap end
        kept_size = cap
        kept = ffi.new("uint8_t[?]", cap)
    end
    return kept, kept_size
end

function helpers.forget(data, cap)
    if cap > 0 then ffi.fill(data, cap) end
end

function helpers.string_out(data, result, length)
    if result < 0 then return nil end
    return ffi.string(data, length)
end

function helpers.number_out(data, result)
    if result <= E_HANDLE or result == NONE then return nil end
    return tonumber(data[0])
end

function helpers.pairs_room(cap)
    return ffi.new("int64_t[?]", 2 * (cap > 1 and cap or 1))
end

function helpers.pairs_out(data, result)
    if result < 0 then return nil end
    local list = {}
    for i = 0, 2 * result - 1 do list[i + 1] = tonumber(data[i]) end
    return list
end

local raw = {}
for name, value in pairs(calls.constants) do raw[name] = value end
calls.functions(raw, C, helpers)
return raw
