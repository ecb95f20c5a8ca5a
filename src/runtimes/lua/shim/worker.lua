-- Runs the bound program once per `run` frame, each time with fresh globals, and reports how it ended.

local channel = require("channel")
local decode = require("json_decode")
local encode = require("json_encode")
local environment = require("environment")
local failure = require("failure")
local quiet = require("quiet")

local setfenv, select, xpcall = setfenv, select, xpcall

local HINTS = {
  ["a function"] = "; return what it returns instead",
  ["a cycle"] = "; a table in it contains itself",
}

local worker = {}

-- `main` is the compiled chunk; without it `problem` says why there is none.
local program

function worker.bind(source, file)
  local main, message = load(source, "=" .. file, "t")
  program = { file = file, source = source, main = main }
  if main == nil then
    program.problem = failure.of_syntax(message, program)
  end
  quiet.start()
end

-- Whether it ended well, how many values it returned, and the first one (or what `failure.caught` made of the error).
local function summary(ok, ...)
  return ok, select("#", ...), (...)
end

-- Returns the values of `summary`.
local function run_code(globals, event)
  local ok, count, value = summary(xpcall(setfenv(program.main, globals), failure.caught))
  local handler = rawget(globals, "handler")
  if ok and type(handler) == "function" then
    ok, count, value = summary(xpcall(handler, failure.caught, {}, event))
  end
  if ok and count == 0 then
    value = rawget(globals, "result")
    count = value == nil and 0 or 1
  end
  return ok, count, value
end

-- The body of the result frame; or nil and the failure.
local function outcome(body)
  if program.problem ~= nil then
    return nil, program.problem
  end
  local event, mistake = decode(body)
  if mistake ~= nil then
    return nil, failure.of_value("the input cannot be read: " .. mistake, program)
  end
  local ok, count, value = run_code(environment.enter(event), event)
  if not ok then
    return nil, failure.of_run(value, program)
  elseif count == 0 then
    return ""
  end
  local text, obstacle = encode(value, "result")
  if text ~= nil then
    return text
  end
  local verb = obstacle == "a " .. type(value) and "returned " or "the returned value holds "
  return nil, failure.of_value(verb .. obstacle .. ", which cannot be JSON" .. (HINTS[obstacle] or ""), program)
end

-- Runs once and reports the end. Returns why the worker must retire, or nil.
function worker.run(id, body)
  local text, failed = outcome(body)
  if text ~= nil then
    channel.send('{"t":"result","id":' .. id .. "}", text)
  else
    channel.send('{"t":"error","id":' .. id .. "}", (encode(failed, "result")))
  end
  return quiet.why_not()
end

return worker
