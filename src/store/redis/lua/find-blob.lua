-- hash. Bytes that are on their way to a version do not count yet.
if redis.call('HEXISTS', M .. ':refs', 'blob:' .. arg(1)) == 0 then return false end
return redis.call('GET', M .. ':blob:' .. arg(1))
