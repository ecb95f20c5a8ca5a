-- What a compiled chunk would do, found without running it. Its text could not tell: names in it may be comments or strings.

local util = require("jit.util")

local band, rshift = bit.band, bit.rshift

local bytecode = {}

local function instruction(compiled, at)
  return (util.funcbc(compiled, at))
end

-- The number of an instruction differs between versions of LuaJIT, so it is looked up in code that is known to hold it.
local function number_in(source, from_end)
  local compiled = assert(load(source))
  return band(instruction(compiled, util.funcinfo(compiled).bytecodes - from_end), 0xFF)
end

local SET_GLOBAL = number_in("x = nil", 2)
local RETURNS = {}
for _, source in ipairs({ "return 1", "return 1, 2", "return ...", "return f()", "return f(...)" }) do
  RETURNS[number_in(source, 1)] = true
end

-- The globals that the chunk itself sets, by name, and whether it holds a `return` with values. Functions within it do
-- not count.
function bytecode.summary(compiled)
  local sets, returns = {}, false
  for at = 0, util.funcinfo(compiled).bytecodes - 1 do
    local code = instruction(compiled, at)
    local number = band(code, 0xFF)
    if number == SET_GLOBAL then
      sets[util.funck(compiled, -1 - rshift(code, 16))] = true
    elseif RETURNS[number] then
      returns = true
    end
  end
  return sets, returns
end

-- All texts in the chunk and the functions within it are added to `found` as keys.
function bytecode.texts(compiled, found)
  for index = 1, util.funcinfo(compiled).gcconsts do
    local constant = util.funck(compiled, -index)
    if type(constant) == "string" then
      found[constant] = true
    elseif type(constant) == "proto" then
      bytecode.texts(constant, found)
    end
  end
end

return bytecode
