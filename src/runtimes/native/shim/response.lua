-- The stdout of a program that answers a request: its response, in frames of limited size, never further ahead than the
-- server gave credit for. The server looks for the CGI header block in it.

local ffi = require("ffi")
local channel = require("channel")
local inbox = require("inbox")
local system = require("system")

local FRAME_BYTES = 65536
local WINDOW_BYTES = 262144
-- How long the first bytes wait for what follows. Most programs end within this: then head, body and end are one frame, and one
-- that fails after it printed something still gets an error instead of half a response.
local FIRST_WAIT_MS = 5

local buffer = ffi.new("uint8_t[?]", channel.ROOM_BYTES + FRAME_BYTES)
local bytes = buffer + channel.ROOM_BYTES

local response = { buffer = buffer } -- a pointer into it does not keep it

function response.open(id, fd)
  return { id = id, fd = fd, held = 0, window = WINDOW_BYTES, has_begun = false, due_ms = nil }
end

local function header_of(self, ends)
  local last = ends and "true" .. system.usage_text() or "false}"
  if self.has_begun then
    return '{"t":"body","id":' .. self.id .. ',"end":' .. last
  end
  return '{"t":"response","id":' .. self.id .. ',"status":200,"headers":[],"cgi":true,"end":' .. last
end

local function send(self, ends)
  channel.send_from(header_of(self, ends), bytes, self.held)
  self.window = self.window - self.held
  self.held, self.has_begun, self.due_ms = 0, true, nil
end

-- Whether there is credit for more.
function response.may_read(self)
  return self.window > 0
end

-- Milliseconds until what is held must go out; nil where nothing is held.
function response.wait_ms(self)
  return self.due_ms and math.max(0, math.ceil(self.due_ms - system.now_ms()))
end

-- Takes what is there. Returns how many bytes that were: 0 at the end, fewer than 0 where nothing is there yet.
function response.pump(self)
  local got = system.read(self.fd, bytes + self.held, math.min(FRAME_BYTES, self.window) - self.held)
  if got <= 0 then
    return got
  end
  self.held = self.held + got
  if self.has_begun or self.held == FRAME_BYTES then
    send(self, false)
  elseif self.due_ms == nil then
    self.due_ms = system.now_ms() + FIRST_WAIT_MS
  end
  return got
end

-- Sends what has been held for long enough.
function response.send_due(self)
  if self.due_ms ~= nil and system.now_ms() >= self.due_ms then
    send(self, false)
  end
end

-- Waits for more credit. Returns false when nobody waits for the rest.
local function await_credit(self)
  while self.window == 0 do
    local header = inbox.next_of(self.id)
    if header ~= nil and header.t == "credit" then
      self.window = self.window + header.bytes
    elseif header ~= nil and header.t == "cancel" then
      return false
    end
  end
  return true
end

-- Sends all that is left, once nobody can write any more, and ends the run with it.
function response.finish(self)
  while await_credit(self) do
    local most = math.min(FRAME_BYTES, self.window) - self.held
    local got = most > 0 and system.read(self.fd, bytes + self.held, most) or nil
    if got ~= nil and got <= 0 then
      break
    end
    self.held = self.held + (got or 0)
    if self.held == FRAME_BYTES or self.held == self.window then
      send(self, false)
    end
  end
  send(self, true)
end

return response
