-- What scripts see of the language, and the library `redis`. Scripts share one interpreter, and
-- nothing that one leaves behind may be seen by another: what they share cannot be written.
local native = ...

local error, getmetatable, pairs, rawget, rawset, select, setfenv, setmetatable =
    error, getmetatable, pairs, rawget, rawset, select, setfenv, setmetatable
local tonumber, tostring, type = tonumber, tostring, type
local raw_loadstring, raw_pcall, raw_xpcall, raw_collectgarbage = loadstring, pcall, xpcall, collectgarbage
local byte, sub, concat = string.byte, string.sub, table.concat
local raw_resume = coroutine.resume
local killed, place, text, tick = native.killed, native.place, native.text, native.tick
local PATTERN_BYTES_MAX = 4096
local READONLY = 'Attempt to modify a readonly table'

local globals = {}
local protected = {}

-- A table that is read like `of` and cannot be written, and what makes it so.
local function readonly(of)
    local meta = {
        __index = of,
        __newindex = function() error(READONLY, 2) end,
        __metatable = false,
        __readonly = true,
    }
    local view = setmetatable({}, meta)
    protected[view] = true
    return view, meta
end

-- A pattern costs stack by its length.
local function bounded(run)
    return function(subject, pattern, ...)
        if type(pattern) == 'string' and #pattern > PATTERN_BYTES_MAX then
            error('pattern too complex', 2)
        end
        return run(subject, pattern, ...)
    end
end

for _, name in pairs({ 'find', 'gmatch', 'gsub', 'match' }) do
    string[name] = bounded(string[name])
end
string.gfind = string.gmatch
string.rep = native.rep

-- Elements from which on sorting takes longer than may pass without a sign of life.
local UNCOUNTED_MAX = 1000
local raw_sort = table.sort

local function less(a, b)
    return a < b
end

function table.sort(list, before)
    -- Comparisons that are made of instructions are counted.
    if before == nil and type(list) == 'table' and #list > UNCOUNTED_MAX then
        before = less
    end
    return raw_sort(list, before)
end

-- Moving many elements is made of instructions, and so is counted. A table that has a metatable is
-- left to the functions of the language, which do not ask it.
local insert, remove = table.insert, table.remove

local function moves_many(list, at)
    return type(list) == 'table' and type(at) == 'number' and at % 1 == 0
        and #list - at > UNCOUNTED_MAX and getmetatable(list) == nil
end

-- An error as the functions of the language have it, for the line that called one of these.
local function refuse(name, number, wanted, ...)
    local found = 'no value'
    if select('#', ...) >= number then
        found = type((select(number, ...)))
    end
    error('bad argument #' .. number .. " to '" .. name .. "' (" .. wanted .. ' expected, got '
        .. found .. ')', 3)
end

function table.insert(...)
    local list, at, value = ...
    local count = select('#', ...)
    if type(list) ~= 'table' then
        refuse('insert', 1, 'table', ...)
    elseif count == 3 and not tonumber(at) then
        refuse('insert', 2, 'number', ...)
    elseif count ~= 2 and count ~= 3 then
        error("wrong number of arguments to 'insert'", 2)
    elseif protected[list] then
        -- The function of the language would write past the metatable.
        error(READONLY, 0)
    elseif count == 2 or not moves_many(list, at) then
        return insert(...)
    end
    for place = #list + 1, at + 1, -1 do
        list[place] = list[place - 1]
    end
    list[at] = value
end

function table.remove(...)
    local list, at = ...
    if type(list) ~= 'table' then
        refuse('remove', 1, 'table', ...)
    elseif at ~= nil and not tonumber(at) then
        refuse('remove', 2, 'number', ...)
    elseif not moves_many(list, at) or at < 1 then
        return remove(...)
    end
    local len, removed = #list, list[at]
    for place = at, len - 1 do
        list[place] = list[place + 1]
    end
    list[len] = nil
    return removed
end

math.random, math.randomseed = native.random, native.randomseed

-- After an error: a script that has to end does not catch it.
local function settled(ok, first, ...)
    if ok then
        return true, first, ...
    end
    if killed() then
        error(first, 0)
    end
    first = text(first)
    if type(first) == 'table' then
        local message = rawget(first, 'err')
        if type(message) == 'string' then
            first = message
        end
    end
    return false, first
end

function globals.pcall(...)
    return settled(raw_pcall(...))
end

local function settled_as_it_is(ok, first, ...)
    if ok then
        return true, first, ...
    end
    if killed() then
        error(first, 0)
    end
    return false, (text(first))
