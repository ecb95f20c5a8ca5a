-- id, the key
if redis.call('HSETNX', M .. ':keys', arg(1), arg(2)) == 0 then return 0 end
announce('keys', '')
return 1
