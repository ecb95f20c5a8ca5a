-- Starts the bound program, and sees to it that nothing of it is left.
--
-- posix_spawn and not fork: it copies no memory, and code of ours never runs between fork and exec.

local ffi = require("ffi")
local executable = require("executable")
local system = require("system")

local C, errno = system.C, system.errno

local O_CLOEXEC, O_NONBLOCK = 524288, 2048
local SPAWN_SETPGROUP, SPAWN_SETSIGDEF, SPAWN_SETSIGMASK = 2, 4, 8
local SIGKILL, SIGPIPE, SIGCHLD = 9, 13, 17
local SIG_IGN, SIG_DFL = ffi.cast("void *", 1), ffi.cast("void *", 0)
local SIG_BLOCK, SIG_UNBLOCK = 0, 1
local WNOHANG = 1
local EINTR = 4

-- In a box it is the first process, and whatever else is in there belongs to the program. Elsewhere only the program's group does.
local IS_ALONE = C.getpid() == 1

local process = { SHOWN_FD = 9 }

local no_signals, all_signals, child_signal = ffi.new("sigset"), ffi.new("sigset"), ffi.new("sigset")
C.sigemptyset(no_signals)
ffi.fill(all_signals, ffi.sizeof(all_signals), 255) -- sigfillset leaves out two, which would then be ignored
C.sigemptyset(child_signal)
C.sigaddset(child_signal, SIGCHLD)
C.sigprocmask(SIG_BLOCK, child_signal, nil)
C.signal(SIGPIPE, SIG_IGN) -- a program that closes its stdin early is no reason to end

-- Becomes readable when a process has ended.
process.signal_fd = C.signalfd(-1, child_signal, O_CLOEXEC + O_NONBLOCK)

local attributes, actions = ffi.new("spawn_things"), ffi.new("spawn_things")
C.posix_spawnattr_init(attributes)
C.posix_spawnattr_setflags(attributes, SPAWN_SETPGROUP + SPAWN_SETSIGDEF + SPAWN_SETSIGMASK)
C.posix_spawnattr_setpgroup(attributes, 0)
C.posix_spawnattr_setsigmask(attributes, no_signals)
C.posix_spawnattr_setsigdefault(attributes, all_signals)

local pair, pid_out, status_out = ffi.new("int[2]"), ffi.new("int[1]"), ffi.new("int[1]")

-- Returns its end for reading and its end for writing; of these `ours` does not block.
local function pipe(ours)
  if C.pipe2(pair, O_CLOEXEC) ~= 0 then
    return nil
  end
  system.set_flags(pair[ours], O_NONBLOCK)
  return pair[0], pair[1]
end

-- Runs `path`. Returns {pid, stdin, stdout, stderr}, or nil and the error number. `shown`: a descriptor that it finds at SHOWN_FD.
function process.spawn(path, arguments, environment, shown)
  local stdin_theirs, stdin = pipe(1)
  local stdout, stdout_theirs = pipe(0)
  local stderr, stderr_theirs = pipe(0)
  C.posix_spawn_file_actions_init(actions)
  C.posix_spawn_file_actions_adddup2(actions, stdin_theirs, 0)
  C.posix_spawn_file_actions_adddup2(actions, stdout_theirs, 1)
  C.posix_spawn_file_actions_adddup2(actions, stderr_theirs, 2)
  if shown ~= nil then
    C.posix_spawn_file_actions_adddup2(actions, shown, process.SHOWN_FD)
  end
  local argv, envp = system.strings(arguments), system.strings(environment)
  local problem = C.posix_spawn(pid_out, path, actions, attributes, argv, envp)
  C.posix_spawn_file_actions_destroy(actions)
  C.close(stdin_theirs)
  C.close(stdout_theirs)
  C.close(stderr_theirs)
  if problem == 0 then
    return { pid = pid_out[0], stdin = stdin, stdout = stdout, stderr = stderr }
  end
  C.close(stdin)
  C.close(stdout)
  C.close(stderr)
  return nil, problem
end

-- Takes note of every process that has ended. Returns the status of `pid` if it is one of them.
function process.reap(pid)
  local buffer = ffi.new("uint8_t[128]")
  repeat until C.read(process.signal_fd, buffer, 128) <= 0
  local found
  while true do
    local ended = C.waitpid(-1, status_out, WNOHANG)
    if ended <= 0 and not (ended < 0 and errno() == EINTR) then
      return found
    elseif ended == pid then
      found = status_out[0]
    end
  end
end

-- Ends all processes but our own. Returns when none of them is left.
function process.end_others(pid)
  if not IS_ALONE then
    C.kill(-pid, SIGKILL)
    return
  end
  if C.kill(-1, SIGKILL) ~= 0 then
    return -- there is none
  end
  repeat
    local ended = C.waitpid(-1, status_out, 0)
  until ended < 0 and errno() ~= EINTR
end

-- Returns the exit code, or nil and the number of the signal that ended it.
function process.ending(status)
  local signal = bit.band(status, 127)
  if signal == 0 then
    return bit.band(bit.rshift(status, 8), 255)
  end
  return nil, signal
end

-- Becomes `executable`, as a process that knows nothing of us. Returns the error number where that fails.
function process.become(arguments, environment, kept_fd)
  system.set_close_on_exec(kept_fd, false)
  C.signal(SIGPIPE, SIG_DFL)
  C.sigprocmask(SIG_UNBLOCK, child_signal, nil)
  C.execve(executable.path, system.strings(arguments), system.strings(environment))
  local problem = errno()
  system.set_close_on_exec(kept_fd, true)
  return problem
end

return process
