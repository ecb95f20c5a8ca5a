-- "id" or "name", then values: the first of these that is there.
for n = 2, #ARGV - 2 do
  local id = arg(n)
  if arg(1) == 'name' then id = redis.call('HGET', M .. ':names', id) end
  local found = id and readFunction(id)
  if found then return found end
end
return false
