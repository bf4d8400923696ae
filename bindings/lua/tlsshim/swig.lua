-- The raw layer for Lua 5.4, through SWIG: the C names without prefix.

local find = require "tlsshim.find"

-- The compiled module names the library by its soname and finds it loaded already.
local path = find.path()
if path:find("/", 1, true) then assert(package.loadlib(path, "*")) end

local module = assert(package.searchpath("tlsshim.swig", package.cpath))
return assert(package.loadlib(module, "luaopen_swig"))()
