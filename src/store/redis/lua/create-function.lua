-- id, name, settings, retention rule, now
if redis.call('HEXISTS', M .. ':names', arg(2)) == 1 then return false end
createFunction(arg(1), arg(2), arg(3), arg(4), arg(5))
announce('function', arg(1))
return readFunction(arg(1))
