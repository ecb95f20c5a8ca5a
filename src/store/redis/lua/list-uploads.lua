-- Where they go on ("" from the start) and how many, or an id and "id"
local function found(uploadId)
  local place = redis.call('HGET', M .. ':upload-ids', uploadId)
  if not place then return false end
  local id, number = string.match(place, '^(%S+) (%d+)$')
  return { id, redis.call('HGET', functionKey(id), 'name'), number, redis.call('HGET', M .. ':versions:' .. id, number) }
end

if arg(2) == 'id' then return found(arg(1)) end
local from = arg(1) == '' and '+' or '(' .. arg(1)
local uploads = {}
for _, member in ipairs(redis.call('ZREVRANGEBYLEX', M .. ':uploads', from, '-', 'LIMIT', 0, arg(2))) do
  uploads[#uploads + 1] = found(string.sub(member, 35))
end
return uploads
