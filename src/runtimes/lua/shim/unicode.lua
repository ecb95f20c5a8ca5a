-- UTF-8 in Lua's strings of bytes.

local byte, char, find, sub = string.byte, string.char, string.find, string.sub
local floor = math.floor

local REPLACEMENT = "\239\191\189" -- U+FFFD

local unicode = {}

local function is_tail(value)
  return value ~= nil and value >= 0x80 and value <= 0xBF
end

-- How many bytes the character at `at` has; nil where no valid one starts.
local function length_at(text, at)
  local a, b, c, d = byte(text, at, at + 3)
  if a < 0x80 then
    return 1
  elseif a < 0xC2 or a > 0xF4 or not is_tail(b) then
    return nil
  elseif a < 0xE0 then
    return 2
  elseif a < 0xF0 then
    local is_short_or_half = a == 0xE0 and b < 0xA0 or a == 0xED and b > 0x9F
    return not is_short_or_half and is_tail(c) and 3 or nil
  end
  local is_short_or_too_high = a == 0xF0 and b < 0x90 or a == 0xF4 and b > 0x8F
  return not is_short_or_too_high and is_tail(c) and is_tail(d) and 4 or nil
end
unicode.length_at = length_at

-- `text` with U+FFFD for each byte that is not part of a character.
function unicode.valid(text)
  local at = find(text, "[\128-\255]")
  if at == nil then
    return text
  end
  local pieces, start = {}, 1
  while at <= #text do
    local length = length_at(text, at)
    if length == nil then
      pieces[#pieces + 1] = sub(text, start, at - 1) .. REPLACEMENT
      start = at + 1
    end
    at = at + (length or 1)
  end
  return start == 1 and text or table.concat(pieces) .. sub(text, start)
end

-- The UTF-8 of a code point; half a surrogate pair has none.
function unicode.encode(code)
  if code < 0x80 then
    return char(code)
  elseif code < 0x800 then
    return char(0xC0 + floor(code / 64), 0x80 + code % 64)
  elseif code >= 0xD800 and code <= 0xDFFF then
    return REPLACEMENT
  elseif code < 0x10000 then
    return char(0xE0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
  end
  return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64, 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

-- The code point of a valid character.
function unicode.decode(character)
  local a, b, c, d = byte(character, 1, 4)
  if b == nil then
    return a
  elseif c == nil then
    return (a - 0xC0) * 64 + b - 0x80
  elseif d == nil then
    return ((a - 0xE0) * 64 + b - 0x80) * 64 + c - 0x80
  end
  return (((a - 0xF0) * 64 + b - 0x80) * 64 + c - 0x80) * 64 + d - 0x80
end

return unicode
