-- The module `email`. The server sends and keeps the record; here only what is plainly missing is found.

local arguments = require("arguments")
local call = require("calls")

local next, rawget, type = next, rawget, type

local YEAR_10000 = 253402300800 -- in seconds since 1970; RFC 3339 has four digits for a year

local function is_missing(value)
  return type(value) ~= "string" or value == ""
end

-- The addresses as a list; or nil and the mistake.
local function address_list(value, name)
  if type(value) == "string" then
    value = value ~= "" and { value } or {}
  elseif type(value) ~= "table" then
    return nil, name .. " must be a string or table of strings"
  end
  local list = {}
  for index = 1, #value do
    local address = rawget(value, index)
    if type(address) ~= "string" then
      return nil, name .. " must be a string or table of strings"
    elseif address ~= "" then
      list[#list + 1] = address
    end
  end
  if #list == 0 then
    return nil, name .. " cannot be empty"
  end
  return list
end

-- Replaces the addresses in `message` by lists. Returns the mistake, or nil.
local function normalize_addresses(message)
  local mistake
  if message.to == nil then
    return "to is required"
  end
  message.to, mistake = address_list(message.to, "to")
  for _, name in ipairs({ "cc", "bcc" }) do
    if mistake == nil and message[name] ~= nil then
      message[name], mistake = address_list(message[name], name)
    end
  end
  return mistake
end

local email = {}

-- Gives {id}, or nil and a message.
function email.send(options)
  options = arguments.table(options, 1, "send")
  local message = {}
  for name, value in next, options do
    message[name] = value
  end
  local mistake = normalize_addresses(message)
  if mistake ~= nil then
    return nil, mistake
  elseif is_missing(message.from) then
    return nil, "from is required"
  elseif is_missing(message.subject) then
    return nil, "subject is required"
  elseif is_missing(message.text) and is_missing(message.html) then
    return nil, "either text or html content is required"
  end
  if type(message.scheduled_at) == "number" then
    if not (message.scheduled_at >= 0 and message.scheduled_at < YEAR_10000) then
      return nil, "scheduled_at must be a time in seconds since 1970, or a text"
    end
    message.scheduled_at = os.date("!%Y-%m-%dT%H:%M:%SZ", message.scheduled_at)
  end
  local answer, why = call("email.send", message)
  return answer, why
end

return email
