-- id of the function, now, name, "p" or "s"
local key = M .. ':variables:' .. arg(1)
local known = redis.call('HGET', key, arg(3))
if not known or string.sub(known, 1, 1) ~= arg(4) then return 0 end
redis.call('HDEL', key, arg(3))
touch(arg(1), arg(2))
announce('variables', arg(1))
return 1
