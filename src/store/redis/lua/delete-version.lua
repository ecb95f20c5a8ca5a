-- id of the function, number, now
local id, number = arg(1), arg(2)
if redis.call('HEXISTS', M .. ':versions:' .. id, number) == 0 then return 'missing' end
if redis.call('HGET', functionKey(id), 'activeVersion') == number then return 'in-use' end
for _, targets in ipairs(redis.call('HVALS', M .. ':aliases:' .. id)) do
  for _, target in ipairs(cjson.decode(targets)) do
    if target.version == tonumber(number) then return 'in-use' end
  end
end
removeVersion(id, number)
touch(id, arg(3))
announce('version-removed', id .. ' ' .. number)
return 'done'
