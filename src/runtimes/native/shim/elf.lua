-- Can the kernel run this program here? Looks at it without running any of it.

local ffi = require("ffi")
local executable = require("executable")
local output_of = require("capture")
local process = require("process")
local system = require("system")

local C = system.C

ffi.cdef([[
  typedef struct {
    uint8_t ident[16]; uint16_t type, machine; uint32_t version; uint64_t entry, program_offset, section_offset;
    uint32_t flags; uint16_t size, program_size, program_count;
  } elf_header;
  typedef struct { uint32_t type, flags; uint64_t offset, address, physical, file_size, memory_size, align; } elf_program;
]])

local MACHINES = { [3] = "32-bit x86", [40] = "32-bit ARM", [62] = "x86-64", [183] = "arm64", [243] = "RISC-V" }
local OURS = ({ x64 = 62, arm64 = 183 })[ffi.arch]
local TYPE_EXECUTABLE, TYPE_SHARED = 2, 3
local PT_INTERP = 3
local MOST_PROGRAM_HEADERS = 1024
local MOST_PATH_BYTES = 4096
local MOST_TEXT_BYTES = 500
local X_OK = 1

local function pread(fd, into, count, offset)
  return tonumber(C.pread(fd, into, count, offset)) == count
end

-- The path of the loader that it asks for; nil where it needs none.
local function loader_of(fd, header)
  local program = ffi.new("elf_program")
  for index = 0, math.min(header.program_count, MOST_PROGRAM_HEADERS) - 1 do
    local at = header.program_offset + index * header.program_size
    if pread(fd, program, ffi.sizeof(program), at) and program.type == PT_INTERP then
      local count = tonumber(program.file_size)
      if count > 0 and count <= MOST_PATH_BYTES then
        local path = ffi.new("char[?]", count + 1)
        return pread(fd, path, count, program.offset) and ffi.string(path) or ""
      end
    end
  end
  return nil
end

-- Without the name that the program has only here.
local function trimmed(text)
  local plain = text:gsub("/proc/self/fd/%d+: ", ""):match("^%s*(.-)%s*$")
  return plain
end

-- `libx.so.6 => not found`, or `libx.so.6: cannot open shared object file: No such file or directory`; musl: `Error loading shared library …`.
local function tells_of_missing(line)
  return line:find("not found", 1, true) or line:find("cannot open", 1, true) or line:find("Error loading", 1, true)
end

-- What the loader says about the shared libraries; nil where it finds them all. It loads them, and does not start the program.
local function missing_libraries(loader)
  local path = executable.is_exposed and executable.path or "/proc/self/fd/" .. process.SHOWN_FD
  local text, is_fine = output_of(loader, { loader, "--list", path }, executable.fd)
  local missing = {}
  for line in text:gmatch("[^\n]+") do
    if tells_of_missing(line) then
      missing[#missing + 1] = trimmed(line)
    end
  end
  if missing[1] ~= nil then
    return "it needs what is not in the sandbox: " .. table.concat(missing, "; ") .. "; link it statically"
  end
  return not is_fine and "its loader refuses it: " .. trimmed(text):sub(1, MOST_TEXT_BYTES) or nil
end

-- Returns nil where it can be run, else why not.
return function()
  local header = ffi.new("elf_header")
  if not pread(executable.fd, header, ffi.sizeof(header), 0) or ffi.string(header.ident, 4) ~= "\127ELF" then
    return "it is not an ELF executable"
  elseif header.machine ~= OURS then
    local name = MACHINES[header.machine] or ("machine type " .. header.machine)
    return "it is made for " .. name .. ", and this machine is " .. (MACHINES[OURS] or ffi.arch)
  elseif header.type ~= TYPE_EXECUTABLE and header.type ~= TYPE_SHARED then
    return "it is an object file or a core dump, not an executable"
  end
  local loader = loader_of(executable.fd, header)
  if loader == nil then
    -- A library has no loader either; nor has a static executable that can lie anywhere.
    return header.entry == 0 and "it is a library: it has no entry point" or nil
  elseif C.access(loader, X_OK) ~= 0 then
    return "its loader " .. loader .. " is not in the sandbox; link it statically"
  end
  return missing_libraries(loader)
end
