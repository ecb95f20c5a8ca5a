-- id of the function, now, "replace" or "put", then pairs of name and value. A value begins with "p" where it is plain, "s" for a secret.
local id = arg(1)
local key = M .. ':variables:' .. id
if redis.call('EXISTS', functionKey(id)) == 0 then return 'missing' end
for n = 4, #ARGV - 2, 2 do
  local known = redis.call('HGET', key, arg(n))
  if known and string.sub(known, 1, 1) ~= string.sub(arg(n + 1), 1, 1) then return 'taken' end
end
if arg(3) == 'replace' then
  local stored = redis.call('HGETALL', key)
  for n = 1, #stored, 2 do
    if string.sub(stored[n + 1], 1, 1) == 'p' then redis.call('HDEL', key, stored[n]) end
  end
end
for n = 4, #ARGV - 2, 2 do redis.call('HSET', key, arg(n), arg(n + 1)) end
touch(id, arg(2))
announce('variables', id)
return 'done'
