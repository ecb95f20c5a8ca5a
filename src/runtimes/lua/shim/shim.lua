-- The worker's side of docs/wire-protocol.md for Lua: our code inside the box, started once per worker.
-- User code never sees the globals of this interpreter: each run gets its own (environment.lua).

local folder = arg[0]:match("^(.*)/")

-- The siblings have names of their own in traces, wherever this folder lies, so that failure.lua can leave them out.
table.insert(package.loaders, 2, function(name)
  local file = assert(io.open(folder .. "/" .. name:gsub("%.", "/") .. ".lua", "rb"))
  local source = file:read("*a")
  file:close()
  return assert(load(source, "=cloche/" .. name, "t"))
end)

local channel = require("channel")
local decode = require("json_decode")
local worker = require("worker")

-- What only the loading needed goes before the worker is counted as idle: many of them wait on one machine.
collectgarbage()
channel.send('{"t":"ready"}')

while true do
  local header_text, body = channel.receive()
  local header = decode(header_text)
  if header.t == "run" then
    local why = worker.run(header.id, body)
    if why ~= nil then
      channel.send('{"t":"retire","why":"' .. why .. '"}')
      channel.wait_for_the_end()
    end
  elseif header.t == "bind" then
    worker.bind(body, header.options.file)
  elseif header.t == "ping" then
    channel.send('{"t":"pong","id":' .. header.id .. "}")
  end
end
