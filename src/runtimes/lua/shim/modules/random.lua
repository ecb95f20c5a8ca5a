-- The module `random`. All of it comes from the kernel, so nothing of it can be guessed.

local arguments = require("arguments")
local base64 = require("modules.base64")
local system = require("system")

local byte, sub = string.byte, string.sub

local LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
local ID_LETTERS = "0123456789abcdefghijklmnopqrstuv" -- 5 bits each, in their order as text
local DOUBLE_BITS = 2 ^ 53
local HALF = 2 ^ 32

-- A whole number below `bound`, each as likely as the others. `bound`: at most 2^53
local function below(bound)
  local fair = DOUBLE_BITS - DOUBLE_BITS % bound -- what is above would make small numbers more likely
  while true do
    local a, b, c, d, e, f, g = byte(system.random_bytes(7), 1, 7)
    local high, low = (a % 32 * 256 + b) * 256 + c, ((d * 256 + e) * 256 + f) * 256 + g
    local number = high * HALF + low
    if number < fair then
      return number % bound
    end
  end
end

local random = {}

function random.int(min, max)
  min, max = arguments.integer(min, 1, "int"), arguments.integer(max, 2, "int")
  local count = max - min + 1
  if count < 1 then
    error("bad argument #1 to int (min must be less than or equal to max)", 2)
  elseif count > DOUBLE_BITS then
    error("bad argument #2 to int (min and max are too far from each other)", 2)
  end
  return min + below(count)
end

-- From 0 on, below 1.
function random.float()
  return below(DOUBLE_BITS) / DOUBLE_BITS
end

function random.string(length)
  length = arguments.integer(length, 1, "string")
  if length <= 0 then
    error("bad argument #1 to string (length must be greater than 0)", 2)
  end
  local letters = {}
  while #letters < length do
    for _, value in ipairs({ byte(system.random_bytes(64), 1, -1) }) do
      if value < 248 and #letters < length then -- 4 times 62: what is above would make some letters more likely
        local at = value % 62 + 1
        letters[#letters + 1] = sub(LETTERS, at, at)
      end
    end
  end
  return table.concat(letters)
end

local NOT_POSITIVE = "size must be greater than 0"

function random.bytes(size)
  size = arguments.integer(size, 1, "bytes")
  if size <= 0 then
    return nil, NOT_POSITIVE
  end
  return base64.encode(system.random_bytes(size))
end

function random.hex(size)
  size = arguments.integer(size, 1, "hex")
  if size <= 0 then
    return nil, NOT_POSITIVE
  end
  return (string.gsub(system.random_bytes(size), ".", function(character)
    return string.format("%02x", byte(character))
  end))
end

-- 20 letters that sort by the second they were made in: 4 bytes of time and 8 of chance.
function random.id()
  local seconds = os.time()
  local first, second, third = bit.rshift(seconds, 24), bit.rshift(seconds, 16) % 256, bit.rshift(seconds, 8) % 256
  local data = string.char(first, second, third, seconds % 256) .. system.random_bytes(8)
  local letters, held, width = {}, 0, 0
  for index = 1, #data do
    held, width = held * 256 + byte(data, index), width + 8
    while width >= 5 do
      width = width - 5
      local value = math.floor(held / 2 ^ width)
      held = held % 2 ^ width
      letters[#letters + 1] = sub(ID_LETTERS, value + 1, value + 1)
    end
  end
  local last = held * 2 ^ (5 - width)
  letters[#letters + 1] = sub(ID_LETTERS, last + 1, last + 1)
  return table.concat(letters)
end

return random
