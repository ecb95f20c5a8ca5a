-- One run: a fresh process of the bound program, from its start until nothing of it is left.

local ffi = require("ffi")
local channel = require("channel")
local decode = require("json_decode")
local executable = require("executable")
local failure = require("failure")
local inbox = require("inbox")
local input = require("input")
local output = require("output")
local process = require("process")
local response = require("response")
local system = require("system")

local C, usage_text = system.C, system.usage_text
local POLLIN, POLLOUT = 1, 4
local SIGKILL = 9
local KILLED_CODE = 137 -- 128 + SIGKILL, as a shell tells it

local run = {}

-- The variables of the function, as texts `name=value`; and by name.
local variables, names = {}, {}
local argument = "program"

function run.bind(header)
  for name, value in pairs(header.env or {}) do
    variables[#variables + 1] = name .. "=" .. value
    names[name] = true
  end
  argument = header["function"] and header["function"].name or argument
end

-- The variables of the function, and those that describe a request; a request cannot say anything about the former.
local function environment_of(header)
  local list = { unpack(variables) }
  for name, value in pairs(header.cgi or {}) do
    if not names[name] then
      list[#list + 1] = name .. "=" .. value
    end
  end
  return list
end

-- Text is given as it is, any other value as JSON.
local function stdin_of(json)
  local value = json:byte(1) == 34 and decode(json)
  return type(value) == "string" and value or json
end

local descriptors = ffi.new("pollfd[5]")

-- Waits until something can be done. `watched`: {fd, events, …}; what became of each is in `descriptors`, in their order.
local function wait(watched, timeout_ms)
  local count = #watched / 2
  for index = 0, count - 1 do
    local entry = descriptors[index]
    entry.fd, entry.events, entry.revents = watched[index * 2 + 1], watched[index * 2 + 2], 0
  end
  C.poll(descriptors, count, timeout_ms or -1)
end

-- What the server says while the run is on. Returns true when nobody waits for its end any more.
local function hear(id, stdin, stdout)
  local header, body = inbox.next_of(id)
  if header == nil then
    return false
  elseif header.t == "body" then
    input.push(stdin, body, header["end"])
  elseif header.t == "credit" and stdout.window ~= nil then
    stdout.window = stdout.window + header.bytes
  end
  return header.t == "cancel"
end

-- Carries bytes to and fro until the program has ended. Returns its status, and whether it was cancelled.
local function attend(header, started, stdin, stdout, stderr)
  local is_request = header.t == "request"
  local pump, status, is_cancelled = is_request and response.pump or output.pump, nil, false
  while status == nil do
    input.pump(stdin)
    -- A run without a stream needs no word from the server; what it sent ahead can wait there.
    local reads_out = stdout.fd and (not is_request or response.may_read(stdout))
    wait({
      process.signal_fd, POLLIN,
      (is_request or header.may_be_cancelled) and channel.fd or -1, POLLIN,
      reads_out and stdout.fd or -1, POLLIN,
      stderr.fd or -1, POLLIN,
      input.has_more(stdin) and stdin.fd or -1, POLLOUT,
    }, is_request and response.wait_ms(stdout) or nil)
    if descriptors[3].revents ~= 0 and output.pump(stderr) == 0 then
      stderr.fd = nil
    end
    if descriptors[2].revents ~= 0 and pump(stdout) == 0 then
      stdout.fd = nil
    end
    if is_request then
      response.send_due(stdout)
    end
    if descriptors[1].revents ~= 0 and hear(header.id, stdin, stdout) then
      is_cancelled = true
      C.kill(started.pid, SIGKILL)
    end
    if descriptors[0].revents ~= 0 then
      status = process.reap(started.pid)
    end
  end
  return status, is_cancelled
end

local function fail(id, body)
  channel.send('{"t":"error","id":' .. id .. usage_text(), body)
end

-- Tells how it ended. The response is whole only if the program says that all went well.
local function tell_end(header, status, is_cancelled, stdout)
  local id, code, signal = header.id, process.ending(status)
  if is_cancelled then
    fail(id, failure.of("Cancelled", "the run was cancelled"))
  elseif signal == SIGKILL then
    -- Nobody in a box but the kernel does that, for memory: it knows, and tells whoever looks at the box.
    C._exit(KILLED_CODE)
  elseif signal ~= nil then
    fail(id, failure.of_signal(signal))
  elseif code ~= 0 then
    channel.send('{"t":"exit","id":' .. id .. ',"code":' .. code .. ',"stays":true' .. usage_text())
  elseif header.t == "request" then
    response.finish(stdout)
  else
    channel.send('{"t":"result","id":' .. id .. usage_text())
  end
end

-- `header` and `body` of a `run` or a `request`.
function run.execute(header, body)
  local id, is_request = header.id, header.t == "request"
  if header.is_cancelled then
    return fail(id, failure.of("Cancelled", "the run was cancelled"))
  elseif executable.problem ~= nil then
    return fail(id, failure.of("NotExecutable", executable.problem))
  end
  executable.restore()
  local started, problem = process.spawn(executable.path, { argument }, environment_of(header))
  if started == nil then
    return fail(id, failure.of_start(problem))
  end
  local stdin = input.open(id, started.stdin, is_request and body or stdin_of(body), not is_request or header["end"])
  local stdout = is_request and response.open(id, started.stdout) or output.open("stdout", started.stdout)
  local stderr = output.open("stderr", started.stderr)
  local status, is_cancelled = attend(header, started, stdin, stdout, stderr)
  process.end_others(started.pid)
  process.reap(0)
  input.close(stdin)
  stdout.fd, stderr.fd = started.stdout, started.stderr
  output.finish(stderr)
  if not is_request then
    output.finish(stdout)
  end
  tell_end(header, status, is_cancelled, stdout)
  C.close(started.stdout)
  C.close(started.stderr)
end

return run
