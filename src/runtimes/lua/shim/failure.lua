-- What the caller is told about an error: its name, its message, and as the stack the lines around the mistake, a tip and
-- the calls that led there.

local tips = require("lazy")("tips")

local find, format, gmatch, gsub = string.find, string.format, string.gmatch, string.gsub
local match, sub = string.match, string.sub
local traceback = debug.traceback

local MESSAGE_MAX_BYTES = 16384
local STACK_MAX_BYTES = 32768
local NAME_MAX_BYTES = 256
local LINES_AROUND = 1 -- three lines in all

local failure = {}

-- Keeps both ends: the message, and where the run began.
local function clip(text, max_bytes)
  if #text <= max_bytes then
    return text
  end
  local half = max_bytes / 2 - 8
  return sub(text, 1, half) .. "\n[...]\n" .. sub(text, -half)
end

-- What the interpreter says when compiled code overflows the stack; interpreted code adds its line.
local OVERFLOW_OF_COMPILED_CODE = "stack overflow"

-- To be given to `xpcall`, which calls it where the error is raised. That may be at the very end of the stack, so it does no
-- more than it must; and after an overflow of compiled code LuaJIT 2.1.0-beta3 crashes when it looks at the stack.
function failure.caught(value)
  return { value = value, traceback = value == OVERFLOW_OF_COMPILED_CODE and "" or traceback("", 2) }
end

-- The calls of user code in a traceback, without the frames of ours below and between them.
local function user_calls(text)
  local lines = {}
  for line in gmatch(text, "\n\t([^\n]+)") do
    if find(line, "^cloche/worker") then
      break
    elseif not find(line, "^cloche/") then
      lines[#lines + 1] = "    at " .. line
    end
  end
  -- The call that started the user's code, and the one that raised the error, are not the user's.
  if lines[#lines] == "    at [C]: in function 'xpcall'" then
    lines[#lines] = nil
  end
  if lines[1] == "    at [C]: in function 'error'" then
    table.remove(lines, 1)
  end
  return lines
end

local function text_of(value)
  local ok, text = pcall(tostring, value)
  if not ok or type(text) ~= "string" then
    return "an error of the type " .. type(value)
  end
  return (gsub(text, "^cloche/[%w_.]+:%d+: ", "")) -- raised within a function of ours, as when the stack overflows there
end

-- An error may be any value; by custom a table has `message`, and perhaps `name`.
local function name_and_message(value)
  if value == nil then
    return "LuaError", "error without a message"
  elseif type(value) ~= "table" then
    return "LuaError", text_of(value)
  end
  local name, message = rawget(value, "name"), rawget(value, "message")
  name = type(name) == "string" and name or "LuaError"
  if type(message) == "string" or type(message) == "number" then
    return name, tostring(message)
  end
  local metatable = debug.getmetatable(value)
  if metatable ~= nil and rawget(metatable, "__tostring") ~= nil then
    return name, text_of(value)
  end
  return name, require("json_encode")(value, "module") or text_of(value)
end

-- The lines around the mistake, the line itself marked.
local function code_frame(source, line)
  local shown, number = {}, 0
  for text in gmatch(source .. "\n", "([^\n]*)\n") do
    number = number + 1
    if number >= line - LINES_AROUND and number <= line + LINES_AROUND then
      shown[#shown + 1] = format("%s %3d | %s", number == line and ">" or " ", number, (gsub(text, "\r$", "")))
    end
  end
  return table.concat(shown, "\n")
end

-- The file of the program and the line that `text` begins with, or nil.
local function place_in(text, program)
  local file, line = match(text, "^([^\n]-):(%d+):")
  if file ~= nil and program.sources[file] ~= nil then
    return file, tonumber(line)
  end
end

-- The place that the message names, or else the last call.
local function place_of(message, calls, program)
  local file, line = place_in(message, program)
  for index = 1, #calls do
    if file ~= nil then
      break
    end
    file, line = place_in(gsub(calls[index], "^    at ", ""), program)
  end
  return file, line
end

-- `program`: `file` is the name of its main file, `sources` the texts of all by name. `file` and `line` may be left out.
local function describe(name, message, calls, program, file, line)
  if file == nil then
    file, line = place_of(message, calls, program)
  end
  local parts = { name .. ": " .. message }
  if line ~= nil then
    parts[#parts + 1] = code_frame(program.sources[file], line)
  end
  local tip = tips().find(message)
  if tip ~= nil then
    parts[#parts + 1] = "Tip: " .. tip
  end
  if #calls > 0 then
    parts[#parts + 1] = table.concat(calls, "\n")
  end
  return {
    name = clip(name, NAME_MAX_BYTES),
    message = clip(message, MESSAGE_MAX_BYTES),
    stack = clip(table.concat(parts, "\n\n"), STACK_MAX_BYTES),
    file = file ~= program.file and file or nil,
    line = line,
    tip = tip,
  }
end

-- Of what `caught` made. Where it had no stack left itself, there is a message of the interpreter instead.
function failure.of_run(caught, program)
  if type(caught) ~= "table" then
    caught = { value = OVERFLOW_OF_COMPILED_CODE, traceback = "" }
  end
  local name, message = name_and_message(caught.value)
  return describe(name, message, user_calls(caught.traceback), program)
end

-- Of a message of the compiler.
function failure.of_syntax(message, program)
  return describe("SyntaxError", message, {}, program)
end

-- Of a value or input that cannot be what it should be. `culprit`: what `debug.getinfo` says of the function that gave it, if
-- one did.
function failure.of_value(message, program, culprit)
  if culprit ~= nil and culprit.linedefined > 0 and program.sources[culprit.short_src] ~= nil then
    return describe("TypeError", message, {}, program, culprit.short_src, culprit.linedefined)
  end
  return describe("TypeError", message, {}, program)
end

return failure
