-- The module `url`: what Go's net/url makes of addresses, with its error texts.

local arguments = require("arguments")

local byte, char, find, format = string.byte, string.char, string.find, string.format
local gmatch, gsub, lower, match, sub = string.gmatch, string.gsub, string.lower, string.match, string.sub

-- Decodes `%41`, and with `plus_is_space` the `+` of queries, too. Returns nil and the mistake for a `%` without two digits.
local function unescape(text, plus_is_space)
  local at = find(text, "%", 1, true)
  while at ~= nil do
    if not find(text, "^%x%x", at + 1) then
      return nil, format('invalid URL escape "%s"', sub(text, at, at + 2))
    end
    at = find(text, "%", at + 3, true)
  end
  if plus_is_space then
    text = gsub(text, "+", " ")
  end
  return (gsub(text, "%%(%x%x)", function(digits)
    return char(tonumber(digits, 16))
  end))
end

-- At the first of `separator`: what is before it, what is behind it, and whether it is there.
local function cut(text, separator)
  local at = find(text, separator, 1, true)
  if at == nil then
    return text, "", false
  end
  return sub(text, 1, at - 1), sub(text, at + #separator), true
end

-- The scheme, and what is behind it; or nil and the mistake.
local function split_scheme(text)
  if sub(text, 1, 1) == ":" then
    return nil, "missing protocol scheme"
  end
  local scheme, rest = match(text, "^(%a[%w+.-]*):(.*)$")
  if scheme == nil then
    return "", text
  end
  return lower(scheme), rest
end

local HOST_FORBIDDEN = "[^%w!$&'()*+,;=:%[%]<>\"._~\128-\255-]"

-- A host may encode only what is beyond ASCII, and a zone only what a host may not hold as it is.
local function mistake_in_escapes(text, is_zone)
  local plain = gsub(text, "%%%x%x", "")
  local wrong = find(plain, HOST_FORBIDDEN)
  if wrong ~= nil then
    if sub(plain, wrong, wrong) == "%" then
      return format('invalid URL escape "%s"', sub(plain, wrong, wrong + 2))
    end
    return format('invalid character "%s" in host name', sub(plain, wrong, wrong))
  end
  for escape, digits in gmatch(text, "(%%(%x%x))") do
    local value = tonumber(digits, 16)
    local is_needless = is_zone and value ~= 32 and find(char(value), HOST_FORBIDDEN) and value < 128
    if escape ~= "%25" and (is_needless or not is_zone and value < 128) then
      return format('invalid URL escape "%s"', escape)
    end
  end
end

local function unescape_host(text, is_zone)
  local mistake = mistake_in_escapes(text, is_zone)
  if mistake ~= nil then
    return nil, mistake
  end
  return unescape(text)
end

-- Returns the host with its port, or nil and the mistake.
local function parse_host(text)
  local port, close
  if sub(text, 1, 1) == "[" then
    close = find(text, "%][^%]]*$")
    if close == nil then
      return nil, "missing ']' in host"
    end
    port = sub(text, close + 1)
  else
    port = match(text, ":[^:]*$") or ""
  end
  if port ~= "" and not find(port, "^:%d*$") then
    return nil, format('invalid port "%s" after host', port)
  end
  local zone = close and find(sub(text, 1, close - 1), "%25", 1, true)
  if zone == nil then
    return unescape_host(text, false)
  end
  local parts = {}
  for index, part in ipairs({ sub(text, 1, zone - 1), sub(text, zone, close - 1), sub(text, close) }) do
    local plain, mistake = unescape_host(part, index == 2)
    if plain == nil then
      return nil, mistake
    end
    parts[index] = plain
  end
  return table.concat(parts)
end

-- Sets `host`, and where there are any `username` and `password`. Returns the mistake, or nil.
local function parse_authority(text, parts)
  local user, host = match(text, "^(.*)@([^@]*)$")
  local mistake
  parts.host, mistake = parse_host(host or text)
  if mistake ~= nil or user == nil then
    return mistake
  elseif find(user, "[^%w._:~!$&'()*+,;=%%@-]") then
    return "net/url: invalid userinfo"
  end
  local name, password, has_password = cut(user, ":")
  parts.username, mistake = unescape(name)
  if mistake == nil and has_password then
    parts.password, mistake = unescape(password)
  end
  return mistake
end

-- Leaves out what it cannot read. A name that comes again makes a list.
local function parse_query(text)
  local query = {}
  for pair in gmatch(text, "[^&]+") do
    local name, value = cut(pair, "=")
    name, value = unescape(name, true), unescape(value, true)
    if name ~= nil and value ~= nil and not find(pair, ";", 1, true) then
      local before = query[name]
      if before == nil then
        query[name] = value
      elseif type(before) == "table" then
        before[#before + 1] = value
      else
        query[name] = { before, value }
      end
    end
  end
  return query
end

-- Fills `parts`. Returns the mistake, or nil.
local function parse(text, parts)
  local rest, fragment = cut(text, "#")
  local mistake
  parts.fragment, mistake = unescape(fragment)
  if mistake ~= nil then
    return mistake
  elseif find(rest, "[%z\1-\31\127]") then
    return "net/url: invalid control character in URL"
  elseif rest == "*" then
    parts.path = "*"
    return nil
  end
  local scheme, behind = split_scheme(rest)
  if scheme == nil then
    return behind
  end
  parts.scheme = scheme
  local query
  rest, query = cut(behind, "?")
  parts.query = parse_query(query)
  if sub(rest, 1, 1) ~= "/" then
    if scheme ~= "" then
      return nil -- `mailto:a@b`: nothing in it is a path
    elseif find(rest, "^[^/]*:") then
      return "first path segment in URL cannot contain colon"
    end
  elseif sub(rest, 1, 2) == "//" and (scheme ~= "" or sub(rest, 1, 3) ~= "///") then
    local authority, path = match(rest, "^//([^/]*)(.*)$")
    mistake = parse_authority(authority, parts)
    if mistake ~= nil then
      return mistake
    end
    rest = path
  end
  parts.path, mistake = unescape(rest)
  return mistake
end

local url = {}

function url.parse(text)
  text = arguments.text(text, 1, "parse")
  local parts = { scheme = "", host = "", path = "", fragment = "", query = {} }
  local mistake = parse(text, parts)
  if mistake ~= nil then
    return nil, format('parse "%s": %s', text, mistake)
  end
  return parts
end

-- As part of a query: a space becomes `+`.
function url.encode(text)
  text = arguments.text(text, 1, "encode")
  local escaped = gsub(text, "[^%w _.~-]", function(character)
    return format("%%%02X", byte(character))
  end)
  return (gsub(escaped, " ", "+"))
end

function url.decode(text)
  return unescape(arguments.text(text, 1, "decode"), true)
end

return url
