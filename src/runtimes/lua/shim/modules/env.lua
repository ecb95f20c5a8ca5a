-- The module `env`: the variables and secrets of the function. A failure gives nil and a message.

local arguments = require("arguments")
local call = require("calls")

local env = {}

-- nil where there is none.
function env.get(name)
  local answer, message = call("env.get", { name = arguments.text(name, 1, "get") })
  if answer == nil then
    return nil, message
  end
  return answer.value
end

function env.set(name, value)
  name, value = arguments.text(name, 1, "set"), arguments.text(value, 2, "set")
  local answer, message = call("env.set", { name = name, value = value })
  if answer == nil then
    return nil, message
  end
  return true
end

-- True also where there was none.
function env.delete(name)
  local answer, message = call("env.delete", { name = arguments.text(name, 1, "delete") })
  if answer == nil then
    return nil, message
  end
  return true
end

return env
