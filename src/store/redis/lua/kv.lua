-- Before every script over keys and values. KEYS[1] is "<prefix>{fn:<id>}" or "<prefix>{global}": each function has its slot.
-- ":v" values by key, ":k" keys in the order of their bytes, ":x" when they expire, ":b" bytes of keys and values together.
local K = KEYS[1]
local nowMs = tonumber(ARGV[1])

local function isExpired(key)
  local expiresAtMs = redis.call('ZSCORE', K .. ':x', key)
  return expiresAtMs and tonumber(expiresAtMs) <= nowMs
end

local function remove(key)
  local value = redis.call('HGET', K .. ':v', key)
  redis.call('HDEL', K .. ':v', key)
  redis.call('ZREM', K .. ':x', key)
  redis.call('ZREM', K .. ':k', key)
  redis.call('DECRBY', K .. ':b', #key + #value)
end

local function removeExpired(limit)
  local keys = redis.call('ZRANGEBYSCORE', K .. ':x', '-inf', ARGV[1], 'LIMIT', 0, limit)
  for _, key in ipairs(keys) do remove(key) end
  return #keys
end
