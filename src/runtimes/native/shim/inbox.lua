-- Frames from the server, in their order. A run in progress keeps what is meant for later ones.

local channel = require("channel")
local decode = require("json_decode")

local match, remove, tonumber = string.match, table.remove, tonumber

local inbox = {}

local kept = {}

-- What most headers look like: no need to read them as JSON.
local RUN = '^{"t":"run","id":(%d+),"executionId":"([^"\\]*)"}$'

-- The next frame of all: its header as a table, and its body. The body of `bind` is left to be taken: its length comes instead.
local function receive()
  local text, body_bytes = channel.receive()
  local id, execution_id = match(text, RUN)
  if id ~= nil then
    return { t = "run", id = tonumber(id), executionId = execution_id }, channel.take(body_bytes)
  end
  local header = decode(text)
  if header.t == "bind" then
    header.json = text
    return header, body_bytes
  end
  return header, channel.take(body_bytes)
end

-- The next frame for which nobody has looked yet.
function inbox.next()
  if kept[1] ~= nil then
    local frame = remove(kept, 1)
    return frame.header, frame.body
  end
  return receive()
end

-- Reads one frame, which must be there. One about run `id` is returned; another is kept, and nil is returned.
function inbox.next_of(id)
  local header, body = receive()
  if header.id == id and header.t ~= "ping" then
    return header, body
  end
  for index = 1, header.t == "cancel" and #kept or 0 do
    if kept[index].header.id == header.id then
      kept[index].header.is_cancelled = true
      return nil
    end
  end
  kept[#kept + 1] = { header = header, body = body }
  return nil
end

return inbox
