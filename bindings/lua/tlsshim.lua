-- TLS for Lua 5.4 and LuaJIT: certificates, connections without I/O, sockets with deadlines.
--
-- What fails returns nil and an error, a table: code ("E_NAME"), text; tostring gives the text. What cannot go on yet
-- does the same with WANT_... or TIMEOUT. A value that does not exist is nil alone. What no program should do (an
-- unknown option, a string where a number belongs) raises. Handles are closed by close, by <close> and the collector.

local raw = require "tlsshim.raw"
local object = require "tlsshim.object"

local tlsshim = {}
for _, room in ipairs { "tlsshim.pki", "tlsshim.tls", "tlsshim.context", "tlsshim.net" } do
    for name, thing in pairs(require(room)) do tlsshim[name] = thing end
end

function tlsshim.version(what) return object.value(raw.version(object.constant("VERSION", what or "shim"))) end
function tlsshim.has(feature) return object.flag(raw.has(feature)) end
function tlsshim.live(kind) return object.count(raw.live(kind and object.constant("KIND", kind) or 0)) end

return tlsshim
