-- The raw layer of the Lua that runs.

if rawget(_G, "jit") then return require "tlsshim.ffi" end
return require "tlsshim.swig"
