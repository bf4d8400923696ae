-- Where libtlsshim.so.1 is: what TLSSHIM_LIBRARY names, else beside this module, else where the loader looks.

local NAME = "libtlsshim.so.1"
local find = {}

local function beside()
    local source = debug.getinfo(1, "S").source
    local folder = source:match("^@(.*/)") or "./"
    local file = io.open(folder .. NAME, "rb")
    if file then
        file:close()
        return folder .. NAME
    end
    return nil
end

function find.path()
    local named = os.getenv("TLSSHIM_LIBRARY")
    if named and named ~= "" then return named end
    return beside() or NAME
end

-- What `load` makes of the path, and the path.
function find.library(load)
    local path = find.path()
    return load(path), path
end

return find
