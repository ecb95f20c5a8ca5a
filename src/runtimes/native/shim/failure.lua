-- What is told about a program that could not be started, or was ended by a signal.

local SIGNALS = {
  [1] = "SIGHUP",
  [2] = "SIGINT",
  [3] = "SIGQUIT (quit)",
  [4] = "SIGILL (illegal instruction)",
  [5] = "SIGTRAP (trap)",
  [6] = "SIGABRT (aborted)",
  [7] = "SIGBUS (bus error)",
  [8] = "SIGFPE (arithmetic error, such as a division by zero)",
  [9] = "SIGKILL",
  [10] = "SIGUSR1",
  [11] = "SIGSEGV (segmentation fault)",
  [12] = "SIGUSR2",
  [13] = "SIGPIPE (broken pipe)",
  [14] = "SIGALRM (alarm)",
  [15] = "SIGTERM (terminated)",
  [16] = "SIGSTKFLT",
  [24] = "SIGXCPU (CPU time limit)",
  [25] = "SIGXFSZ (file larger than allowed)",
  [31] = "SIGSYS (a system call that the sandbox ends programs for)",
}

-- By error number.
local REFUSALS = {
  [2] = "the loader that it asks for is not in the sandbox; link it statically",
  [7] = "its environment is too large",
  [8] = "it is not an executable for this machine",
  [11] = "no more processes are allowed",
  [12] = "there is not enough memory",
  [13] = "it is not an executable for this machine",
  [80] = "a shared library that it needs is damaged",
}

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(character)
    return ESCAPES[character] or string.format("\\u%04x", character:byte())
  end) .. '"'
end

local failure = {}

-- The body of an `error` frame.
function failure.of(name, message)
  return '{"name":' .. quoted(name) .. ',"message":' .. quoted(message) .. ',"stack":""}'
end

function failure.of_signal(number)
  local name = SIGNALS[number] or ("signal " .. number)
  return failure.of(name:match("^SIG%u+%d?") or "Signal", "the program was ended by " .. name)
end

function failure.of_start(error_number)
  local why = REFUSALS[error_number] or ("error " .. error_number)
  return failure.of("NotExecutable", "the program cannot be started: " .. why)
end

return failure
