-- A program that speaks the wire protocol itself: it takes the launcher's place with its first run, and stays.

local channel = require("channel")
local executable = require("executable")
local process = require("process")

-- Tells the program that it is a worker, and what it is bound to. The server finds programs of this kind by the name.
local BIND_VARIABLE = "CLOCHE_HANDLER_BIND_1"

-- Only what is never run may be left to us: a check, and the question whether we live.
local OURS = { check = true, ping = true }

-- Returns when the next frame is for the launcher, or where the program cannot be started; then each run says why.
return function(header)
  if executable.problem ~= nil or OURS[channel.peek_type()] then
    return
  end
  local environment = { BIND_VARIABLE .. "=" .. header.json }
  for name, value in pairs(header.env or {}) do
    environment[#environment + 1] = name .. "=" .. value
  end
  process.become({ "program" }, environment, channel.fd)
end
