-- `load`, `require`, `getfenv` and `setfenv` for user code: all of them see the globals of the run, and nothing beyond.

local program = require("program")

local getfenv, setfenv, load = getfenv, setfenv, load
local concat, format, getinfo, type = table.concat, string.format, debug.getinfo, type

-- The environment of the shim and of every built-in function. User code must never hold it: `ffi` and `io` are in it.
local OURS = getfenv(0)

-- The globals of the run that is in progress, by name those of them that `require` gives, and by path what the files that the
-- run has required gave it.
local current, modules, loaded

-- Stands in `loaded` for a file that is running.
local LOADING = {}

local chunks = {}

function chunks.enter(globals, libraries)
  current, modules, loaded = globals, libraries, {}
end

function chunks.leave()
  current, loaded = nil, nil
end

-- The text of a chunk whose pieces a function returns, one after the other.
local function gather(reader)
  local pieces = {}
  while true do
    local piece = reader()
    if piece == nil or piece == "" then
      return concat(pieces)
    elseif type(piece) ~= "string" then
      error("reader function must return a string", 3)
    end
    pieces[#pieces + 1] = piece
  end
end

-- Source text only, whatever mode is asked for: the interpreter trusts bytecode, so a forged one could do anything.
function chunks.load(chunk, name, _, environment)
  if type(chunk) == "function" then
    chunk, name = gather(chunk), name or "=(load)"
  elseif type(chunk) ~= "string" then
    error(format("bad argument #1 to 'load' (string or function expected, got %s)", type(chunk)), 2)
  end
  if type(name) ~= "string" then
    name = chunk
  end
  return load(chunk, name, "t", type(environment) == "table" and environment or current)
end

-- A file of the program runs once per run. The built-in modules are there as globals; scripts written for elsewhere ask for
-- them all the same.
function chunks.require(name)
  local path = type(name) == "string" and program.find(name)
  if path then
    local value = loaded[path]
    if value == LOADING then
      error(format("module '%s' requires itself, or has failed before", name), 2)
    elseif value == nil then
      local chunk, message = program.chunk(path)
      if chunk == nil then
        error(message, 0)
      end
      loaded[path] = LOADING
      value = setfenv(chunk, current)(name, path)
      value = value == nil and true or value
      loaded[path] = value
    end
    return value
  elseif name ~= nil and modules[name] ~= nil then
    return current[name]
  end
  error(format("module '%s' not found", tostring(name)), 2)
end

-- The function that `target` means to the caller of the function that calls this; nil for level 0, the thread.
local function function_at(target, name)
  if type(target) == "function" then
    return target
  end
  local level = tonumber(target)
  if level == nil or level < 0 then
    error(format("bad argument #1 to '%s' (level or function expected)", name), 3)
  elseif level < 1 then
    return nil
  end
  local info = getinfo(level + 2, "f")
  if info == nil then
    error(format("bad argument #1 to '%s' (invalid level)", name), 3)
  end
  return info.func
end

function chunks.getfenv(target)
  local found = function_at(target == nil and 1 or target, "getfenv")
  local environment = found and getfenv(found) or OURS
  return environment == OURS and current or environment
end

function chunks.setfenv(target, environment)
  if type(environment) ~= "table" then
    error(format("bad argument #2 to 'setfenv' (table expected, got %s)", type(environment)), 2)
  end
  local found = function_at(target, "setfenv")
  if found == nil or getfenv(found) == OURS then
    error("'setfenv' cannot change environment of given object", 2)
  end
  return setfenv(found, environment)
end

return chunks
