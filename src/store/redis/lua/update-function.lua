-- id, now, "1" and a name or "0", then perhaps settings and retention rule
local id, nowMs = arg(1), arg(2)
local key = functionKey(id)
local before = redis.call('HGET', key, 'name')
if not before then return 'missing' end
local name = arg(4)
if arg(3) == '1' and name ~= before then
  if redis.call('HEXISTS', M .. ':names', name) == 1 then return 'taken' end
  redis.call('HDEL', M .. ':names', before)
  redis.call('ZREM', M .. ':by-name', before)
  redis.call('HSET', M .. ':names', name, id)
  redis.call('ZADD', M .. ':by-name', 0, name)
  redis.call('HSET', key, 'name', name)
end
if arg(5) then
  redis.call('HSET', key, 'settings', arg(5))
  setRule(id, arg(6))
end
touch(id, nowMs)
announce('function', id)
return readFunction(id)
