-- Library functions that call user code from C. Too many of those calls within each other would overflow the C stack and
-- kill the worker; here they stay in Lua, or are counted, so that a recursion without an end is an error of the run.

local arguments = require("arguments")

local byte, find, gsub, sub = string.byte, string.find, string.gsub, string.sub
local concat, select, type = table.concat, select, type
local create, resume = coroutine.create, coroutine.resume
local getmetatable = debug.getmetatable

local COROUTINES_MAX_DEPTH = 200 -- Lua's own limit, LUAI_MAXCCALLS; 8 MiB of stack hold some thousands

local callbacks = {}

local function checked(value, whole)
  if not value then
    return whole
  elseif type(value) ~= "string" and type(value) ~= "number" then
    error("invalid replacement value (a " .. type(value) .. ")", 4)
  end
  return value
end

-- Where the next match is, and what it becomes. Takes the results of `pcall(find, …)`.
local function next_match(text, with, ok, first, last, ...)
  if not ok then
    error(first, 3) -- a mistake in the pattern
  elseif first == nil then
    return nil
  end
  local whole = sub(text, first, last)
  local value
  if type(with) == "table" then
    value = with[(...) or whole]
  elseif select("#", ...) == 0 then
    value = with(whole)
  else
    value = with(...)
  end
  return first, last, checked(value, whole)
end

local function replace_by_calling(text, pattern, with, limit)
  local pieces, count, from = {}, 0, 1
  local is_anchored = byte(pattern) == 94
  while count < limit and from <= #text + 1 do
    local first, last, value = next_match(text, with, pcall(find, text, pattern, from))
    if first == nil then
      break
    end
    count = count + 1
    pieces[#pieces + 1] = sub(text, from, first - 1)
    pieces[#pieces + 1] = value
    from = last + 1
    if last < first then -- an empty match: the character behind it stays
      pieces[#pieces + 1] = sub(text, first, first)
      from = first + 1
    end
    if is_anchored then
      break
    end
  end
  pieces[#pieces + 1] = sub(text, from)
  return concat(pieces), count
end

function callbacks.gsub(text, pattern, with, limit)
  if type(with) == "function" or type(with) == "table" and getmetatable(with) ~= nil then
    text = arguments.text(text, 1, "gsub")
    pattern = arguments.text(pattern, 2, "gsub")
    limit = limit == nil and math.huge or arguments.integer(limit, 4, "gsub")
    return replace_by_calling(text, pattern, with, limit)
  end
  return gsub(text, pattern, with, limit)
end

-- How many coroutines are being resumed within each other.
local depth = 0

function callbacks.enter()
  depth = 0
end

local function left(...)
  depth = depth - 1
  return ...
end

function callbacks.resume(thread, ...)
  if type(thread) ~= "thread" then
    error("bad argument #1 to 'resume' (coroutine expected)", 2)
  elseif depth == COROUTINES_MAX_DEPTH then
    return false, "C stack overflow"
  end
  depth = depth + 1
  return left(resume(thread, ...))
end

local function results_or_error(ok, ...)
  depth = depth - 1
  if not ok then
    error((...), 0)
  end
  return ...
end

function callbacks.wrap(body)
  if type(body) ~= "function" then
    error("bad argument #1 to 'wrap' (function expected)", 2)
  end
  local thread = create(body)
  return function(...)
    if depth == COROUTINES_MAX_DEPTH then
      error("C stack overflow", 2)
    end
    depth = depth + 1
    return results_or_error(resume(thread, ...))
  end
end

return callbacks
