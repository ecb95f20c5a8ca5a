-- Lua values to JSON text, with sorted keys.

local empty_lists = require("empty_lists")
local unicode = require("unicode")

local byte, find, format, gsub = string.byte, string.find, string.format, string.gsub
local concat, sort = table.concat, table.sort
local rawget, next, type = rawget, next, type
local huge = math.huge

local MAX_DEPTH = 1000
local LARGEST_PLAIN = 1e21 -- whole numbers below it are written without an exponent, as JavaScript does
local SPARSE_FROM = 10 -- a list up to this length may have any holes

local ESCAPES = {
  ['"'] = '\\"',
  ["\\"] = "\\\\",
  ["\b"] = "\\b",
  ["\f"] = "\\f",
  ["\n"] = "\\n",
  ["\r"] = "\\r",
  ["\t"] = "\\t",
}

-- `special`: the characters to escape. `lenient`: what has no JSON becomes null. `exact`: bytes that are no UTF-8 have no JSON,
-- where others get U+FFFD for them.
local PROFILES = {
  result = { special = '[%z\1-\31"\\]', lenient = false },
  -- What others read later, and Lua may read again: nothing of it may be lost without a word.
  exact = { special = '[%z\1-\31"\\]', lenient = false, exact = true },
  -- As Go does it: safe within HTML.
  module = { special = '[%z\1-\31"\\<>&]', lenient = true },
}

-- One value is written at a time, and nothing of the user's runs meanwhile.
local pieces, count, profile, visiting

local function put(piece)
  count = count + 1
  pieces[count] = piece
end

local function escape(character)
  return ESCAPES[character] or format("\\u%04x", byte(character))
end

-- Returns what stands in the way, or nil.
local function put_string(text)
  if find(text, profile.special) then
    text = gsub(text, profile.special, escape)
  end
  local valid = unicode.valid(text)
  if profile.exact and valid ~= text then
    return "text that is not UTF-8"
  end
  put('"' .. valid .. '"')
end

-- The shortest text that is read back as the same number; nil for what JSON has no number for, and its name.
local function number_text(number)
  if number ~= number then
    return nil, "NaN"
  elseif number == huge or number == -huge then
    return nil, number > 0 and "+Inf" or "-Inf"
  elseif number == 0 then
    return "0" -- not "-0"
  elseif number % 1 == 0 and number < LARGEST_PLAIN and number > -LARGEST_PLAIN then
    return format("%.0f", number)
  end
  for digits = 14, 16 do
    local text = format("%." .. digits .. "g", number)
    if tonumber(text) == number then
      return text
    end
  end
  return format("%.17g", number)
end

-- How long `value` is as a list; nil when it is an object.
local function list_length(value)
  local keys, highest = 0, 0
  for key in next, value do
    if type(key) ~= "number" or key < 1 or key % 1 ~= 0 then
      return nil
    end
    keys = keys + 1
    highest = key > highest and key or highest
  end
  if keys == 0 then
    return empty_lists[value] and 0 or nil
  elseif highest > SPARSE_FROM and highest > 2 * keys then
    return nil -- `{[1e9] = 1}` must not become a billion nulls
  end
  return highest
end

-- The keys of an object as sorted texts, and for those that are no strings the way back. Or nil, nil and what is in the way.
local function sorted_names(object)
  local names, key_of = {}, nil
  for key in next, object do
    local name = key
    if type(key) == "number" then
      name = number_text(key)
      if name ~= nil and rawget(object, name) == nil then
        key_of = key_of or {}
        key_of[name] = key
        names[#names + 1] = name
      end
    elseif type(key) == "string" then
      names[#names + 1] = key
    else
      return nil, nil, "a " .. type(key) .. " as a key"
    end
  end
  sort(names)
  return names, key_of
end

local put_value

local function put_table(value, depth)
  if visiting[value] then
    return "a cycle"
  elseif depth == MAX_DEPTH then
    return "more than " .. MAX_DEPTH .. " tables within each other"
  end
  visiting[value] = true
  local length = list_length(value)
  if length ~= nil then
    put("[")
    for index = 1, length do
      if index > 1 then
        put(",")
      end
      local why = put_value(rawget(value, index), depth + 1)
      if why ~= nil then
        return why
      end
    end
    put("]")
  else
    local names, key_of, obstacle = sorted_names(value)
    if names == nil then
      return obstacle
    end
    put("{")
    for index = 1, #names do
      local name = names[index]
      if index > 1 then
        put(",")
      end
      local why = put_string(name)
      put(":")
      why = why or put_value(rawget(value, key_of and key_of[name] or name), depth + 1)
      if why ~= nil then
        return why
      end
    end
    put("}")
  end
  visiting[value] = nil
end

-- Returns what stands in the way, or nil.
put_value = function(value, depth)
  local kind = type(value)
  if kind == "string" then
    return put_string(value)
  elseif kind == "number" then
    local text, why = number_text(value)
    if text == nil then
      return why
    end
    put(text)
  elseif kind == "table" then
    return put_table(value, depth)
  elseif kind == "boolean" then
    put(value and "true" or "false")
  elseif kind == "nil" then
    put("null")
  elseif kind == "cdata" and find(tostring(value), "^-?%d+U?LL$") then
    put((gsub(tostring(value), "U?LL$", ""))) -- `123LL`, the integers of 64 bits that LuaJIT has
  elseif profile.lenient then
    put("null")
  else
    return "a " .. kind
  end
end

-- The text, or nil and what stands in the way. `profile_name`: `result`, `exact` or `module`.
return function(value, profile_name)
  pieces, count, visiting = {}, 0, {}
  profile = PROFILES[profile_name]
  local why = put_value(value, 0)
  local written = pieces
  pieces, visiting = nil, nil
  if why ~= nil then
    return nil, why
  end
  return concat(written)
end
