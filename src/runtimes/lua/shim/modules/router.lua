-- The module `router`: paths like `/users/:id` and `/files/*`.

local arguments = require("arguments")
local context = require("context")

local gmatch, gsub, match = string.gmatch, string.gsub, string.match

-- The segments of a path; empty ones, and with them a slash at the end, do not count.
local function segments_of(path)
  local segments = {}
  for segment in gmatch(path, "[^/]+") do
    segments[#segments + 1] = segment
  end
  return segments
end

-- The parameters when `path` fits `pattern`, or nil. A `*` at the end takes one segment or more.
local function params_of(path, pattern)
  local have, wanted = segments_of(path), segments_of(pattern)
  local takes_rest = wanted[#wanted] == "*"
  if #have ~= #wanted and not (takes_rest and #have > #wanted) then
    return nil
  end
  local params = {}
  for index, segment in ipairs(wanted) do
    local name = match(segment, "^:(.+)")
    if name ~= nil then
      params[name] = have[index]
    elseif segment ~= have[index] and not (takes_rest and index == #wanted) then
      return nil
    end
  end
  return params
end

local router = {}

function router.match(path, pattern)
  return params_of(arguments.text(path, 1, "match"), arguments.text(pattern, 2, "match")) ~= nil
end

function router.params(path, pattern)
  return params_of(arguments.text(path, 1, "params"), arguments.text(pattern, 2, "params")) or {}
end

-- `pattern` with its parameters filled in; those that are not given stay.
local function fill(pattern, params)
  local filled = gsub(pattern, "/:([^/]+)", function(name)
    local value = rawget(params, name)
    return value ~= nil and "/" .. tostring(value) or nil
  end)
  return (gsub(filled, "^/?", "/"))
end

-- Under which path of the server it is called from outside; of code that is no function, the path alone.
local function path_of(pattern, params)
  local prefix = context.owner and "/fn/" .. context.owner.name or ""
  return prefix .. fill(pattern, params)
end

function router.path(pattern, params)
  pattern = arguments.text(pattern, 1, "path")
  params = params == nil and {} or arguments.table(params, 2, "path")
  return path_of(pattern, params)
end

-- The whole address; or nil and a message where this code has none.
function router.url(pattern, params)
  pattern = arguments.text(pattern, 1, "url")
  params = params == nil and {} or arguments.table(params, 2, "url")
  local base = context.owner and context.owner.baseUrl
  if base == nil then
    return nil, "only functions have an address: this code was run without being deployed"
  end
  return (gsub(base, "/+$", "")) .. path_of(pattern, params)
end

return router
