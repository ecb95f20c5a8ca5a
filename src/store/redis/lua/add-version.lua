-- id for a new function, name, its settings, least number, now, activate, reuse, key of sameness, meta, language,
-- retention rule of a new function, must it be new, then references
local newId, name, settings, nowMs, meta = arg(1), arg(2), arg(3), arg(5), arg(9)
local upload = cjson.decode(meta).upload
local id = redis.call('HGET', M .. ':names', name)
if id and arg(12) == '1' then return { 'taken' } end
if id and upload and redis.call('HEXISTS', M .. ':labels:' .. id, upload.label) == 1 then return { 'exists' } end

local number
if id and arg(7) == '1' then
  local same = M .. ':same:' .. id
  local found = redis.call('ZREVRANGEBYLEX', same, '(' .. arg(8) .. ';', '[' .. arg(8) .. ':', 'LIMIT', 0, 1)[1]
  if found then number = string.format('%.0f', tonumber(string.sub(found, #arg(8) + 2))) end
end
local isNew = not number
if isNew then
  for n = 13, #ARGV - 2 do
    if redis.call('EXISTS', M .. ':' .. arg(n)) == 0 then return { 'again' } end
  end
  if not id then
    id = newId
    createFunction(id, name, settings, arg(11), nowMs)
  end
  local last = tonumber(redis.call('HGET', functionKey(id), 'last'))
  number = string.format('%.0f', math.max(last + 1, tonumber(arg(4))))
  redis.call('HSET', functionKey(id), 'last', number)
  for n = 13, #ARGV - 2 do
    redis.call('PERSIST', M .. ':' .. arg(n))
    redis.call('HINCRBY', M .. ':refs', arg(n), 1)
  end
  redis.call('HSET', M .. ':versions:' .. id, number, meta)
  redis.call('ZADD', M .. ':numbers:' .. id, number, number)
  redis.call('ZADD', M .. ':same:' .. id, 0, arg(8) .. ':' .. padded(number))
  if upload then
    redis.call('HSET', M .. ':labels:' .. id, upload.label, number)
    redis.call('HSET', M .. ':upload-ids', upload.id, id .. ' ' .. number)
    redis.call('ZADD', M .. ':uploads', 0, uploadMember(cjson.decode(meta), number))
  end
end

if arg(6) == '1' then
  if redis.call('HGET', functionKey(id), 'activeVersion') ~= number then
    redis.call('HSET', functionKey(id), 'activeVersion', number, 'language', arg(10))
    touch(id, nowMs)
  end
elseif isNew then
  touch(id, nowMs)
end
announce('function', id)
return { 'done', id, number, isNew and '1' or '0', redis.call('HGET', M .. ':versions:' .. id, number) }
