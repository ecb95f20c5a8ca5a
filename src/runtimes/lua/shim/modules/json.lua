-- The module `json`.

local arguments = require("arguments")
local decode = require("json_decode")
local encode = require("json_encode")

local json = {}

function json.encode(value)
  local text, obstacle = encode(value, "module")
  if text == nil then
    return nil, "json: unsupported value: " .. obstacle
  end
  return text
end

function json.decode(text)
  return decode(arguments.text(text, 1, "decode"))
end

return json
