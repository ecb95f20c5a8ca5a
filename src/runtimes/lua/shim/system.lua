-- What the shim needs of the operating system. User code has no ffi and reaches these only through our modules.

local ffi = require("ffi")

ffi.cdef([[
  ssize_t read(int fd, void *buffer, size_t count);
  ssize_t write(int fd, const void *buffer, size_t count);
  int fcntl(int fd, int command, ...);
  int poll(void *descriptors, unsigned long count, int timeout_ms);
  ssize_t getrandom(void *buffer, size_t count, unsigned int flags);
  void _exit(int code);
  typedef struct { long seconds, microseconds; } time_span;
  typedef struct { time_span user, system; long peak_kib; long others[13]; } process_usage;
  int getrusage(int who, process_usage *usage);
]])

local C, errno = ffi.C, ffi.errno
local EINTR = 4
local F_SETFL = 4
local RANDOM_MAX_BYTES = 256 -- more may come in pieces: getrandom(2)
local SLEEP_MAX_MS = 2 ^ 31 - 1

local random_buffer = ffi.new("uint8_t[?]", RANDOM_MAX_BYTES)

local format = string.format

local system = {}

function system.make_blocking(fd)
  C.fcntl(fd, F_SETFL, ffi.cast("int", 0))
end

local used = ffi.new("process_usage")

-- What this process has used since it began, as the end of a header: for the frames that say ready or end a run.
function system.usage_text()
  C.getrusage(0, used)
  local seconds = tonumber(used.user.seconds) + tonumber(used.system.seconds)
  local microseconds = tonumber(used.user.microseconds) + tonumber(used.system.microseconds)
  return format(',"cpuUs":%d,"peakKib":%d}', seconds * 1e6 + microseconds, tonumber(used.peak_kib))
end

-- Ends the process, without any finalizer.
function system.exit(code)
  C._exit(code)
end

-- At most `count` bytes into `buffer`. Returns how many came: 0 at the end, fewer than 0 for an error.
function system.read(fd, buffer, count)
  local got
  repeat
    got = tonumber(C.read(fd, buffer, count))
  until got >= 0 or errno() ~= EINTR
  return got
end

-- Writes all of `text`. Returns whether that worked.
function system.write(fd, text)
  local written = 0
  repeat
    local count = tonumber(C.write(fd, ffi.cast("const char *", text) + written, #text - written))
    if count > 0 then
      written = written + count
    elseif errno() ~= EINTR then
      return false
    end
  until written == #text
  return true
end

function system.sleep(ms)
  C.poll(nil, 0, math.min(ms, SLEEP_MAX_MS))
end

-- `count` bytes that nobody can guess.
function system.random_bytes(count)
  local pieces = {}
  while count > 0 do
    local size = math.min(count, RANDOM_MAX_BYTES)
    if C.getrandom(random_buffer, size, 0) ~= size then
      error("no random numbers from the kernel", 0)
    end
    pieces[#pieces + 1] = ffi.string(random_buffer, size)
    count = count - size
  end
  return table.concat(pieces)
end

return system
