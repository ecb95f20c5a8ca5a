-- id of the function, name, targets, now, then the numbers that must be there
local id = arg(1)
if redis.call('EXISTS', functionKey(id)) == 0 then return 0 end
for n = 5, #ARGV - 2 do
  if redis.call('HEXISTS', M .. ':versions:' .. id, arg(n)) == 0 then return 0 end
end
redis.call('HSET', M .. ':aliases:' .. id, arg(2), arg(3))
touch(id, arg(4))
announce('function', id)
return 1
