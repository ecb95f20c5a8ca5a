-- Is the worker as it was before the run? In doubt: no. Globals and libraries need no look: they end with their run.

local environment = require("environment")
local system = require("system")

local getmetatable = debug.getmetatable

-- Garbage below this may stay for the collector to take in its own time. Hello leaves 6 KiB.
local UNCOLLECTED_MAX_KIB = 2048
-- What may be left after a collection: texts and compiled traces that the interpreter keeps.
local KEPT_MAX_KIB = 8192

local STRING_METATABLE = getmetatable("")
local VISIBLE_METATABLE = STRING_METATABLE.__metatable

local quiet = {}

local memory_kib

local function seed_random_numbers()
  local a, b, c, d, e, f = string.byte(system.random_bytes(6), 1, 6)
  math.randomseed(((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f)
  environment.is_random_seeded = false
end

-- Takes the worker as it is, before its first run.
function quiet.start()
  seed_random_numbers() -- they would be the same in each worker
  memory_kib = collectgarbage("count")
end

-- Types other than tables have one metatable each. Nothing that user code has can change them; if they are changed, more
-- may be.
local function shared_metatables_changed()
  return getmetatable(nil) ~= nil
    or getmetatable(0) ~= nil
    or getmetatable(true) ~= nil
    or getmetatable(print) ~= nil
    or getmetatable("") ~= STRING_METATABLE
    or STRING_METATABLE.__metatable ~= VISIBLE_METATABLE
    or type(STRING_METATABLE.__index) ~= "table"
    or next(STRING_METATABLE, next(STRING_METATABLE, next(STRING_METATABLE))) ~= nil
end

-- Collects garbage, and says whether that was enough. The interpreter's own buffer, as large as the largest text that was joined,
-- shrinks only by half each time.
local function collect_down_to(limit_kib)
  local before_kib
  repeat
    before_kib = collectgarbage("count")
    collectgarbage()
    local after_kib = collectgarbage("count")
    if after_kib <= limit_kib then
      return true
    end
  until after_kib > before_kib * 0.99
  return false
end

-- Why the worker is not as it was, or nil. `kept_bytes`: what it holds for later runs.
function quiet.why_not(kept_bytes)
  if environment.is_random_seeded then
    seed_random_numbers()
  end
  if shared_metatables_changed() then
    return "it changed a metatable that all runs share"
  end
  local expected_kib = memory_kib + kept_bytes / 1024
  if collectgarbage("count") > expected_kib + UNCOLLECTED_MAX_KIB then
    environment.leave()
    if not collect_down_to(expected_kib + KEPT_MAX_KIB) then
      return "its memory could not be freed"
    end
  end
  return nil
end

return quiet
