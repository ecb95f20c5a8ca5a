-- What the program prints, as log frames: at once, and cut only between characters. What is no UTF-8 the server replaces.

local ffi = require("ffi")
local channel = require("channel")
local system = require("system")

local READ_BYTES = 65536
local MOST_TAIL_BYTES = 3

local HEADERS = {
  stdout = '{"t":"log","level":"info","stream":"stdout"}',
  stderr = '{"t":"log","level":"error","stream":"stderr"}',
}

local buffer = ffi.new("uint8_t[?]", channel.ROOM_BYTES + MOST_TAIL_BYTES + READ_BYTES)
local text = buffer + channel.ROOM_BYTES

-- How many of the last bytes begin a character that is not complete.
local function tail_bytes(count)
  for back = 1, math.min(MOST_TAIL_BYTES, count) do
    local value = text[count - back]
    if value >= 0xC0 then
      local length = value >= 0xF0 and 4 or value >= 0xE0 and 3 or 2
      return length > back and back or 0
    elseif value < 0x80 then
      return 0
    end
  end
  return 0
end

local output = { buffer = buffer } -- a pointer into it does not keep it

-- `name`: "stdout" or "stderr".
function output.open(name, fd)
  return { header = HEADERS[name], fd = fd, tail = "" }
end

-- Passes on what is there. Returns how many bytes that were: 0 at the end, fewer than 0 where nothing is there yet.
function output.pump(stream)
  local kept = #stream.tail
  ffi.copy(text, stream.tail, kept)
  local got = system.read(stream.fd, text + kept, READ_BYTES)
  if got <= 0 then
    return got
  end
  local cut = tail_bytes(kept + got)
  local count = kept + got - cut
  stream.tail = ffi.string(text + count, cut)
  if count > 0 then
    channel.send_from(stream.header, text, count)
  end
  return got
end

-- Passes on all that is left, once nobody can write any more.
function output.finish(stream)
  repeat until output.pump(stream) <= 0
  if #stream.tail > 0 then
    channel.send(stream.header, stream.tail)
  end
end

return output
