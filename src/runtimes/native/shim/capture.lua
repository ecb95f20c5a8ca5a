-- Runs a command to its end and returns all that it printed, and whether its exit code was 0. It finds the descriptor `shown` at
-- process.SHOWN_FD.

local ffi = require("ffi")
local process = require("process")
local system = require("system")

local C = system.C
local POLLIN = 1
local MOST_BYTES = 65536

return function(path, arguments, shown)
  local started, problem = process.spawn(path, arguments, {}, shown)
  if started == nil then
    return "it cannot be started (error " .. problem .. ")", false
  end
  C.close(started.stdin)
  local pieces, buffer, status = {}, ffi.new("uint8_t[?]", MOST_BYTES), nil
  local waited = ffi.new("pollfd[3]", { { process.signal_fd, POLLIN }, { started.stdout, POLLIN }, { started.stderr, POLLIN } })
  local function read(fd)
    local got = system.read(fd, buffer, MOST_BYTES)
    if got > 0 and #pieces < 16 then
      pieces[#pieces + 1] = ffi.string(buffer, got)
    end
    return got
  end
  while status == nil do
    C.poll(waited, 3, -1)
    for index = 1, 2 do
      if waited[index].revents ~= 0 and read(waited[index].fd) == 0 then
        waited[index].fd = -1
      end
    end
    status = process.reap(started.pid)
  end
  process.end_others(started.pid)
  for _, fd in ipairs({ started.stdout, started.stderr }) do
    repeat until read(fd) <= 0
    C.close(fd)
  end
  return table.concat(pieces), process.ending(status) == 0
end
