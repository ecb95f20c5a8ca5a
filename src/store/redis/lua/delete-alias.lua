-- id of the function, name
local removed = redis.call('HDEL', M .. ':aliases:' .. arg(1), arg(2))
if removed == 1 then announce('function', arg(1)) end
return removed
