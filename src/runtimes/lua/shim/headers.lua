-- HTTP headers as Lua sees them: a table by canonical name (`Content-Type`), in which any spelling finds its value.

local char, byte, find = string.char, string.byte, string.find
local gsub, lower, upper = string.gsub, string.lower, string.upper
local rawget, setmetatable, type = rawget, setmetatable, type

local NAMES_KEPT_MAX = 256

-- Of spellings that came before; user code chooses them, so not of all.
local canonical_of, kept = {}, 0

local headers = {}

-- `content-type` becomes `Content-Type`.
function headers.canonical(name)
  local known = canonical_of[name]
  if known ~= nil then
    return known
  end
  local canonical = gsub(gsub(lower(name), "^%l", upper), "%-%l", upper)
  if kept < NAMES_KEPT_MAX then
    canonical_of[name], kept = canonical, kept + 1
  end
  return canonical
end

local function look_up(found, name)
  return type(name) == "string" and rawget(found, headers.canonical(name)) or nil
end

-- A table for names and values. Each has a metatable of its own: user code may change it.
function headers.new()
  return setmetatable({}, { __index = look_up })
end

-- Bytes travel as one character each, as HTTP has them.
function headers.bytes_of(text)
  if not find(text, "[\194\195]") or find(text, "[\196-\255]") then
    return text
  end
  return (gsub(text, "([\194\195])([\128-\191])", function(first, second)
    return char((byte(first) - 0xC0) * 64 + byte(second) - 0x80)
  end))
end

function headers.text_of(bytes)
  if not find(bytes, "[\128-\255]") then
    return bytes
  end
  return (gsub(bytes, "[\128-\255]", function(character)
    local value = byte(character)
    return char(value < 0xC0 and 0xC2 or 0xC3, 0x80 + value % 64)
  end))
end

-- The list that was read last, as Lua sees it.
local last_list, last_names, last_values

local function read(list)
  last_list, last_names, last_values = list, {}, {}
  -- From behind, so that the first value of a name is set last.
  for index = #list, 1, -1 do
    last_names[#last_names + 1] = headers.canonical(list[index][1])
    last_values[#last_values + 1] = headers.bytes_of(list[index][2])
  end
end

-- From pairs of name and value. Of a name that comes more than once the first value counts.
function headers.of_pairs(list)
  if list ~= last_list then
    read(list)
  end
  local found = headers.new()
  for index = 1, #last_names do
    found[last_names[index]] = last_values[index]
  end
  return found
end

return headers
