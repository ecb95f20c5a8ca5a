-- Frames on file descriptor 3: u32 length of the header, u32 length of the body, header, body.
--
-- Never reads more than it was asked for: a program that serves its runs itself takes the descriptor over (handler.lua).

local ffi = require("ffi")
local system = require("system")

local byte, char = string.byte, string.char
local band, rshift = bit.band, bit.rshift
local C, copy = system.C, ffi.copy

local FD = 3
local MSG_PEEK = 2
local MOST_PIECE_BYTES = 65536
-- Room for the lengths and a header in front of what is sent from a buffer.
local ROOM_BYTES = 512

local channel = { fd = FD, ROOM_BYTES = ROOM_BYTES }

system.set_flags(FD, 0) -- whoever made it may have set it to non-blocking
system.set_close_on_exec(FD, true)

local small = ffi.new("uint8_t[?]", 4096)

local function fill(pointer, count)
  local have = 0
  while have < count do
    local got = system.read(FD, pointer + have, count - have)
    if got <= 0 then
      C._exit(got == 0 and 0 or 1) -- the server is gone
    end
    have = have + got
  end
end

local function take(count)
  if count == 0 then
    return ""
  end
  local into = count <= 4096 and small or ffi.new("uint8_t[?]", count)
  fill(into, count)
  return ffi.string(into, count)
end
channel.take = take

-- The next frame: its header as JSON text, and the length of its body, which is to be taken next.
function channel.receive()
  local a, b, c, d, e, f, g, h = byte(take(8), 1, 8)
  local header = take(((a * 256 + b) * 256 + c) * 256 + d)
  return header, ((e * 256 + f) * 256 + g) * 256 + h
end

-- Takes a body of `count` bytes in pieces, so that a large one is never in memory as a whole.
function channel.take_pieces(count, use)
  local piece = ffi.new("uint8_t[?]", MOST_PIECE_BYTES)
  while count > 0 do
    local size = math.min(count, MOST_PIECE_BYTES)
    fill(piece, size)
    use(piece, size)
    count = count - size
  end
end

-- The type of the next frame, which stays where it is.
function channel.peek_type()
  while true do
    local got = tonumber(C.recv(FD, small, 32, MSG_PEEK))
    if got == 0 then
      C._exit(0)
    end
    -- The shortest frame that there is has 27 bytes.
    local type = got >= 20 and ffi.string(small + 8, got - 8):match('^{"t":"(%a+)"')
    if type then
      return type
    end
    C.poll(nil, 0, 1) -- the rest is on its way
  end
end

local function u32_bytes(n)
  return char(rshift(n, 24), band(rshift(n, 16), 255), band(rshift(n, 8), 255), band(n, 255))
end

local function write(pointer, count)
  if not system.write_all(FD, pointer, count) then
    C._exit(1) -- the channel is broken, so there is nobody to tell
  end
end

-- `header` is JSON text; `body` may be left out.
function channel.send(header, body)
  body = body or ""
  local frame = u32_bytes(#header) .. u32_bytes(#body) .. header .. body
  write(ffi.cast("const uint8_t *", frame), #frame)
end

-- Sends `count` bytes that lie at `pointer` as a body; the ROOM_BYTES in front of them are overwritten.
function channel.send_from(header, pointer, count)
  local start = u32_bytes(#header) .. u32_bytes(count) .. header
  copy(pointer - #start, start, #start)
  write(pointer - #start, #start + count)
end

-- Swallows what was sent ahead: closing first could make the server lose what we sent last.
function channel.wait_for_the_end()
  while true do
    fill(small, 1)
  end
end

return channel
