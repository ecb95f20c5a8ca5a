-- Tries the classic ways out of a box and tells which of them work: none, or the server does not start.
--
-- Run by the interpreter as a program of this base, with `facts_json`, {"hostPaths": [...], "serverPid": n}, set by a line in front.
-- It has no JSON reader of its own: of these facts, texts are what stands between quotes.

local ffi = require("ffi")
ffi.cdef([[
  int open(const char *path, int flags, ...);
  int access(const char *path, int mode);
  int kill(int pid, int signal);
  int getpid(void);
  int socket(int domain, int type, int protocol);
  int unshare(int flags);
  long ptrace(long request, int pid, void *address, void *data);
  void *opendir(const char *path);
  typedef struct { uint64_t ino; int64_t off; unsigned short reclen; unsigned char type; char name[256]; } entry;
  entry *readdir(void *folder);
]])
local C, errno = ffi.C, ffi.errno
local O_WRONLY, O_RDWR, O_CREAT = 1, 2, 64
local EPERM, EAFNOSUPPORT = 1, 97
local CLONE_NEWUSER = 0x10000000
local PTRACE_ATTACH = 16

local holes = {}

local function hole(what)
  holes[#holes + 1] = what
end

local function must_not_open(what, path, flags)
  if C.open(path, flags, ffi.cast("int", 0)) >= 0 then
    hole(what)
  end
end

local function read_proc(name)
  local file = io.open("/proc/self/" .. name)
  local text = file and file:read("*a") or "" -- a box may have no /proc
  if file then
    file:close()
  end
  return text
end

-- First of all, as what is opened below would lie there.
if C.access("/proc/self/fd/3", 0) == 0 then
  hole("speak to the server in the launcher's name")
end
must_not_open("open /proc/sys/kernel/core_pattern for writing", "/proc/sys/kernel/core_pattern", O_RDWR)
for path in facts_json:match('"hostPaths":%[(.-)%]'):gmatch('"([^"]*)"') do
  if C.access(path, 0) == 0 then
    hole("see the host's " .. path)
  end
end
for _, path in ipairs({ "/written", "/dev/written", "/lib/written", "/shim/written" }) do
  must_not_open("write to " .. path, path, O_WRONLY + O_CREAT)
end
for _, path in ipairs({ "/usr/bin/luajit", "/usr/local/bin/luajit", "/shim/main.lua" }) do
  must_not_open("change " .. path, path, O_WRONLY)
end
must_not_open("change its own program for the next run", "/proc/self/exe", O_RDWR)
local server_pid = tonumber(facts_json:match('"serverPid":(%d+)'))
if server_pid > 1 and server_pid ~= C.getpid() and C.kill(server_pid, 0) == 0 then
  hole("signal the server")
end

for family, name in pairs({ [2] = "an IPv4", [10] = "an IPv6", [16] = "a netlink", [40] = "a vsock" }) do
  if C.socket(family, family == 16 and 3 or 1, 0) >= 0 or errno() ~= EAFNOSUPPORT then
    hole("make " .. name .. " socket")
  end
end
if C.unshare(CLONE_NEWUSER) == 0 or errno() ~= EPERM then
  hole("make a user namespace")
end

-- The launcher, which runs as the same user.
must_not_open("write to the launcher's memory", "/proc/1/mem", O_RDWR)
must_not_open("read the launcher's memory", "/proc/1/mem", 0)
if C.ptrace(PTRACE_ATTACH, 1, nil, nil) == 0 or errno() ~= EPERM then
  hole("trace the launcher")
end
if C.opendir("/proc/1/fd") ~= nil then
  hole("reach the launcher's descriptors")
end

local status = read_proc("status")
if status ~= "" then
  if not status:find("\nSeccomp:%s+2\n") then
    hole("make any system call: no filter is in force")
  end
  if not status:find("\nNoNewPrivs:%s+1\n") then
    hole("gain privileges by running a setuid program")
  end
  if not status:find("\nCapEff:%s+0+\n") then
    hole("use capabilities")
  end
  if not read_proc("uid_map"):find("^%s*%d+%s+[1-9]%d*%s+1%s*$") then
    hole("act as root of the host")
  end
  local others = {}
  local folder = C.opendir("/proc")
  local entry = C.readdir(folder)
  while entry ~= nil do
    local pid = tonumber(ffi.string(entry.name))
    if pid and pid ~= 1 and pid ~= C.getpid() then
      others[#others + 1] = pid
    end
    entry = C.readdir(folder)
  end
  if others[1] then
    hole("see processes of others (" .. table.concat(others, ", ") .. ")")
  end
end

for index, text in ipairs(holes) do
  holes[index] = '"' .. text:gsub('["\\%c]', " ") .. '"'
end
io.write("[", table.concat(holes, ","), "]")
