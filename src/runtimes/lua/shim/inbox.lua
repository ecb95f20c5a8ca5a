-- Frames from the server, in their order. A run that waits for an answer keeps what is meant for later runs.

local channel = require("channel")
local decode = require("json_decode")

local match, remove, tonumber = string.match, table.remove, tonumber

local inbox = {}

local kept, kept_bytes = {}, 0

-- What most headers look like. Reading these at once saves a tenth of a small run's time.
local RUN = '^{"t":"run","id":(%d+),"executionId":"([^"\\\128-\255]*)"}$'

local function receive()
  local header_text, body = channel.receive()
  local id, execution_id = match(header_text, RUN)
  if id ~= nil then
    return { t = "run", id = tonumber(id), executionId = execution_id }, body
  end
  return decode(header_text), body
end

local function take(index)
  local frame = remove(kept, index)
  kept_bytes = kept_bytes - #frame.body
  return frame.header, frame.body
end

-- The next frame: its header as a table, and its body.
function inbox.next()
  if kept[1] ~= nil then
    return take(1)
  end
  return receive()
end

-- The next frame for which `wants(header, id)` is true.
function inbox.await(wants, id)
  for index = 1, #kept do
    if wants(kept[index].header, id) then
      return take(index)
    end
  end
  while true do
    local header, body = receive()
    if wants(header, id) then
      return header, body
    end
    kept[#kept + 1] = { header = header, body = body }
    kept_bytes = kept_bytes + #body
  end
end

-- Bytes of bodies that wait for later runs.
function inbox.kept_bytes()
  return kept_bytes
end

return inbox
