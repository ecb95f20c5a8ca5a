-- Keeps the bound program where the code of one run cannot change it for the next one.
--
-- A memory file is sealed: nobody can write to it, whoever owns it. Where there is none (soft limits), it is a file in /tmp whose
-- name is gone before the program first runs; and where there is no /proc to run such a file by, a file with a name, and the
-- worker serves one run only.

local ffi = require("ffi")
local channel = require("channel")
local system = require("system")

local C = system.C

local MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_EXEC = 1, 2, 16
local F_ADD_SEALS, ALL_SEALS = 1033, 15
local O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_CLOEXEC = 0, 1, 64, 128, 524288
local MODE_READ_AND_RUN = 365 -- octal 555
local X_OK = 1

local executable = {
  -- What to execute; nil where nothing is bound.
  path = nil,
  -- For whoever looks into it.
  fd = nil,
  -- Whether a run could have changed it.
  is_exposed = false,
  -- Why it could not be kept; every run fails with this.
  problem = nil,
}

local function make_memory_file()
  for _, more in ipairs({ MFD_EXEC, 0 }) do -- kernels before 6.3 do not know MFD_EXEC
    local ok, fd = pcall(C.memfd_create, "program", MFD_CLOEXEC + MFD_ALLOW_SEALING + more)
    if ok and fd >= 0 then
      return fd
    end
  end
  return nil
end

local function fill(fd, body_bytes)
  local is_whole = true
  channel.take_pieces(body_bytes, function(piece, count)
    is_whole = is_whole and system.write_all(fd, piece, count)
  end)
  C.fchmod(fd, MODE_READ_AND_RUN)
  return is_whole
end

local function by_descriptor(fd)
  local path = "/proc/self/fd/" .. fd
  return C.access(path, X_OK) == 0 and path or nil
end

local function keep_in_file(folder, body_bytes)
  local path = folder .. "/.program"
  local writing = C.open(path, O_WRONLY + O_CREAT + O_EXCL + O_CLOEXEC, ffi.cast("int", MODE_READ_AND_RUN))
  local is_whole = fill(writing, body_bytes)
  executable.fd = C.open(path, O_RDONLY + O_CLOEXEC)
  C.close(writing) -- a file that is open for writing cannot be executed
  executable.path = by_descriptor(executable.fd)
  if executable.path ~= nil then
    C.unlink(path)
  else
    executable.path, executable.is_exposed = path, true
  end
  return is_whole
end

-- Takes the body of the `bind` frame. `folder`: for temporary files.
function executable.keep(folder, body_bytes)
  local fd = make_memory_file()
  local is_whole
  if fd ~= nil and by_descriptor(fd) ~= nil then
    is_whole = fill(fd, body_bytes)
    C.fcntl(fd, F_ADD_SEALS, ffi.cast("int", ALL_SEALS))
    executable.fd, executable.path = fd, by_descriptor(fd)
  else
    is_whole = keep_in_file(folder, body_bytes)
  end
  if not is_whole then
    executable.problem = "the program has " .. body_bytes .. " bytes, for which the sandbox has no room"
  end
end

-- Undoes what a run may have done to its own mode; only its owner and those who hold it open could.
function executable.restore()
  C.fchmod(executable.fd, MODE_READ_AND_RUN)
end

return executable
