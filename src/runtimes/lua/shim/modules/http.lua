-- The module `http`: requests to the outside. Any status is a success; a failure gives nil and a message.

local arguments = require("arguments")
local base64 = require("modules.base64")
local call = require("calls")
local encode = require("json_encode")
local headers = require("headers")

local format, lower = string.format, string.lower
local next, rawget, tostring, type = next, rawget, tostring, type

-- Raised in the line of the call: this function and the two that lead to it are not the user's.
local function bad_option(name, ...)
  error(format("bad argument #2 to %s (%s)", name, format(...)), 4)
end

-- The table `options[member]` as texts by name, or nil.
local function texts_of(options, member, name)
  local given = rawget(options, member)
  if given == nil then
    return nil
  elseif type(given) ~= "table" then
    bad_option(name, "%s: table expected, got %s", member, type(given))
  end
  local texts = {}
  for key, value in next, given do
    if type(key) ~= "string" then
      bad_option(name, "%s: names must be strings, one is a %s", member, type(key))
    elseif type(value) ~= "string" and type(value) ~= "number" and type(value) ~= "boolean" then
      bad_option(name, "%s: %s must be a string or a number, got %s", member, key, type(value))
    end
    texts[key] = tostring(value)
  end
  return texts
end

-- Adds `body` and, for a table, its type to `request`. Returns what stands in the way, or nil.
local function add_body(request, options, name)
  local body = rawget(options, "body")
  if body == nil then
    return nil
  elseif type(body) == "table" then
    local text, obstacle = encode(body, "exact")
    if text == nil then
      return "the body holds " .. obstacle .. ", which cannot be JSON"
    end
    request.headers = request.headers or {}
    local has_type = false
    for header in next, request.headers do
      has_type = has_type or lower(header) == "content-type"
    end
    if not has_type then
      request.headers["Content-Type"] = "application/json"
    end
    body = text
  elseif type(body) ~= "string" and type(body) ~= "number" then
    bad_option(name, "body: string or table expected, got %s", type(body))
  end
  request.body = base64.encode(body)
end

local function timeout_ms(options, name)
  local seconds = rawget(options, "timeout")
  if seconds == nil then
    return nil
  elseif type(seconds) ~= "number" or not (seconds > 0 and seconds < math.huge) then
    bad_option(name, "timeout must be a number of seconds above 0")
  end
  return math.ceil(seconds * 1000)
end

local function response_of(answer)
  local found = headers.new()
  for name, value in next, answer.headers or {} do
    name = headers.canonical(name)
    if type(value) == "table" then
      value = value[1]
    end
    found[name] = type(value) == "string" and headers.bytes_of(value) or value
  end
  local body, mistake = base64.decode(answer.body or "")
  if body == nil then
    return nil, "the response cannot be read: " .. mistake
  end
  return { statusCode = answer.statusCode, headers = found, body = body }
end

-- The function for one method. `has_body`: whether requests with it have one.
local function sender(name, method, has_body)
  return function(url, options)
    url = arguments.text(url, 1, name)
    options = options == nil and {} or arguments.table(options, 2, name)
    local request = {
      method = method,
      url = url,
      headers = texts_of(options, "headers", name),
      query = texts_of(options, "query", name),
      timeoutMs = timeout_ms(options, name),
    }
    local obstacle = has_body and add_body(request, options, name)
    if obstacle then
      return nil, obstacle
    end
    local answer, message = call("http.request", request)
    if answer == nil then
      return nil, message
    end
    local response, mistake = response_of(answer)
    return response, mistake
  end
end

return {
  get = sender("get", "GET", false),
  post = sender("post", "POST", true),
  put = sender("put", "PUT", true),
  patch = sender("patch", "PATCH", true),
  delete = sender("delete", "DELETE", true),
  head = sender("head", "HEAD", false),
}
