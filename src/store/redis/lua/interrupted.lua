-- The node that asks, "own" or "others". Ids of what is stored as running on nodes that are not there any more, or on itself.
local ids = {}
for _, sequence in ipairs(redis.call('ZRANGE', E .. ':st:running', 0, -1)) do
  local node = redis.call('HGET', E .. ':nodes-of', sequence)
  local isGone
  if node == ARGV[1] then
    isGone = ARGV[2] == 'own'
  else
    isGone = not node or redis.call('EXISTS', E .. ':node:' .. node) == 0
  end
  if isGone then
    ids[#ids + 1] = cjson.decode(redis.call('GET', E .. ':s:' .. sequence)).id
  end
end
return ids
