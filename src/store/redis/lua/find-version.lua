-- id of the function, number or "" for the active one
local id, number = arg(1), arg(2)
local name, active = unpack(redis.call('HMGET', functionKey(id), 'name', 'activeVersion'))
if number == '' then number = active end
local meta = name and number and redis.call('HGET', M .. ':versions:' .. id, number)
if not meta then return false end
return { id, name, number, meta, redis.call('GET', M .. ':code:' .. cjson.decode(meta).contentHash) }
