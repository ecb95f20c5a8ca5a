-- The stdin of the program: the input of a run, or the body of a request as it comes.

local ffi = require("ffi")
local channel = require("channel")
local system = require("system")

local C, errno = system.C, system.errno
local EAGAIN, EINTR = 11, 4

local input = {}

-- `ends`: all of it is there.
function input.open(id, fd, first, ends)
  return { id = id, fd = fd, pieces = { first }, at = 0, ends = ends }
end

function input.push(self, piece, ends)
  self.pieces[#self.pieces + 1] = piece
  self.ends = ends
end

function input.close(self)
  if self.fd ~= nil then
    C.close(self.fd)
    self.fd, self.pieces = nil, {}
  end
end

-- Whether it waits for the program to read.
function input.has_more(self)
  return self.fd ~= nil and self.pieces[1] ~= nil
end

-- Writes as much as the program takes now. Closes it at its end, and where the program has closed it: then the rest is not wanted.
function input.pump(self)
  while self.fd ~= nil and self.pieces[1] ~= nil do
    local piece = self.pieces[1]
    local left = #piece - self.at
    local got = left > 0 and tonumber(C.write(self.fd, ffi.cast("const char *", piece) + self.at, left)) or 0
    if got < 0 then
      local problem = errno()
      if problem == EAGAIN then
        return
      elseif problem ~= EINTR then
        input.close(self)
        return
      end
    elseif got == left then
      table.remove(self.pieces, 1)
      self.at = 0
      if #piece > 0 and not self.ends then
        channel.send('{"t":"credit","id":' .. self.id .. ',"bytes":' .. #piece .. "}")
      end
    else
      self.at = self.at + got
    end
  end
  if self.ends then
    input.close(self)
  end
end

return input
