-- What a run leaves beside processes: files, and limits that it has set for us.

local ffi = require("ffi")
local executable = require("executable")
local system = require("system")

local C, errno = system.C, system.errno
local EISDIR, EPERM = 21, 1
local RESOURCES = 16 -- RLIM_NLIMITS
local MODE_ALL_OURS = 448 -- octal 700

local leftovers = {}

local folders, limits

local function limits_now()
  local list, limit = {}, ffi.new("rlimit64")
  for resource = 0, RESOURCES - 1 do
    C.getrlimit(resource, limit)
    list[resource] = tostring(limit.soft) .. " " .. tostring(limit.hard)
  end
  return list
end

-- `list`: the folders that programs can write to.
function leftovers.start(list)
  folders, limits = list, limits_now()
end

local function names_in(path)
  local folder = C.opendir(path)
  if folder == nil then
    return {}
  end
  local names = {}
  local entry = C.readdir(folder)
  while entry ~= nil do
    local name = ffi.string(entry.name)
    if name ~= "." and name ~= ".." then
      names[#names + 1] = name
    end
    entry = C.readdir(folder)
  end
  C.closedir(folder)
  return names
end

-- Returns whether nothing is left in it. One that lies too deep for its path stays.
local function empty(path)
  local is_empty = true
  for _, name in ipairs(names_in(path)) do
    local inner = path .. "/" .. name
    if C.unlink(inner) ~= 0 then
      local is_folder = errno() == EISDIR or errno() == EPERM
      if is_folder then
        C.chmod(inner, MODE_ALL_OURS) -- else it might not let us in
      end
      is_empty = is_folder and empty(inner) and C.rmdir(inner) == 0 and is_empty
    end
  end
  return is_empty
end

-- Removes what can be removed; returns why the worker must retire all the same, or nil.
function leftovers.clean()
  for _, folder in ipairs(folders) do
    if not empty(folder) then
      return "files in " .. folder .. " could not be removed"
    end
  end
  local now = limits_now()
  for resource = 0, RESOURCES - 1 do
    if now[resource] ~= limits[resource] then
      return "its program changed the limits of the sandbox's first process"
    end
  end
  return executable.is_exposed and "its program lies where it could have been changed" or nil
end

return leftovers
