-- Turns what a handler returned into an HTTP response.

local decode_base64 = require("modules.base64").decode
local encode = require("json_encode")
local headers = require("headers")

local find, format, lower, match = string.find, string.format, string.lower, string.match
local concat, sort = table.concat, table.sort
local next, rawget, tonumber, tostring, type = next, rawget, tonumber, tostring, type

local STATUS_MIN, STATUS_MAX = 200, 599
local HEADERS_MAX_BYTES = 60000 -- the header of a frame may have 65,536
local JSON_TYPE, BINARY_TYPE = "application/json", "application/octet-stream"

-- Ends in the middle with a message for the user.
local function refuse(...)
  error({ why = format(...) }, 0)
end

local function article(value)
  local kind = type(value)
  return kind == "nil" and "nil" or "a " .. kind
end

local function status_of(given)
  if given == nil then
    return STATUS_MIN
  end
  local number = type(given) == "string" and match(given, "^%d+$") and tonumber(given) or given
  if type(number) ~= "number" then
    refuse("statusCode must be a number, got %s", type(given) == "string" and format("%q", given) or article(given))
  elseif number % 1 ~= 0 or number < STATUS_MIN or number > STATUS_MAX then
    refuse("statusCode must be a whole number from %d to %d, got %s", STATUS_MIN, STATUS_MAX, tostring(given))
  end
  return number
end

local function value_text(name, value)
  if type(value) == "number" then
    value = tostring(value)
  elseif type(value) ~= "string" then
    refuse("the header %s must be a string, a number or a list of strings, got %s", name, article(value))
  end
  if find(value, "[%z\1-\8\10-\31\127]") then
    refuse("the header %s holds a line break or another character that is not allowed", name)
  end
  return headers.text_of(value)
end

-- Adds to `list` pairs of name and value.
local function add_header(list, name, value)
  if not find(name, "^[%w!#$%%&'*+.^_`|~-]+$") then
    refuse("%q cannot be the name of a header", name)
  end
  if type(value) ~= "table" then
    list[#list + 1] = { name, value_text(name, value) }
    return
  end
  for index = 1, #value do
    list[#list + 1] = { name, value_text(name, rawget(value, index)) }
  end
end

-- Pairs of name and value in the order of names, and whether one of them is Content-Type.
local function header_list(given)
  local names, list, has_type = {}, {}, false
  for name in next, given do
    if type(name) ~= "string" then
      refuse('headers must be a table by name, such as { ["Content-Type"] = "text/plain" }; it has %s as a key', article(name))
    end
    names[#names + 1] = name
  end
  sort(names)
  for index = 1, #names do
    local name = names[index]
    add_header(list, name, rawget(given, name))
    has_type = has_type or lower(name) == "content-type"
  end
  return list, has_type
end

-- The bytes, and their type where the handler does not tell it.
local function body_of(given, is_base64)
  local kind = type(given)
  if kind == "table" then
    local text, obstacle = encode(given, "result")
    if text == nil then
      refuse("the body holds %s, which cannot be JSON", obstacle)
    end
    return text, JSON_TYPE
  elseif kind == "nil" then
    return "", nil
  elseif kind ~= "string" and kind ~= "number" then
    refuse("body must be a string, a number or a table, got %s", article(given))
  end
  local body = tostring(given)
  if not is_base64 then
    return body, JSON_TYPE -- what functions of before rely on
  end
  local bytes, mistake = decode_base64(body)
  if bytes == nil then
    refuse("isBase64Encoded is set, but the body is not base64: %s", mistake)
  end
  return bytes, BINARY_TYPE
end

-- As JSON text, with a type for the body where they have none.
local function headers_text(given, body_type)
  if given == nil then
    return body_type == nil and "[]" or '[["Content-Type","' .. body_type .. '"]]'
  end
  local list, has_type = header_list(given)
  if body_type ~= nil and not has_type then
    list[#list + 1] = { "Content-Type", body_type }
  end
  local text = #list == 0 and "[]" or encode(list, "result")
  if #text > HEADERS_MAX_BYTES then
    refuse("the headers have %d bytes (max %d)", #text, HEADERS_MAX_BYTES)
  end
  return text
end

local function read(value)
  local given = rawget(value, "headers")
  if given ~= nil and type(given) ~= "table" then
    refuse("headers must be a table, got %s", article(given))
  end
  local body, body_type = body_of(rawget(value, "body"), rawget(value, "isBase64Encoded") == true)
  return { status = status_of(rawget(value, "statusCode")), headers = headers_text(given, body_type), body = body }
end

local response = {}

-- `value`: a table. Gives {status, headers as JSON text, body}; or nil and why it is no response.
function response.of(value)
  local ok, made = pcall(read, value)
  if ok then
    return made
  elseif type(made) == "table" then
    return nil, made.why
  end
  error(made, 0) -- no memory or stack left
end

-- Whether nothing in a table of user code says what to answer.
function response.says_nothing(value)
  return next(value) ~= nil
    and rawget(value, "statusCode") == nil
    and rawget(value, "headers") == nil
    and rawget(value, "body") == nil
end

return response
