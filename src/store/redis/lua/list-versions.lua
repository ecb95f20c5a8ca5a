-- id of the function, number before which they begin, how many
local id = arg(1)
local name = redis.call('HGET', functionKey(id), 'name')
local versions = {}
if not name then return versions end
for _, number in ipairs(redis.call('ZREVRANGEBYSCORE', M .. ':numbers:' .. id, '(' .. arg(2), '-inf', 'LIMIT', 0, arg(3))) do
  versions[#versions + 1] = { id, name, number, redis.call('HGET', M .. ':versions:' .. id, number) }
end
return versions