end

function coroutine.resume(...)
    return settled_as_it_is(raw_resume(...))
end

function globals.xpcall(run, handler)
    return settled_as_it_is(raw_xpcall(run, function(found)
        return handler(text(found))
    end))
end

globals.rawset, globals.setmetatable = native.rawset, native.setmetatable

function globals.getmetatable(of)
    if protected[of] then
        return nil
    end
    return getmetatable(of)
end

local environment

function globals.loadstring(body, name)
    if type(body) == 'string' and byte(body) == 27 then
        return nil, '[string "' .. sub(body, 2, 40) .. "\"]:1: unexpected symbol near 'char(27)'"
    end
    local run, message = raw_loadstring(body, name or body)
    if run then
        setfenv(run, environment)
    end
    return run, message
end

function globals.load(reader, name)
    local parts = {}
    repeat
        local part = reader()
        if part ~= nil and type(part) ~= 'string' then
            return nil, 'reader function must return a string'
        end
        parts[#parts + 1] = part
    until part == nil or part == ''
    return globals.loadstring(concat(parts), name or '=(load)')
end

-- How much is looked at between two signs of life, in kilobytes.
local COLLECTED_PER_TICK = 64

-- Takes steps until a round is over, or as many as were asked for. Returns whether one is.
local function collect(steps)
    local taken, is_over = 0, false
    while taken < steps and not is_over do
        is_over = raw_collectgarbage('step', COLLECTED_PER_TICK)
        taken = taken + 1
        tick()
    end
    return is_over
end

function globals.collectgarbage(what, amount)
    if what == nil or what == 'collect' then
        -- What is thrown away after a round has begun is found by the next one.
        collect(math.huge)
        collect(math.huge)
        return 0
    end
    if what == 'step' then
        return collect((tonumber(amount) or 0) / COLLECTED_PER_TICK + 1)
    end
    if what == 'count' then
        return raw_collectgarbage('count')
    end
    return 0
end

for _, name in pairs({
    '_VERSION', 'assert', 'error', 'gcinfo', 'ipairs', 'next', 'pairs', 'rawequal', 'rawget',
    'select', 'tonumber', 'tostring', 'type', 'unpack',
}) do
    globals[name] = _G[name]
end

local libraries = {
    string = string,
    table = table,
    math = math,
    coroutine = coroutine,
    os = { clock = native.clock },
    redis = native.redis,
    bit = native.bit,
    cjson = native.cjson,
    cmsgpack = native.cmsgpack,
    struct = native.struct,
}
for name, library in pairs(libraries) do
    globals[name] = readonly(library)
end
do
    local meta = getmetatable('')
    meta.__index = string
    meta.__metatable = readonly({})
end

setmetatable(globals, {
    __index = function(_, name)
        error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
    end,
})
environment = readonly(globals)
rawset(globals, '_G', environment)

-- What an error becomes that a script does not catch.
local function handle(found)
    found = text(found)
    if type(found) ~= 'table' then
        found = { err = 'ERR ' .. tostring(found) }
    end
    found.source, found.line = place()
    return found
end

local function run(scripts, place, keys, args)
    globals.KEYS, globals.ARGV = keys, args
    return raw_xpcall(scripts[place], handle)
end

-- The function that is called next. No function calls another one.
local callback, callback_keys, callback_args

local function begin()
    local run, keys, args = callback, callback_keys, callback_args
    callback, callback_keys, callback_args = nil, nil, nil
    return run(keys, args)
end

local function call(callbacks, place, keys, args)
    callback, callback_keys, callback_args = callbacks[place], keys, args
    return raw_xpcall(begin, handle)
end

-- What a library sees while it registers its functions, and nothing else of all.
local loading = {}
do
    local redis = { register_function = native.register_function }
    for _, name in pairs({
        'log', 'LOG_DEBUG', 'LOG_VERBOSE', 'LOG_NOTICE', 'LOG_WARNING', 'REDIS_VERSION',
        'REDIS_VERSION_NUM',
    }) do
        redis[name] = native.redis[name]
    end
    local missing = { __index = getmetatable(globals).__index }
    loading.redis = readonly(setmetatable(redis, missing))
    setmetatable(loading, missing)
end

-- Functions keep the environment of their library, which is that of scripts later.
local library_environment, library_meta = readonly(globals)

local function register(library)
    library_meta.__index = loading
    local ok, found = raw_xpcall(library, handle)
    library_meta.__index = globals
    return ok, found
end

return run, environment, globals, call, register, library_environment
