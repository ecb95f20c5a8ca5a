-- The module `crypto`: hashes as hexadecimal text.

local arguments = require("arguments")
local lazy = require("lazy")
local system = require("system")

local bxor = bit.bxor
local byte, char, format = string.byte, string.char, string.format
local gsub, rep, sub = string.gsub, string.rep, string.sub

local hashes, sha512 = lazy("modules.hashes"), lazy("modules.sha512")

-- Each takes bytes and returns bytes.
local HASHES = {
  sha512 = function(bytes)
    return sha512()(bytes)
  end,
}
for _, name in ipairs({ "md5", "sha1", "sha256" }) do
  HASHES[name] = function(bytes)
    return hashes()[name](bytes)
  end
end

local BLOCK_BYTES = { sha1 = 64, sha256 = 64, sha512 = 128 }

local function hex(bytes)
  return (gsub(bytes, ".", function(character)
    return format("%02x", byte(character))
  end))
end

local function xor_each(text, value)
  return (gsub(text, ".", function(character)
    return char(bxor(byte(character), value))
  end))
end

-- RFC 2104.
local function hmac(hash, block_bytes, message, key)
  if #key > block_bytes then
    key = hash(key)
  end
  key = key .. rep("\0", block_bytes - #key)
  return hash(xor_each(key, 0x5C) .. hash(xor_each(key, 0x36) .. message))
end

local crypto = {}

for name, hash in pairs(HASHES) do
  crypto[name] = function(data)
    return hex(hash(arguments.text(data, 1, name)))
  end
end

for name, block_bytes in pairs(BLOCK_BYTES) do
  local full_name = "hmac_" .. name
  crypto[full_name] = function(message, key)
    message, key = arguments.text(message, 1, full_name), arguments.text(key, 2, full_name)
    return hex(hmac(HASHES[name], block_bytes, message, key))
  end
end

-- Version 4: all chance but for six bits.
function crypto.uuid()
  local bytes = system.random_bytes(16)
  local version = char(0x40 + byte(bytes, 7) % 16)
  local variant = char(0x80 + byte(bytes, 9) % 64)
  local digits = hex(sub(bytes, 1, 6) .. version .. sub(bytes, 8, 8) .. variant .. sub(bytes, 10))
  return (gsub(digits, "^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)", "%1-%2-%3-%4-"))
end

return crypto
