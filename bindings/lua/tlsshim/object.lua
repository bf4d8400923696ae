-- What all rooms of the module share: errors, options, objects that own a handle.

local raw = require "tlsshim.raw"

local Error = { __name = "tlsshim.error", __tostring = function(err) return err.text end }
Error.__index = Error
local flow = {}

local function constant(group, name)
    local value = raw[group .. "_" .. tostring(name):upper():gsub("[%.%-]", "_")]
    return value or error(("unknown %s '%s'"):format(group:lower(), tostring(name)), 0)
end

-- A number or a text that the error's record holds: "depth", "alert", "errno", "subject", "names"...
function Error:number(field) return (select(2, raw.error_number(self.result, constant("ERROR", field)))) end
function Error:part(field) return (select(2, raw.error_part(self.result, constant("ERROR", field)))) end

local function fail(result)
    local err = flow[result]
    if not err then
        local _, name = raw.error_name(result)
        local _, text = raw.error_text(result)
        err = setmetatable({ code = name, text = text, result = result }, Error)
        if result > raw.E_HANDLE then flow[result] = err end
    end
    return nil, err
end

local function done(result) if result < 0 then return fail(result) end return true end
local function count(result) if result < 0 then return fail(result) end return result end
local function flag(result) if result < 0 then return fail(result) end return result > 0 end

local function value(result, output)
    if result == raw.NONE then return nil end
    if result < 0 then return fail(result) end
    return output
end

-- Bytes of a stream: nil alone is the clean end.
local function bytes(result, output)
    if result < 0 then return fail(result) end
    if result == 0 then return nil end
    return output
end

-- Inside a function of several steps an error is raised; `steps` makes nil and the error of it.
local function try(result, err)
    if result == nil and err then error(err, 0) end
    if type(result) == "number" and result < 0 then error(select(2, fail(result)), 0) end
    return result
end

local function caught(ok, ...)
    if ok then return ... end
    local err = ...
    if getmetatable(err) == Error then return nil, err end
    error(err, 0)
end

local function steps(build) return function(...) return caught(pcall(build, ...)) end end

local function milliseconds(seconds)
    return math.ceil(math.min(seconds * 1000, 2 ^ 53))
end

-- A list of protocols as ALPN carries it.
local function wire(protocols)
    return #protocols == 0 and "" or try(value(raw.alpn_encode(table.concat(protocols, ","))))
end

local function check_options(options, known)
    for name in pairs(options) do
        if not known[name] then error(("unknown option '%s'"):format(tostring(name)), 0) end
    end
end

-- One or many, values or objects, as a list.
local function list(values)
    if values == nil then return {} end
    return type(values) == "table" and not values.handle and values or { values }
end

local function mask(group, names)
    local sum = 0
    for _, name in ipairs(list(names)) do sum = sum + constant(group, name) end
    return sum
end

local function keep() end
local forget = keep
if rawget(_G, "jit") then
    -- Tables of LuaJIT have no finalizers; a cell of C memory has one.
    local ffi = require "ffi"
    local function drop(cell) raw.close(tonumber(cell[0])) end
    function keep(object) object.cell = ffi.gc(ffi.new("int64_t[1]", object.handle), drop) end
    function forget(object) object.cell = ffi.gc(object.cell, nil) and nil end
end

local function close(object)
    if object.handle ~= 0 then
        local handle = object.handle
        forget(object)
        object.handle = 0
        if object.engine then object.engine:close() end
        raw.close(handle)
    end
    return true
end

local function class(name)
    local made = { __name = "tlsshim." .. name, __gc = close, __close = close, close = close }
    made.__index = made
    function made:memory() return count(raw.memory(self.handle)) end
    return setmetatable(made, { __call = function(_, ...) return made.new(...) end })
end

local function wrap(of, handle)
    if handle == raw.NONE then return nil end
    if handle < 0 then return fail(handle) end
    local object = setmetatable({ handle = handle }, of)
    keep(object)
    return object
end

-- A method for each field: object:subject() asks call(handle, CERT_SUBJECT).
local function fields(of, group, call, names, turn)
    for name in names:gmatch("%S+") do
        local field = constant(group, name)
        of[name] = function(object)
            local result, output = call(object.handle, field)
            if turn and output then return turn(output) end
            return value(result, output)
        end
    end
end

local function yes(number) return number ~= 0 end

return {
    bytes = bytes, check_options = check_options, class = class, constant = constant, count = count, done = done,
    fail = fail, fields = fields, flag = flag, list = list, mask = mask, milliseconds = milliseconds, steps = steps,
    try = try, value = value, wire = wire, wrap = wrap, yes = yes,
}
