-- What the launcher needs of the operating system. Constants are those of Linux on x86-64 and arm64.

local ffi = require("ffi")

ffi.cdef([[
  typedef struct { int fd; short events; short revents; } pollfd;
  typedef struct { uint64_t soft, hard; } rlimit64;
  typedef struct { uint64_t words[16]; } sigset;
  typedef struct { uint64_t ino; int64_t off; unsigned short reclen; unsigned char type; char name[256]; } dirent64;
  typedef struct { uint64_t words[64]; } spawn_things;

  ssize_t read(int fd, void *buffer, size_t count);
  ssize_t write(int fd, const void *buffer, size_t count);
  ssize_t pread(int fd, void *buffer, size_t count, int64_t offset);
  ssize_t recv(int fd, void *buffer, size_t count, int flags);
  int open(const char *path, int flags, ...);
  int close(int fd);
  int access(const char *path, int mode);
  int fcntl(int fd, int command, ...);
  int fchmod(int fd, unsigned int mode);
  int pipe2(int fds[2], int flags);
  int poll(pollfd *fds, unsigned long count, int timeout_ms);
  int memfd_create(const char *name, unsigned int flags);

  int posix_spawn(int *pid, const char *path, const spawn_things *actions, const spawn_things *attributes,
    char *const argv[], char *const envp[]);
  int posix_spawn_file_actions_init(spawn_things *actions);
  int posix_spawn_file_actions_destroy(spawn_things *actions);
  int posix_spawn_file_actions_adddup2(spawn_things *actions, int fd, int as);
  int posix_spawnattr_init(spawn_things *attributes);
  int posix_spawnattr_setflags(spawn_things *attributes, short flags);
  int posix_spawnattr_setpgroup(spawn_things *attributes, int group);
  int posix_spawnattr_setsigmask(spawn_things *attributes, const sigset *set);
  int posix_spawnattr_setsigdefault(spawn_things *attributes, const sigset *set);
  int execve(const char *path, char *const argv[], char *const envp[]);
  int waitpid(int pid, int *status, int options);
  int kill(int pid, int signal);
  int getpid(void);
  void _exit(int code);

  int sigemptyset(sigset *set);
  int sigaddset(sigset *set, int signal);
  int sigprocmask(int how, const sigset *set, sigset *old);
  int signalfd(int fd, const sigset *set, int flags);
  void *signal(int signal, void *handler);
  int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
  int getrlimit(int resource, rlimit64 *limit);

  void *opendir(const char *path);
  dirent64 *readdir(void *folder);
  int closedir(void *folder);
  int unlink(const char *path);
  int rmdir(const char *path);
  int chmod(const char *path, unsigned int mode);
  typedef struct { int64_t seconds, nanoseconds; } timespec64;
  int clock_gettime(int clock, timespec64 *now);
  typedef struct { int64_t seconds, microseconds; } time_span;
  typedef struct { time_span user, system; long peak_kib; long others[13]; } process_usage;
  int getrusage(int who, process_usage *usage);
]])

local C, errno = ffi.C, ffi.errno
local EINTR = 4
local CLOCK_MONOTONIC = 1

local system = { C = C, errno = errno }

-- At most `count` bytes into `pointer`. Returns how many came: 0 at the end, fewer than 0 for an error.
function system.read(fd, pointer, count)
  local got
  repeat
    got = tonumber(C.read(fd, pointer, count))
  until got >= 0 or errno() ~= EINTR
  return got
end

-- Writes all of it, to a descriptor that blocks. Returns whether that worked.
function system.write_all(fd, pointer, count)
  local written = 0
  while written < count do
    local got = tonumber(C.write(fd, pointer + written, count - written))
    if got > 0 then
      written = written + got
    elseif errno() ~= EINTR then
      return false
    end
  end
  return true
end

function system.set_flags(fd, flags)
  C.fcntl(fd, 4, ffi.cast("int", flags)) -- F_SETFL
end

function system.set_close_on_exec(fd, closes)
  C.fcntl(fd, 2, ffi.cast("int", closes and 1 or 0)) -- F_SETFD, FD_CLOEXEC
end

local now = ffi.new("timespec64")
function system.now_ms()
  C.clock_gettime(CLOCK_MONOTONIC, now)
  return tonumber(now.seconds) * 1000 + tonumber(now.nanoseconds) / 1e6
end

local RUSAGE_CHILDREN = -1
local used = ffi.new("process_usage")

-- What the programs have used that have ended so far, as the end of a header: for the frames that say ready or end a run.
function system.usage_text()
  C.getrusage(RUSAGE_CHILDREN, used)
  local seconds = tonumber(used.user.seconds + used.system.seconds)
  local microseconds = tonumber(used.user.microseconds + used.system.microseconds)
  return string.format(',"cpuUs":%.0f,"peakKib":%.0f}', seconds * 1e6 + microseconds, tonumber(used.peak_kib))
end

-- A list of texts as C has it. The texts must be kept for as long as it is used.
function system.strings(list)
  local pointers = ffi.new("char *[?]", #list + 1)
  for index = 1, #list do
    pointers[index - 1] = ffi.cast("char *", list[index])
  end
  return pointers
end

return system
