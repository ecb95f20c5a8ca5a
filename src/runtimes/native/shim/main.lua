-- The launcher: our code inside the box of compiled programs. Speaks docs/wire-protocol.md on fd 3, and starts the bound program
-- afresh for each run; one that speaks the protocol itself takes its place.
--
-- Its arguments are the folders that programs can write to; they are emptied after each run.

local folder = arg[0]:match("^(.*)/")
package.path = folder .. "/?.lua"

local PR_SET_DUMPABLE = 4
-- Programs run as the same user: without this they could open our memory and our descriptors in /proc.
require("system").C.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)

local channel = require("channel")
local executable = require("executable")
local failure = require("failure")
local inbox = require("inbox")
local leftovers = require("leftovers")
local run = require("run")
local system = require("system")

leftovers.start({ unpack(arg) })
-- What only the loading needed goes before the worker is counted as idle.
collectgarbage()
channel.send('{"t":"ready"' .. system.usage_text())

local bound

local function bind(header, body_bytes)
  bound = header
  executable.keep(arg[1], body_bytes)
  run.bind(header)
end

local function check(id)
  local problem = executable.problem or require("elf")()
  if problem ~= nil then
    return channel.send('{"t":"error","id":' .. id .. "}", failure.of("NotExecutable", "the program cannot run here: " .. problem))
  end
  channel.send('{"t":"result","id":' .. id .. "}", '{"style":"' .. bound.options.style .. '"}')
end

while true do
  if bound ~= nil and bound.options.style == "handler" then
    require("handler")(bound)
  end
  local header, body = inbox.next()
  local kind = header.t
  if kind == "run" or kind == "request" then
    header.may_be_cancelled = bound.concurrency > 1
    run.execute(header, body)
    body = nil
    local why = leftovers.clean()
    if why ~= nil then
      channel.send('{"t":"retire","why":"' .. why .. '"}')
      channel.wait_for_the_end()
    end
  elseif kind == "bind" then
    bind(header, body)
  elseif kind == "check" then
    check(header.id)
  elseif kind == "ping" then
    channel.send('{"t":"pong","id":' .. header.id .. "}")
  end -- others come late for a run that is over
end
