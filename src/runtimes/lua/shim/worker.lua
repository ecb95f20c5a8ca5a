-- Runs the bound program once per `run` or `request`, each time with fresh globals, and reports how it ended.

local bodies = require("bodies")
local channel = require("channel")
local context = require("context")
local decode = require("json_decode")
local encode = require("json_encode")
local encode_base64 = require("modules.base64").encode
local environment = require("environment")
local event_of = require("request")
local failure = require("failure")
local inbox = require("inbox")
local program = require("program")
local quiet = require("quiet")
local response = require("response")
local output = require("output")
local unicode = require("unicode")
local usage_text = require("system").usage_text

local getinfo = debug.getinfo
local next, rawget, select, setfenv, type, xpcall = next, rawget, select, setfenv, type, xpcall

local HINTS = {
  ["a function"] = "; return what it returns instead",
  ["a cycle"] = "; a table in it contains itself",
}
local BYTES_HEADERS = '[["Content-Type","application/octet-stream"]]'

local worker = {}

-- `header`: of the `bind` frame.
function worker.bind(header, source)
  context.owner = header["function"]
  program.bind(source, header.options)
  quiet.start()
end

local function succeed(id, text)
  channel.send('{"t":"result","id":' .. id .. usage_text(), text)
end

local function fail(id, failed)
  channel.send('{"t":"error","id":' .. id .. usage_text(), (encode(failed, "result")))
end

-- The first argument of handlers.
local function context_of(header)
  local owner = context.owner
  local ctx = { executionId = header.executionId, requestId = header.requestId, startedAt = os.time() }
  if owner ~= nil then
    ctx.functionId, ctx.functionName = owner.id, owner.name
    ctx.version, ctx.baseUrl = owner.version, owner.baseUrl
  end
  return ctx
end

-- Whether it ended well, how many values it returned, and the first one (or what `failure.caught` made of the error).
local function summary(ok, ...)
  return ok, select("#", ...), (...)
end

-- Returns the values of `summary`, and the handler when there is one.
local function run_code(header, event)
  local globals = environment.enter(program.main, event)
  local ok, count, value = summary(xpcall(setfenv(program.main, globals), failure.caught))
  local handler = rawget(globals, "handler")
  if ok and type(handler) == "function" then
    ok, count, value = summary(xpcall(handler, failure.caught, context_of(header), event))
  else
    handler = nil
  end
  return ok, count, value, handler, globals
end

-- What counts when nothing was returned. Returns like `summary` without its first value.
local function or_result(count, value, globals)
  if count == 0 then
    value = rawget(globals, "result")
    count = value == nil and 0 or 1
  end
  return count, value
end

-- Reports the end of a run with `value`; nothing when `count` is 0.
local function give_value(id, count, value)
  if count == 0 then
    return succeed(id, "")
  end
  local text, obstacle = encode(value, "result")
  if text ~= nil then
    return succeed(id, text)
  end
  local verb = obstacle == "a " .. type(value) and "returned " or "the returned value holds "
  local message = verb .. obstacle .. ", which cannot be JSON" .. (HINTS[obstacle] or "")
  fail(id, failure.of_value(message, program))
end

-- A `run`: a value in, a value out.
function worker.run(header, body)
  local id = header.id
  context.enter(id)
  if program.problem ~= nil then
    return fail(id, program.problem)
  end
  local event, mistake = decode(body)
  if mistake ~= nil then
    return fail(id, failure.of_value("the input cannot be read: " .. mistake, program))
  end
  local ok, count, value, _, globals = run_code(header, event)
  if not ok then
    return fail(id, failure.of_run(value, program))
  end
  give_value(id, or_result(count, value, globals))
end

local function is_text(value)
  return type(value) ~= "string" or unicode.valid(value) == value
end

-- JSON has no bytes: a response of a script with a body of bytes gets them as base64.
local function with_base64_body(value)
  local copy = {}
  for key, member in next, value do
    copy[key] = member
  end
  copy.body, copy.isBase64Encoded = encode_base64(rawget(value, "body")), true
  return copy
end

-- A script without a handler answers a request with its value; the server makes a response of it.
local function answer_with_value(id, count, value)
  if count == 0 and not program.has_value and not context.has_acted then
    -- It cannot be meant like this: a handler that is local, or has another name.
    local message = "no handler: the code sets no global function `handler`, and returns no value either"
    return fail(id, failure.of_value(message, program))
  elseif not is_text(value) then
    return bodies.respond(id, 200, BYTES_HEADERS, value)
  elseif type(value) == "table" and rawget(value, "statusCode") ~= nil and not is_text(rawget(value, "body")) then
    value = with_base64_body(value)
  end
  give_value(id, count, value)
end

local function describe_return(count, value)
  if count == 0 then
    return "it returned nothing"
  elseif count > 1 then
    return "it returned " .. count .. " values, the first of them a " .. type(value)
  end
  return "it returned " .. (value == nil and "nil" or "a " .. type(value))
end

local function answer_with_table(id, count, value, handler)
  if type(value) == "table" then
    if response.says_nothing(value) then
      output.log.warn("the handler's table has no statusCode, headers or body, so the response is empty")
    end
    local made, why = response.of(value)
    if made ~= nil then
      return bodies.respond(id, made.status, made.headers, made.body)
    end
    return fail(id, failure.of_value("the handler's response: " .. why, program, getinfo(handler, "S")))
  end
  local message = 'handler must return a table such as { statusCode = 200, body = "hello" }, but '
    .. describe_return(count, value)
  fail(id, failure.of_value(message, program, getinfo(handler, "S")))
end

-- A `request`: an HTTP request in, a response out.
function worker.request(header, body)
  local id = header.id
  context.enter(id)
  if program.problem ~= nil then
    return fail(id, program.problem)
  end
  if not header["end"] then
    body = bodies.read(id, body)
    if body == nil then
      return fail(id, failure.of_value("the request was cancelled", program))
    end
  end
  local ok, count, value, handler, globals = run_code(header, event_of(header, body))
  if not ok then
    fail(id, failure.of_run(value, program))
  elseif handler ~= nil then
    answer_with_table(id, count, value, handler)
  else
    answer_with_value(id, or_result(count, value, globals))
  end
end

-- Says what the program is, without running it.
function worker.check(header)
  local style, failed = program.check()
  if style == nil then
    return fail(header.id, failed)
  end
  succeed(header.id, '{"style":"' .. style .. '"}')
end

-- Why the worker must retire after a run, or nil.
function worker.why_not_quiet()
  return quiet.why_not(inbox.kept_bytes())
end

return worker
