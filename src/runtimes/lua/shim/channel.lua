-- Frames on file descriptor 3: u32 length of the header, u32 length of the body, header, body.

local ffi = require("ffi")
local system = require("system")

local byte, char, sub = string.byte, string.char, string.sub
local band, rshift = bit.band, bit.rshift

local FD = 3
local READ_BYTES = 16384
-- A frame up to this size goes out in one system call; joining a larger one would cost more than that saves.
local JOIN_MAX_BYTES = 65536

system.make_blocking(FD)
local buffer = ffi.new("uint8_t[?]", READ_BYTES)

-- What came but was not taken yet: `unread` from behind `position` on.
local unread, position = "", 0

-- Ends the process when the server has closed the channel.
local function read(wanted)
  local into, size = buffer, READ_BYTES
  if wanted > READ_BYTES then
    into, size = ffi.new("uint8_t[?]", wanted), wanted
  end
  local count = system.read(FD, into, size)
  if count <= 0 then
    system.exit(count == 0 and 0 or 1)
  end
  return ffi.string(into, count)
end

local function take(count)
  local have = #unread - position
  if have < count then
    local pieces = { sub(unread, position + 1) }
    while have < count do
      local piece = read(count - have)
      pieces[#pieces + 1] = piece
      have = have + #piece
    end
    unread, position = table.concat(pieces), 0
  end
  local taken = sub(unread, position + 1, position + count)
  position = position + count
  if position == #unread then
    unread, position = "", 0 -- it may be large, and the next frame may be long in coming
  end
  return taken
end

local function u32(a, b, c, d)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function u32_bytes(n)
  return char(rshift(n, 24), band(rshift(n, 16), 255), band(rshift(n, 8), 255), band(n, 255))
end

local function write(text)
  if not system.write(FD, text) then
    system.exit(1) -- the channel is broken, so there is nobody to tell
  end
end

local channel = {}

-- The next frame: its header as JSON text, and its body.
function channel.receive()
  local lengths = take(8)
  local header = take(u32(byte(lengths, 1, 4)))
  return header, take(u32(byte(lengths, 5, 8)))
end

-- `header` is JSON text; `body` may be left out.
function channel.send(header, body)
  body = body or ""
  local start = u32_bytes(#header) .. u32_bytes(#body) .. header
  if #body <= JOIN_MAX_BYTES then
    write(start .. body)
  else
    write(start)
    write(body)
  end
end

-- Swallows what was sent ahead: closing first could make the server lose what we sent last.
function channel.wait_for_the_end()
  while true do
    read(1)
  end
end

return channel
