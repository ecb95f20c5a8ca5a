-- The event of an HTTP request.

local decode_query = require("modules.url").decode
local headers = require("headers")

local char, find, gmatch, gsub = string.char, string.find, string.gmatch, string.gsub
local match, tonumber = string.match, tonumber

-- What is no escape stays as it is.
local function unescape(path)
  if not find(path, "%", 1, true) then
    return path
  end
  return (gsub(path, "%%(%x%x)", function(digits)
    return char(tonumber(digits, 16))
  end))
end

-- The first value of each name. What cannot be decoded is left out, as Go does it.
local function first_values(text)
  local query = {}
  if text == "" then
    return query
  end
  for pair in gmatch(text, "[^&]+") do
    local name, value = match(pair, "^([^=]*)=?(.*)$")
    name, value = decode_query(name), decode_query(value)
    if name ~= nil and value ~= nil and query[name] == nil and not find(pair, ";", 1, true) then
      query[name] = value
    end
  end
  return query
end

-- `header`: of the `request` frame. `body`: all of it.
return function(header, body)
  return {
    method = header.method,
    path = unescape(header.path),
    relativePath = header.relativePath,
    headers = headers.of_pairs(header.headers),
    query = first_values(header.query),
    body = body,
  }
end
