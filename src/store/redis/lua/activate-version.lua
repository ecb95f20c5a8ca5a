-- id of the function, number, now
local id, number = arg(1), arg(2)
local meta = redis.call('HGET', M .. ':versions:' .. id, number)
if not meta then return 'missing' end
redis.call('HSET', functionKey(id), 'activeVersion', number, 'language', cjson.decode(meta).language)
touch(id, arg(3))
announce('function', id)
return 'done'
