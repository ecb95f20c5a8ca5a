-- now, limit of bytes, "global" or "function", kind, key, then what the kind needs
local limitBytes, kind, key = tonumber(ARGV[2]), ARGV[4], ARGV[5]
if ARGV[3] == 'function' and redis.call('EXISTS', K .. ':alive') == 0 then return { 'ok', 0, false } end
removeExpired(16)
local before = redis.call('HGET', K .. ':v', key)
if before and isExpired(key) then before = false end

-- "keep" leaves the time at which the key expires as it is.
local function put(value, expiresAtMs)
  for _ = 1, 20 do -- 10,000 keys, some 50 ms: more go with the changes that follow
    local stored = redis.call('HGET', K .. ':v', key)
    local grownBytes = #value - (stored and #stored or -#key)
    if grownBytes <= 0 or tonumber(redis.call('GET', K .. ':b') or '0') + grownBytes <= limitBytes then
      redis.call('HSET', K .. ':v', key, value)
      redis.call('ZADD', K .. ':k', 0, key)
      redis.call('INCRBY', K .. ':b', grownBytes)
      if expiresAtMs == '' or (expiresAtMs == 'keep' and not before) then
        redis.call('ZREM', K .. ':x', key)
      elseif expiresAtMs ~= 'keep' then
        redis.call('ZADD', K .. ':x', expiresAtMs, key)
      end
      return { 'ok', 1, value }
    end
    if removeExpired(500) == 0 then return { 'full' } end
  end
  return { 'full' }
end

if kind == 'set' then return put(ARGV[6], ARGV[7]) end

if kind == 'delete' then
  if not before then return { 'ok', 0, false } end
  remove(key)
  return { 'ok', 1, false }
end

if kind == 'incr' then
  -- Whole numbers that a double holds exactly. Others are left to the caller: Lua and JavaScript write fractions differently.
  local stored = before or '0'
  local digits = string.match(stored, '^"?(%-?%d+)"?$')
  local by = string.match(ARGV[6], '^%-?%d+$')
  if not digits or not by or #digits > 15 or #by > 15 then return { 'other', before } end
  local sum = tonumber(digits) + tonumber(by)
  return put(sum == 0 and '0' or string.format('%.0f', sum), 'keep')
end

-- A swap: "1" and the old value or "0" and nothing, then the same of the next one.
local old = ARGV[6] == '1' and ARGV[7]
if before ~= old then return { 'ok', 0, before } end
if ARGV[8] == '1' then return put(ARGV[9], 'keep') end
if before then remove(key) end
return { 'ok', 1, false }
