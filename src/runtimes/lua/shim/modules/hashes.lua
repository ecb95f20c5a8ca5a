-- MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4): all work on blocks of 64 bytes and words of 32 bits.

local constants = require("modules.sha2_constants")

local byte, char, rep = string.byte, string.char, string.rep
local band, bnot, bor, bswap, bxor = bit.band, bit.bnot, bit.bor, bit.bswap, bit.bxor
local lshift, rol, ror, rshift, tobit = bit.lshift, bit.rol, bit.ror, bit.rshift, bit.tobit
local floor = math.floor

local BLOCK_BYTES = 64
local WORD = 2 ^ 32

-- A word as four bytes, the highest first.
local function bytes_of(word)
  return char(rshift(word, 24), band(rshift(word, 16), 255), band(rshift(word, 8), 255), band(word, 255))
end

-- The end of the data: what fills no block, a bit, zeros and the length in bits.
local function last_blocks(data, is_little_endian)
  local rest = string.sub(data, #data - #data % BLOCK_BYTES + 1)
  local bits = #data * 8
  local high, low = tobit(floor(bits / WORD)), tobit(bits % WORD)
  local length = is_little_endian and bytes_of(bswap(low)) .. bytes_of(bswap(high)) or bytes_of(high) .. bytes_of(low)
  return rest .. "\128" .. rep("\0", (BLOCK_BYTES - 9 - #rest) % BLOCK_BYTES) .. length
end

-- Calls `mix` for each block, which is in `words` then.
local function each_block(data, words, is_little_endian, mix)
  local function each(text, stop)
    for start = 1, stop, BLOCK_BYTES do
      for index = 0, 15 do
        local a, b, c, d = byte(text, start + index * 4, start + index * 4 + 3)
        local word = bor(lshift(a, 24), lshift(b, 16), lshift(c, 8), d)
        words[index] = is_little_endian and bswap(word) or word
      end
      mix()
    end
  end
  each(data, #data - #data % BLOCK_BYTES)
  local last = last_blocks(data, is_little_endian)
  each(last, #last)
end

local hashes = {}

local MD5_TURNS = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } } -- four in each round
local MD5_ADD, MD5_TURN = {}, {}
for index = 0, 63 do
  MD5_ADD[index] = tobit(floor(math.abs(math.sin(index + 1)) * WORD))
  MD5_TURN[index] = MD5_TURNS[floor(index / 16) + 1][index % 4 + 1]
end

function hashes.md5(data)
  local words = {}
  local h0, h1, h2, h3 = 0x67452301, tobit(0xefcdab89), tobit(0x98badcfe), 0x10325476
  each_block(data, words, true, function()
    local a, b, c, d = h0, h1, h2, h3
    for index = 0, 63 do
      local mixed, at
      if index < 16 then
        mixed, at = bor(band(b, c), band(bnot(b), d)), index
      elseif index < 32 then
        mixed, at = bor(band(d, b), band(bnot(d), c)), band(5 * index + 1, 15)
      elseif index < 48 then
        mixed, at = bxor(b, c, d), band(3 * index + 5, 15)
      else
        mixed, at = bxor(c, bor(b, bnot(d))), band(7 * index, 15)
      end
      local turned = rol(tobit(a + mixed + MD5_ADD[index] + words[at]), MD5_TURN[index])
      a, d, c, b = d, c, b, tobit(b + turned)
    end
    h0, h1, h2, h3 = tobit(h0 + a), tobit(h1 + b), tobit(h2 + c), tobit(h3 + d)
  end)
  return bytes_of(bswap(h0)) .. bytes_of(bswap(h1)) .. bytes_of(bswap(h2)) .. bytes_of(bswap(h3))
end

function hashes.sha1(data)
  local words = {}
  local h0, h1, h2, h3, h4 = 0x67452301, tobit(0xefcdab89), tobit(0x98badcfe), 0x10325476, tobit(0xc3d2e1f0)
  each_block(data, words, false, function()
    for index = 16, 79 do
      words[index] = rol(bxor(words[index - 3], words[index - 8], words[index - 14], words[index - 16]), 1)
    end
    local a, b, c, d, e = h0, h1, h2, h3, h4
    for index = 0, 79 do
      local mixed
      if index < 20 then
        mixed = bxor(d, band(b, bxor(c, d))) + 0x5a827999
      elseif index < 40 then
        mixed = bxor(b, c, d) + 0x6ed9eba1
      elseif index < 60 then
        mixed = bor(band(b, c), band(d, bor(b, c))) + 0x8f1bbcdc
      else
        mixed = bxor(b, c, d) + 0xca62c1d6
      end
      a, b, c, d, e = tobit(rol(a, 5) + mixed + e + words[index]), a, rol(b, 30), c, d
    end
    h0, h1, h2, h3, h4 = tobit(h0 + a), tobit(h1 + b), tobit(h2 + c), tobit(h3 + d), tobit(h4 + e)
  end)
  return bytes_of(h0) .. bytes_of(h1) .. bytes_of(h2) .. bytes_of(h3) .. bytes_of(h4)
end

local SHA256_ADD, SHA256_START = {}, {}
for index, wide in ipairs(constants.add) do
  SHA256_ADD[index - 1] = tonumber(tobit(rshift(wide, 32)))
end
for index, wide in ipairs(constants.start) do
  SHA256_START[index - 1] = tonumber(tobit(rshift(wide, 32)))
end

function hashes.sha256(data)
  local words, state = {}, {}
  for index = 0, 7 do
    state[index] = SHA256_START[index]
  end
  each_block(data, words, false, function()
    for index = 16, 63 do
      local near, far = words[index - 2], words[index - 15]
      local first = bxor(ror(far, 7), ror(far, 18), rshift(far, 3))
      local second = bxor(ror(near, 17), ror(near, 19), rshift(near, 10))
      words[index] = tobit(words[index - 16] + first + words[index - 7] + second)
    end
    local a, b, c, d = state[0], state[1], state[2], state[3]
    local e, f, g, h = state[4], state[5], state[6], state[7]
    for index = 0, 63 do
      local chosen = bxor(g, band(e, bxor(f, g)))
      local first = tobit(h + bxor(ror(e, 6), ror(e, 11), ror(e, 25)) + chosen + SHA256_ADD[index] + words[index])
      local majority = bor(band(a, b), band(c, bor(a, b)))
      local second = bxor(ror(a, 2), ror(a, 13), ror(a, 22)) + majority
      a, b, c, d, e, f, g, h = tobit(first + second), a, b, c, tobit(d + first), e, f, g
    end
    state[0], state[1] = tobit(state[0] + a), tobit(state[1] + b)
    state[2], state[3] = tobit(state[2] + c), tobit(state[3] + d)
    state[4], state[5] = tobit(state[4] + e), tobit(state[5] + f)
    state[6], state[7] = tobit(state[6] + g), tobit(state[7] + h)
  end)
  local pieces = {}
  for index = 0, 7 do
    pieces[index + 1] = bytes_of(state[index])
  end
  return table.concat(pieces)
end

return hashes
