-- Frames from the server, in their order. A run that waits for an answer keeps what is meant for later runs.

local channel = require("channel")
local decode = require("json_decode")

local find, gmatch, match, sub = string.find, string.gmatch, string.match, string.sub
local remove, tonumber = table.remove, tonumber

local inbox = {}

local kept, kept_bytes = {}, 0

-- What most headers look like. Reading these at once saves a tenth of a small run's time, and a quarter of a small request's.
local TEXT = '"([^"\\\128-\255]*)"'
local RUN = '^{"t":"run","id":(%d+),"executionId":' .. TEXT .. "}$"
local REQUEST = '^{"t":"request","id":(%d+),"executionId":' .. TEXT .. "()"
local HEAD = '^,"timeoutMs":%d+,"end":(%l+),"requestId":'
  .. TEXT
  .. ',"remoteAddress":'
  .. TEXT
  .. ',"method":'
  .. TEXT
  .. ',"path":'
  .. TEXT
  .. ',"relativePath":'
  .. TEXT
  .. ',"query":'
  .. TEXT
  .. ',"headers":(%[.*%])}$'

-- The headers of the last request: most callers send the same ones again.
local last_text, last_pairs

-- Pairs of name and value, or nil where the JSON text is not as plain as it mostly is.
local function read_pairs(text)
  if text ~= last_text then
    if find(text, "[\\\128-\255]") then
      return nil
    end
    last_text, last_pairs = text, {}
    for name, value in gmatch(text, '%["([^"]*)","([^"]*)"%]') do
      last_pairs[#last_pairs + 1] = { name, value }
    end
  end
  return last_pairs
end

local function read_head(text)
  local ends, request_id, address, method, path, relative_path, query, pairs_text = match(text, HEAD)
  local pairs = ends and read_pairs(pairs_text)
  return pairs
    and {
      ["end"] = ends == "true",
      requestId = request_id,
      remoteAddress = address,
      method = method,
      path = path,
      relativePath = relative_path,
      query = query,
      headers = pairs,
    }
end

-- What the last request said behind its ids, and what that means: most callers say the same again.
local last_said, last_head

local function read_request(text)
  local id, execution_id, at = match(text, REQUEST)
  if id == nil then
    return nil
  end
  local said = sub(text, at)
  if said ~= last_said then
    last_said, last_head = said, read_head(said)
  end
  local head = last_head
  return head
    and {
      t = "request",
      id = tonumber(id),
      executionId = execution_id,
      ["end"] = head["end"],
      requestId = head.requestId,
      remoteAddress = head.remoteAddress,
      method = head.method,
      path = head.path,
      relativePath = head.relativePath,
      query = head.query,
      headers = head.headers,
    }
end

local function receive()
  local header_text, body = channel.receive()
  local id, execution_id = match(header_text, RUN)
  if id ~= nil then
    return { t = "run", id = tonumber(id), executionId = execution_id }, body
  end
  return read_request(header_text) or decode(header_text), body
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
