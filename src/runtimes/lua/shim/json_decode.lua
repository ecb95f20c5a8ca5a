-- JSON text to Lua values. `null` becomes nil, so its key vanishes; every number becomes a double.
-- The messages are those of Go's encoding/json, which the Lua functions of before were written for.

local empty_lists = require("empty_lists")
local unicode = require("unicode")

local byte, find, format, gsub, sub = string.byte, string.find, string.format, string.gsub, string.sub
local concat = table.concat

local MAX_DEPTH = 1000
-- How a message shows a character that would not look like itself.
local SHOWN = { ["'"] = "\\'", ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
local ESCAPES = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

-- One text is read at a time, and nothing of the user's runs meanwhile.
local text, at

-- Ends the reading; an error of ours is a table, so that it cannot be mixed up with the interpreter's.
local function refuse(where)
  if at > #text then
    error({ why = "unexpected end of JSON input" }, 0)
  end
  local character = sub(text, at, at + (unicode.length_at(text, at) or 1) - 1)
  local shown = SHOWN[character] or gsub(character, "%c", function(control)
    return format("\\x%02x", byte(control))
  end)
  error({ why = format("invalid character '%s' %s", shown, where) }, 0)
end

-- The next byte that is no space, without taking it; nil at the end.
local function peek()
  local next_byte = byte(text, at)
  while next_byte == 32 or next_byte == 10 or next_byte == 13 or next_byte == 9 do
    at = at + 1
    next_byte = byte(text, at)
  end
  return next_byte
end

local function hex4()
  local _, stop = find(text, "^%x%x%x%x", at)
  if stop == nil then
    at = find(text, "%X", at) or #text + 1
    refuse("in \\u hexadecimal character escape")
  end
  local code = tonumber(sub(text, at, stop), 16)
  at = stop + 1
  return code
end

-- Behind the backslash.
local function read_escape()
  local letter = sub(text, at, at)
  local plain = ESCAPES[letter]
  if plain ~= nil then
    at = at + 1
    return plain
  elseif letter ~= "u" then
    refuse("in string escape code")
  end
  at = at + 1
  local code = hex4()
  if code >= 0xD800 and code <= 0xDBFF and find(text, "^\\u[dD][c-fC-F]%x%x", at) then
    at = at + 2
    code = 0x10000 + (code - 0xD800) * 1024 + hex4() - 0xDC00
  end
  return unicode.encode(code)
end

-- Behind the opening quote.
local function read_string()
  local pieces
  while true do
    local stop = find(text, '[%z\1-\31"\\]', at)
    local found = stop and byte(text, stop)
    local piece = sub(text, at, (stop or 0) - 1)
    at = (stop or #text) + 1
    if found == 34 then
      return pieces == nil and piece or concat(pieces) .. piece
    elseif found ~= 92 then
      at = stop or at
      refuse("in string literal")
    end
    pieces = pieces or {}
    pieces[#pieces + 1] = piece
    pieces[#pieces + 1] = read_escape()
  end
end

local function read_number()
  local start = at
  local _, stop = find(text, "^-?[1-9]%d*", at)
  if stop == nil then
    _, stop = find(text, "^-?0", at)
  end
  if stop == nil then
    at = at + 1
    refuse("in numeric literal")
  end
  at = stop + 1
  if byte(text, at) == 46 then
    _, stop = find(text, "^%d+", at + 1)
    at = (stop or at) + 1
    if stop == nil then
      refuse("after decimal point in numeric literal")
    end
  end
  if find(text, "^[eE]", at) then
    _, stop = find(text, "^[eE][+-]?%d+", at)
    if stop == nil then
      _, stop = find(text, "^[eE][+-]?", at)
      at = stop + 1
      refuse("in exponent of numeric literal")
    end
    at = stop + 1
  end
  local digits = sub(text, start, at - 1)
  local number = tonumber(digits)
  if number == math.huge or number == -math.huge then
    error({ why = "number " .. digits .. " is too large" }, 0)
  end
  return number
end

local function read_word(word, value)
  for index = 1, #word do
    if byte(text, at) ~= byte(word, index) then
      refuse(format("in literal %s (expecting '%s')", word, sub(word, index, index)))
    end
    at = at + 1
  end
  return value
end

local read_value

local function read_list(depth)
  local list, count = {}, 0
  if peek() == 93 then
    at = at + 1
    empty_lists[list] = true
    return list
  end
  while true do
    count = count + 1
    list[count] = read_value(depth)
    local next_byte = peek()
    if next_byte == 93 then
      break
    elseif next_byte ~= 44 then
      refuse("after array element")
    end
    at = at + 1
  end
  at = at + 1
  if next(list) == nil then
    empty_lists[list] = true
  end
  return list
end

local function read_object(depth)
  local object = {}
  local next_byte = peek()
  if next_byte == 125 then
    at = at + 1
    return object
  end
  while true do
    if next_byte ~= 34 then
      refuse("looking for beginning of object key string")
    end
    at = at + 1
    local key = read_string()
    if peek() ~= 58 then
      refuse("after object key")
    end
    at = at + 1
    object[key] = read_value(depth)
    next_byte = peek()
    if next_byte == 125 then
      at = at + 1
      return object
    elseif next_byte ~= 44 then
      refuse("after object key:value pair")
    end
    at = at + 1
    next_byte = peek()
  end
end

read_value = function(depth)
  local first = peek()
  if first == 34 then
    at = at + 1
    return read_string()
  elseif first == 123 or first == 91 then
    if depth == MAX_DEPTH then
      error({ why = "exceeded max depth" }, 0)
    end
    at = at + 1
    if first == 123 then
      return read_object(depth + 1)
    end
    return read_list(depth + 1)
  elseif first == 45 or first ~= nil and first >= 48 and first <= 57 then
    return read_number()
  elseif first == 116 then
    return read_word("true", true)
  elseif first == 102 then
    return read_word("false", false)
  elseif first == 110 then
    return read_word("null", nil)
  end
  refuse("looking for beginning of value")
end

local function read_all()
  local value = read_value(0)
  if peek() ~= nil then
    refuse("after top-level value")
  end
  return value
end

-- The value, or nil and why there is none.
return function(source)
  text, at = source, 1
  local ok, value = pcall(read_all)
  text = nil
  if ok then
    return value
  elseif type(value) == "table" then
    return nil, value.why
  end
  error(value, 0) -- no memory or stack left
end
