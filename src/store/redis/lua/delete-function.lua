-- id, now. What lies in other slots is left to whoever works off ":deleted".
local id = arg(1)
local key = functionKey(id)
local name, createdAtMs, updatedAtMs = unpack(redis.call('HMGET', key, 'name', 'createdAtMs', 'updatedAtMs'))
if not name then return 0 end
for _, number in ipairs(redis.call('HKEYS', M .. ':versions:' .. id)) do removeVersion(id, number) end
redis.call('HDEL', M .. ':names', name)
redis.call('ZREM', M .. ':by-name', name)
redis.call('ZREM', M .. ':by-created', padded(createdAtMs) .. id)
redis.call('ZREM', M .. ':by-updated', padded(updatedAtMs) .. id)
setRule(id, '')
redis.call('UNLINK', key, M .. ':aliases:' .. id, M .. ':variables:' .. id, M .. ':labels:' .. id)
redis.call('ZADD', M .. ':deleted', arg(2), id)
announce('removed', id)
return 1
