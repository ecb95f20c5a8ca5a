-- The code that the worker is bound to: its main chunk, and its further files, each compiled once.

local bytecode = require("bytecode")
local failure = require("failure")

local gsub, match = string.gsub, string.match
local load, type = load, type

local FILE_NAME_MAX_BYTES = 59 -- what LuaJIT keeps of a chunk's name (LUA_IDSIZE)

local program = {}

-- By the names that messages show.
local function shown(file)
  return string.sub(file, 1, FILE_NAME_MAX_BYTES)
end

-- `options`: of the `bind` frame. The compiled chunk is `main`; without it `problem` says why there is none.
function program.bind(source, options)
  local file = options.file
  program.file, program.files = shown(file), type(options.files) == "table" and options.files or {}
  program.folder = match(file, "^(.*/)[^/]*$") or ""
  program.sources = { [program.file] = source }
  program.chunks = {}
  local message
  program.main, message = load(source, "=" .. file, "t")
  if program.main == nil then
    program.problem = failure.of_syntax(message, program)
    return
  end
  local sets, returns = bytecode.summary(program.main)
  program.style = sets.handler and "handler" or "script"
  program.has_value = returns or sets.result or false
end

-- The path of the module `name` among the files, or nil.
function program.find(name)
  local path = gsub(name, "%.", "/")
  for _, folder in ipairs({ "", program.folder }) do
    for _, ending in ipairs({ ".lua", "/init.lua" }) do
      local candidate = folder .. path .. ending
      if type(program.files[candidate]) == "string" then
        return candidate
      end
    end
  end
  return nil
end

-- The compiled file at `path`; or nil and the compiler's message.
function program.chunk(path)
  local chunk = program.chunks[path]
  if chunk ~= nil then
    return chunk
  end
  local source, message = program.files[path], nil
  program.sources[shown(path)] = source
  chunk, message = load(source, "=" .. path, "t")
  program.chunks[path] = chunk
  return chunk, message
end

-- A function keeps the globals that it last ran with.
function program.leave()
  local nothing = {}
  if program.main ~= nil then
    setfenv(program.main, nothing)
  end
  for _, chunk in pairs(program.chunks) do
    setfenv(chunk, nothing)
  end
end

-- The first mistake in the files that `compiled` seems to require, or nil. A name in a text that is not required does no harm.
local function mistake_in_modules(compiled, seen)
  local texts, paths = {}, {}
  bytecode.texts(compiled, texts)
  for text in pairs(texts) do
    local path = program.find(text)
    if path ~= nil and not seen[path] then
      seen[path] = true
      paths[#paths + 1] = path
    end
  end
  table.sort(paths)
  for _, path in ipairs(paths) do
    local chunk, message = program.chunk(path)
    message = chunk == nil and message or mistake_in_modules(chunk, seen)
    if message then
      return message
    end
  end
  return nil
end

-- Whether it and what it requires can be compiled: its style, or nil and the failure.
function program.check()
  if program.problem ~= nil then
    return nil, program.problem
  end
  local message = mistake_in_modules(program.main, {})
  if message ~= nil then
    return nil, failure.of_syntax(message, program)
  end
  return program.style
end

return program
