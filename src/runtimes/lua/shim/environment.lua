-- The globals that a run finds. Each run gets tables of its own, so that whatever it does to them ends with it; the
-- functions in them are shared, and have nothing that user code could change.

local bytecode = require("bytecode")
local callbacks = require("callbacks")
local chunks = require("chunks")
local output = require("output")
local program = require("program")

-- What a script does to `string` is seen by every `text:method()` of the worker, so the shim calls string.method(text) instead
-- wherever it may run while user code does.
local STRING_METATABLE = debug.getmetatable("")

local function without(library, ...)
  local rest = {}
  for name, value in pairs(library) do
    rest[name] = value
  end
  for _, name in ipairs({ ... }) do
    rest[name] = nil
  end
  return rest
end

-- `collectgarbage("stop")` and its like would outlive the run.
local function collectgarbage_of_user(option)
  if option == "count" then
    return collectgarbage("count")
  elseif option == nil or option == "collect" then
    return collectgarbage("collect")
  end
  error("bad argument #1 to 'collectgarbage' (only 'collect' and 'count' are there)", 2)
end

local environment = {
  -- Set when a run has chosen the numbers that `math.random` gives; quiet.lua undoes it.
  is_random_seeded = false,
}

local function randomseed_of_user(seed)
  environment.is_random_seeded = true
  math.randomseed(tonumber(seed) or 0)
end

local string_library = without(string, "dump") -- bytecode tells addresses, and is refused by `load`
string_library.gsub = callbacks.gsub
string_library.gfind = string.gmatch -- its name in Lua 5.0

local math_library = without(math)
math_library.randomseed = randomseed_of_user
math_library.mod = math.fmod -- its name in Lua 5.0

local coroutine_library = without(coroutine)
coroutine_library.resume = callbacks.resume
coroutine_library.wrap = callbacks.wrap

local LIBRARIES = {
  ai = require("modules.ai"),
  base64 = require("modules.base64"),
  bit = without(bit),
  coroutine = coroutine_library,
  crypto = require("modules.crypto"),
  email = require("modules.email"),
  env = require("modules.env"),
  http = require("modules.http"),
  json = require("modules.json"),
  kv = require("modules.kv"),
  log = output.log,
  math = math_library,
  os = { time = os.time, date = os.date, clock = os.clock, difftime = os.difftime },
  random = require("modules.random"),
  router = require("modules.router"),
  string = string_library,
  strings = require("modules.strings"),
  table = without(table),
  time = require("modules.time"),
  url = require("modules.url"),
}

-- Not here: io, debug, package, ffi, jit, dofile, loadfile, module, newproxy, gcinfo.
local FUNCTIONS = {
  _VERSION = _VERSION,
  assert = assert,
  collectgarbage = collectgarbage_of_user,
  error = error,
  getfenv = chunks.getfenv,
  getmetatable = getmetatable,
  ipairs = ipairs,
  load = chunks.load,
  loadstring = chunks.load,
  next = next,
  pairs = pairs,
  pcall = pcall,
  print = output.print,
  rawequal = rawequal,
  rawget = rawget,
  rawset = rawset,
  require = chunks.require,
  select = select,
  setfenv = chunks.setfenv,
  setmetatable = setmetatable,
  tonumber = tonumber,
  tostring = tostring,
  type = type,
  unpack = unpack,
  xpcall = xpcall,
}

-- A function that copies those of all this that `wants` says yes to, written as one constructor: it makes each table at its final size,
-- which takes a tenth of the time that filling empty ones would.
local function compile_copier(wants)
  local lines = { "local functions, libraries = ...", "return function()", "return {" }
  for name in pairs(FUNCTIONS) do
    if wants(name) then
      lines[#lines + 1] = ("%s = functions.%s,"):format(name, name)
    end
  end
  -- To be set for each run; named here, so that the table has room for them.
  lines[#lines + 1] = "_G = false, event = false, input = false,"
  for library_name, library in pairs(LIBRARIES) do
    if wants(library_name) then
      lines[#lines + 1] = library_name .. " = {"
      for name in pairs(library) do
        lines[#lines + 1] = ("[%q] = libraries.%s[%q],"):format(name, library_name, name)
      end
      lines[#lines + 1] = "},"
    end
  end
  lines[#lines + 1] = "} end"
  return assert(load(table.concat(lines, "\n"), "=cloche/globals", "t"))(FUNCTIONS, LIBRARIES)
end

local copy = compile_copier(function()
  return true
end)

-- With one of these, code reaches globals that it does not name.
local WAYS_TO_OTHERS = { "_G", "getfenv", "getmetatable", "load", "loadstring", "require", "setfenv" }

-- Copies the globals that a compiled chunk can reach; nil where that may be all.
local function copier_for(compiled)
  local texts = {} -- the names of the globals that it reads are among them
  bytecode.texts(compiled, texts)
  for _, name in ipairs(WAYS_TO_OTHERS) do
    if texts[name] then
      return nil
    end
  end
  return compile_copier(function(name)
    return texts[name] ~= nil
  end)
end

-- What `getmetatable("")` gives. The metatable itself is one for all runs, so user code must not hold it; a userdata
-- can be neither written to nor emptied.
local string_metatable_of_user = newproxy(true)
local guard = getmetatable(string_metatable_of_user)
guard.__index = function(_, key)
  return key == "__index" and STRING_METATABLE.__index or nil
end
guard.__newindex = function()
  error("the metatable of strings cannot be changed", 2)
end
guard.__metatable = false
STRING_METATABLE.__metatable = string_metatable_of_user

local runs = 0

-- Makes the globals of a new run of `main`, which are in force for the built-in functions from now on.
function environment.enter(main, event)
  runs = runs + 1
  if runs == 2 then -- most ad-hoc code is run once, and need not be looked through
    copy = copier_for(main) or copy
  end
  local globals = copy()
  globals._G, globals.event, globals.input = globals, event, event
  STRING_METATABLE.__index = globals.string or string_library
  chunks.enter(globals, LIBRARIES)
  callbacks.enter()
  return globals
end

-- Lets go of the globals of the last run, and with them of all that it made.
function environment.leave()
  STRING_METATABLE.__index = string_library
  chunks.leave()
  program.leave()
end

return environment
