-- how many to keep, how many may be removed, a time before which deletions are forgotten, then pairs of function and rule.
-- Returns how many executions it removed.
local limit = tonumber(ARGV[2])
local removed = removeBeyond(tonumber(ARGV[1]), limit)
for n = 4, #ARGV, 2 do
  if removed >= limit then break end
  removed = removed + enforce(ARGV[n], ARGV[n + 1], limit - removed)
end
redis.call('ZREMRANGEBYSCORE', E .. ':deleted', '-inf', '(' .. ARGV[3])
local first = redis.call('ZRANGE', E .. ':all', 0, 0, 'WITHSCORES')[2]
local lowest = first and math.floor(tonumber(first) / 1024) or math.floor(tonumber(redis.call('GET', E .. ':last') or '0') / 1024)
for _, block in ipairs(redis.call('HKEYS', E .. ':blocks')) do
  if tonumber(block) < lowest then redis.call('HDEL', E .. ':blocks', block) end
end
return removed
