-- The module `strings`: what Go's package of this name does. Texts are UTF-8.

local arguments = require("arguments")
local case = require("lazy")("modules.case")
local unicode = require("unicode")

local concat, find, sub = table.concat, string.find, string.sub
local text_argument = arguments.text

local ASCII_SPACE, ASCII_OTHER = "^[ \t\r\n]", "[^ \t\r\n]"
local REPEAT_MAX_BYTES = 2 ^ 30

-- The spaces that are no ASCII.
local WIDE_SPACES = {}
for _, code in ipairs({ 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000 }) do
  WIDE_SPACES[unicode.encode(code)] = true
end
for code = 0x2000, 0x200A do
  WIDE_SPACES[unicode.encode(code)] = true
end

local strings = {}

function strings.trim(text)
  text = text_argument(text, 1, "trim")
  local first, last = 1, #text
  while first <= last do
    local _, stop = find(text, "^%s+", first)
    if stop == nil then
      stop = first + (unicode.length_at(text, first) or 1) - 1
      if not WIDE_SPACES[sub(text, first, stop)] then
        break
      end
    end
    first = stop + 1
  end
  while last >= first do
    local start = last
    while start > first and find(text, "^[\128-\191]", start) do
      start = start - 1
    end
    local character = sub(text, start, last)
    if not WIDE_SPACES[character] and not find(character, "^%s$") then
      break
    end
    last = start - 1
  end
  return sub(text, first, last)
end

function strings.trimLeft(text)
  text = text_argument(text, 1, "trimLeft")
  return sub(text, find(text, ASCII_OTHER) or #text + 1)
end

function strings.trimRight(text)
  text = text_argument(text, 1, "trimRight")
  local last = #text
  while last > 0 and find(text, ASCII_SPACE, last) do
    last = last - 1
  end
  return sub(text, 1, last)
end

-- The characters of `text`; a byte that belongs to none counts as one.
local function characters_of(text)
  local characters, at = {}, 1
  while at <= #text do
    local stop = at + (unicode.length_at(text, at) or 1)
    characters[#characters + 1] = sub(text, at, stop - 1)
    at = stop
  end
  return characters
end

function strings.split(text, separator)
  text, separator = text_argument(text, 1, "split"), text_argument(separator, 2, "split")
  if separator == "" then
    return characters_of(text)
  end
  local parts, from = {}, 1
  while true do
    local first, last = find(text, separator, from, true)
    parts[#parts + 1] = sub(text, from, (first or 0) - 1)
    if first == nil then
      return parts
    end
    from = last + 1
  end
end

function strings.join(list, separator)
  list, separator = arguments.table(list, 1, "join"), text_argument(separator, 2, "join")
  local texts = {}
  for index = 1, table.maxn(list) do
    local item = list[index]
    if type(item) == "string" or type(item) == "number" then
      texts[#texts + 1] = item
    elseif item ~= nil then
      texts[#texts + 1] = "" -- what is no text counts as an empty one
    end
  end
  return concat(texts, separator)
end

function strings.hasPrefix(text, prefix)
  text, prefix = text_argument(text, 1, "hasPrefix"), text_argument(prefix, 2, "hasPrefix")
  return sub(text, 1, #prefix) == prefix
end

function strings.hasSuffix(text, suffix)
  text, suffix = text_argument(text, 1, "hasSuffix"), text_argument(suffix, 2, "hasSuffix")
  return #suffix <= #text and sub(text, #text - #suffix + 1) == suffix
end

function strings.contains(text, part)
  text, part = text_argument(text, 1, "contains"), text_argument(part, 2, "contains")
  return find(text, part, 1, true) ~= nil
end

-- Puts `new` before each character and at the end, at most `limit` times.
local function insert_between(text, new, limit)
  local pieces, count = {}, 0
  for _, character in ipairs(characters_of(text)) do
    if count < limit then
      pieces[#pieces + 1], count = new, count + 1
    end
    pieces[#pieces + 1] = character
  end
  if count < limit then
    pieces[#pieces + 1] = new
  end
  return concat(pieces)
end

-- `limit`: at most so many; all when it is left out or negative.
function strings.replace(text, old, new, limit)
  text, old, new = text_argument(text, 1, "replace"), text_argument(old, 2, "replace"), text_argument(new, 3, "replace")
  limit = limit == nil and -1 or arguments.integer(limit, 4, "replace")
  limit = limit < 0 and math.huge or limit
  if old == "" then
    return insert_between(text, new, limit)
  end
  local pieces, from, count = {}, 1, 0
  while count < limit do
    local first, last = find(text, old, from, true)
    if first == nil then
      break
    end
    pieces[#pieces + 1], pieces[#pieces + 2] = sub(text, from, first - 1), new
    from, count = last + 1, count + 1
  end
  pieces[#pieces + 1] = sub(text, from)
  return concat(pieces)
end

function strings.toLower(text)
  return case().lower(text_argument(text, 1, "toLower"))
end

function strings.toUpper(text)
  return case().upper(text_argument(text, 1, "toUpper"))
end

local function repeated(text, count)
  text, count = text_argument(text, 1, "repeat"), arguments.integer(count, 2, "repeat")
  if count < 0 then
    error("bad argument #2 to repeat (count must not be negative)", 2)
  elseif #text * count > REPEAT_MAX_BYTES then
    error("bad argument #2 to repeat (the result would be longer than 1 GiB)", 2)
  end
  return text == "" and "" or string.rep(text, count)
end

strings["repeat"] = repeated
strings.rep = repeated -- `repeat` is a word of the language, so strings.repeat(…) cannot be written

return strings
