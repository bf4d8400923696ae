-- How the scenarios tell what happens: the same lines in every language.

local function show(value)
    if value == nil then return "none" end
    if value == true then return "yes" end
    if value == false then return "no" end
    if type(value) == "number" then return ("%d"):format(value) end
    if type(value) ~= "table" then return value end
    if value.code then return value.code .. ": " .. tostring(value) end
    return #value > 0 and table.concat(value, " ") or "none"
end

local function say(title, ...)
    local words = {}
    for i = 1, select("#", ...) do words[i] = show((select(i, ...))) end
    print(title .. " | " .. table.concat(words, " | "))
end

local function refused(title, value, err) say(title, value == nil and err or "was not refused") end
local function raised(title, ...) say(title, pcall(...) and "was not raised" or "raised") end

-- What is raised says what was wrong.
local function named(title, word, ...)
    local ok, err = pcall(...)
    say(title, ok and "was not raised" or tostring(err):find(word, 1, true) and word or "not named: " .. tostring(err))
end

return { named = named, raised = raised, refused = refused, say = say }
