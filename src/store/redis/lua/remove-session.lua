-- hash
local removed = redis.call('HDEL', M .. ':sessions', arg(1))
if removed == 1 then announce('sessions', '') end
return removed
