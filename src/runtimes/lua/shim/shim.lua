-- The worker's side of docs/wire-protocol.md for Lua: our code inside the box, started once per worker.
-- User code never sees the globals of this interpreter: each run gets its own (environment.lua).

local folder = arg[0]:match("^(.*)/")

-- The siblings have names of their own in traces, wherever this folder lies, so that failure.lua can leave them out. Where a box is made they
-- are compiled, and bring these names along; read as they are loaded, they leave nothing to collect.
table.insert(package.loaders, 2, function(name)
  local path = folder .. "/" .. string.gsub(name, "%.", "/") .. ".lua"
  local file = assert(io.open(path, "rb"))
  local start = file:read(1)
  local rest = start ~= "\27" and file:read("*a")
  file:close()
  if rest then
    return assert(load(start .. rest, "=cloche/" .. name, "t"))
  end
  return assert(loadfile(path))
end)

local channel = require("channel")
local inbox = require("inbox")
local system = require("system")
local worker = require("worker")

-- What only the loading needed goes before the worker is counted as idle: many of them wait on one machine.
collectgarbage()
channel.send('{"t":"ready"' .. system.usage_text())

while true do
  local header, body = inbox.next()
  local kind = header.t
  if kind == "run" or kind == "request" then
    worker[kind](header, body)
    body = nil -- else it would look like something that the run has left
    local why = worker.why_not_quiet()
    if why ~= nil then
      channel.send('{"t":"retire","why":"' .. why .. '"}')
      channel.wait_for_the_end()
    end
  elseif kind == "bind" then
    worker.bind(header, body)
  elseif kind == "check" then
    worker.check(header)
  elseif kind == "ping" then
    channel.send('{"t":"pong","id":' .. header.id .. "}")
  end -- others come late for a run that is over: more of a body that it did not want, or credit
end
