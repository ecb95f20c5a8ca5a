-- The module `base64`: the standard alphabet with padding, and the error texts of Go's encoding/base64.

local arguments = require("arguments")
local ffi = require("ffi")

local byte = string.byte
local band, bor, lshift, rshift = bit.band, bit.bor, bit.lshift, bit.rshift

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local PADDING = 61
local LINE_FEED, CARRIAGE_RETURN = 10, 13

local letter_of, value_of = {}, {}
for value = 0, 63 do
  local letter = byte(ALPHABET, value + 1)
  letter_of[value], value_of[letter] = letter, value
end

local base64 = {}

function base64.encode(data)
  data = arguments.text(data, 1, "encode")
  local size = math.ceil(#data / 3) * 4
  local out, at = ffi.new("uint8_t[?]", size), 0
  for index = 1, #data, 3 do
    local a, b, c = byte(data, index, index + 2)
    local group = bor(lshift(a, 16), lshift(b or 0, 8), c or 0)
    out[at] = letter_of[rshift(group, 18)]
    out[at + 1] = letter_of[band(rshift(group, 12), 63)]
    out[at + 2] = b and letter_of[band(rshift(group, 6), 63)] or PADDING
    out[at + 3] = c and letter_of[band(group, 63)] or PADDING
    at = at + 4
  end
  return ffi.string(out, size)
end

local function illegal(position)
  return nil, "illegal base64 data at input byte " .. position - 1
end

local function skip_line_ends(text, at)
  local found = byte(text, at)
  while found == LINE_FEED or found == CARRIAGE_RETURN do
    at = at + 1
    found = byte(text, at)
  end
  return at, found
end

-- Behind the first `=` of a group that has `have` letters. Returns where the text is wrong, or nil.
local function mistake_in_padding(text, at, have)
  local found
  if have < 2 then
    return at - 1
  elseif have == 2 then
    at, found = skip_line_ends(text, at)
    if found ~= PADDING then
      return found == nil and at or at - 1
    end
    at = at + 1
  end
  at, found = skip_line_ends(text, at)
  return found ~= nil and at or nil
end

function base64.decode(text)
  text = arguments.text(text, 1, "decode")
  local out, size = ffi.new("uint8_t[?]", #text * 3 / 4 + 3), 0
  local group, have, at = 0, 0, 1
  while at <= #text do
    local letter = byte(text, at)
    local value = value_of[letter]
    at = at + 1
    if value ~= nil then
      group, have = bor(lshift(group, 6), value), have + 1
      if have == 4 then
        out[size], out[size + 1], out[size + 2] = rshift(group, 16), band(rshift(group, 8), 255), band(group, 255)
        size, group, have = size + 3, 0, 0
      end
    elseif letter == PADDING then
      local wrong = mistake_in_padding(text, at, have)
      if wrong ~= nil then
        return illegal(wrong)
      end
      group = lshift(group, (4 - have) * 6)
      out[size], out[size + 1] = rshift(group, 16), band(rshift(group, 8), 255)
      return ffi.string(out, size + have - 1)
    elseif letter ~= LINE_FEED and letter ~= CARRIAGE_RETURN then
      return illegal(at - 1)
    end
  end
  if have > 0 then
    return illegal(#text + 1 - have)
  end
  return ffi.string(out, size)
end

return base64
