-- Checks of what user code passes to our functions. A wrong argument is an error in the line that made the call.

local format, tostring, type = string.format, tostring, type

-- The frames between `error` and the user's line: this file's function and the module's function that called it.
local CALLER = 3

local arguments = {}

local function refuse(position, name, expected, got)
  error(format("bad argument #%d to %s (%s expected, got %s)", position, name, expected, type(got)), CALLER + 1)
end

-- A string, or a number as its text.
function arguments.text(value, position, name)
  if type(value) == "string" then
    return value
  elseif type(value) == "number" then
    return tostring(value)
  end
  refuse(position, name, "string", value)
end

-- A whole number; others are cut towards zero.
function arguments.integer(value, position, name)
  if type(value) ~= "number" or value ~= value then
    refuse(position, name, "number", value)
  end
  return value < 0 and math.ceil(value) or math.floor(value)
end

function arguments.number(value, position, name)
  if type(value) ~= "number" then
    refuse(position, name, "number", value)
  end
  return value
end

-- What can be kept as JSON. What is in a table is looked at later.
function arguments.json(value, position, name)
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" and kind ~= "table" then
    refuse(position, name, "string, number, boolean or table", value)
  end
  return value
end

function arguments.table(value, position, name)
  if type(value) ~= "table" then
    refuse(position, name, "table", value)
  end
  return value
end

return arguments
