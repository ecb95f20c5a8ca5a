-- The module `kv`: values that outlive a run, for this function, and in a second store (`…Global`) for all functions.
-- A failure gives nil and a message.

local arguments = require("arguments")
local call = require("calls")
local empty_lists = require("empty_lists")

local format, type = string.format, type
local text_argument, json_argument = arguments.text, arguments.json

local function true_or_failure(answer, message)
  if answer == nil then
    return nil, message
  end
  return true
end

-- Raised in the line of the call: this function and the two that lead to it are not the user's.
local function bad_option(name, message)
  error(format("bad argument #3 to %s (%s)", name, message), 4)
end

-- Of the options of `set`: milliseconds, or nil for a value that stays.
local function ttl_ms(options, name)
  if options == nil then
    return nil
  elseif type(options) ~= "table" then
    bad_option(name, format("table expected, got %s", type(options)))
  end
  local seconds = rawget(options, "ttl")
  if seconds == nil then
    return nil
  elseif type(seconds) ~= "number" or not (seconds > 0) then
    bad_option(name, "ttl must be a number of seconds above 0")
  end
  return math.ceil(seconds * 1000)
end

local function optional_prefix(prefix, name)
  if prefix ~= nil and type(prefix) ~= "string" and type(prefix) ~= "number" then
    error(format("bad argument #1 to %s (string expected, got %s)", name, type(prefix)), 3)
  end
  return prefix ~= nil and tostring(prefix) or nil
end

-- Each: the function of one store. `name` is what messages call it, `global` true for the store of all functions, else nil.
local MAKERS = {}

function MAKERS.get(name, global)
  return function(key)
    local answer, message = call("kv.get", { key = text_argument(key, 1, name), global = global })
    if answer == nil then
      return nil, message
    end
    return answer.value
  end
end

function MAKERS.set(name, global)
  return function(key, value, options)
    key, value = text_argument(key, 1, name), json_argument(value, 2, name)
    local ttl = ttl_ms(options, name)
    return true_or_failure(call("kv.set", { key = key, value = value, ttlMs = ttl, global = global }))
  end
end

-- True also where there was nothing.
function MAKERS.delete(name, global)
  return function(key)
    return true_or_failure(call("kv.delete", { key = text_argument(key, 1, name), global = global }))
  end
end

function MAKERS.listKeys(name, global)
  return function(prefix)
    prefix = optional_prefix(prefix, name)
    local keys, cursor = {}, nil
    empty_lists[keys] = true -- as JSON it is `[]` where there are none
    repeat
      local answer, message = call("kv.list", { prefix = prefix, cursor = cursor, global = global })
      if answer == nil then
        return nil, message
      end
      for index = 1, #answer.keys do
        keys[#keys + 1] = answer.keys[index]
      end
      cursor = answer.cursor
    until cursor == nil
    return keys
  end
end

function MAKERS.all(name, global)
  return function(prefix)
    local answer, message = call("kv.all", { prefix = optional_prefix(prefix, name), global = global })
    if answer == nil then
      return nil, message
    end
    return answer.entries
  end
end

-- The sum. What is not there counts as 0.
function MAKERS.incr(name, global)
  return function(key, by)
    key, by = text_argument(key, 1, name), by == nil and 1 or arguments.number(by, 2, name)
    local answer, message = call("kv.incr", { key = key, by = by, global = global })
    if answer == nil then
      return nil, message
    end
    return answer.value
  end
end

-- Whether `old` was there, and `new` is now. nil stands for "nothing".
function MAKERS.cas(name, global)
  return function(key, old, new)
    key = text_argument(key, 1, name)
    old = old ~= nil and json_argument(old, 2, name) or old
    new = new ~= nil and json_argument(new, 3, name) or new
    local answer, message = call("kv.cas", { key = key, old = old, new = new, global = global })
    if answer == nil then
      return nil, message
    end
    return answer.swapped
  end
end

local GLOBAL_NAMES = {
  get = "getGlobal",
  set = "setGlobal",
  delete = "deleteGlobal",
  listKeys = "listGlobalKeys",
  all = "allGlobal",
  incr = "incrGlobal",
  cas = "casGlobal",
}

local kv = {}

for name, make in pairs(MAKERS) do
  local global_name = GLOBAL_NAMES[name]
  kv[name], kv[global_name] = make(name), make(global_name, true)
end

return kv
