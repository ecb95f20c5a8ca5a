-- SHA-512 (FIPS 180-4), on the 64-bit integers that LuaJIT has.

local constants = require("modules.sha2_constants")
local ffi = require("ffi")

local rep = string.rep
local band, bor, bswap, bxor = bit.band, bit.bor, bit.bswap, bit.bxor
local lshift, ror, rshift = bit.lshift, bit.ror, bit.rshift

local BLOCK_BYTES = 128
local BLOCK_WORDS = 16
local STATE_BYTES = 64

local ADD = ffi.new("const uint64_t[80]", constants.add)
local words = ffi.new("uint64_t[80]")
local state, values = ffi.new("uint64_t[8]"), ffi.new("uint64_t[8]")

-- The end of the data: what fills no block, a bit, zeros and the length in bits.
local function last_blocks(data)
  local rest = string.sub(data, #data - #data % BLOCK_BYTES + 1)
  local length = ffi.new("uint64_t[1]", bswap(#data * 8ULL))
  local zeros = (BLOCK_BYTES - 17 - #rest) % BLOCK_BYTES + 8 -- with the upper half of the length, which has 16 bytes
  return rest .. "\128" .. rep("\0", zeros) .. ffi.string(length, 8)
end

local function expand()
  for index = BLOCK_WORDS, 79 do
    local near, far = words[index - 2], words[index - 15]
    local first = bxor(ror(far, 1), ror(far, 8), rshift(far, 7))
    local second = bxor(ror(near, 19), ror(near, 61), rshift(near, 6))
    words[index] = words[index - 16] + first + words[index - 7] + second
  end
end

-- The eight values that the standard calls a to h stay where they are, and their names move instead. As local variables that
-- change places they would be boxed anew in each step, which is sixty times slower.
local function mix()
  ffi.copy(values, state, STATE_BYTES)
  for index = 0, 79 do
    local at_d, at_h = band(3 - index, 7), band(7 - index, 7)
    local a, b, c = values[band(-index, 7)], values[band(1 - index, 7)], values[band(2 - index, 7)]
    local e, f, g = values[band(4 - index, 7)], values[band(5 - index, 7)], values[band(6 - index, 7)]
    local chosen = bxor(g, band(e, bxor(f, g)))
    local first = values[at_h] + bxor(ror(e, 14), ror(e, 18), ror(e, 41)) + chosen + ADD[index] + words[index]
    local majority = bor(band(a, b), band(c, bor(a, b)))
    values[at_d] = values[at_d] + first
    values[at_h] = first + bxor(ror(a, 28), ror(a, 34), ror(a, 39)) + majority
  end
  for index = 0, 7 do
    state[index] = state[index] + values[index]
  end
end

local function take(text, stop)
  for start = 1, stop, BLOCK_BYTES do
    ffi.copy(words, ffi.cast("const char *", text) + (start - 1), BLOCK_BYTES)
    for index = 0, BLOCK_WORDS - 1 do
      words[index] = bswap(words[index])
    end
    expand()
    mix()
  end
end

return function(data)
  for index = 0, 7 do
    state[index] = constants.start[index + 1]
  end
  take(data, #data - #data % BLOCK_BYTES)
  local last = last_blocks(data)
  take(last, #last)
  for index = 0, 7 do
    state[index] = bswap(state[index])
  end
  return ffi.string(state, STATE_BYTES)
end
