-- function, minutes (first included, second not). Pairs of minute and numbers, in no order.
local found = {}
local from, to = tonumber(ARGV[2]), tonumber(ARGV[3])
if redis.call('ZSCORE', E .. ':deleted', ARGV[1]) then return found end
for _, day in ipairs(redis.call('SMEMBERS', E .. ':days:' .. ARGV[1])) do
  if (tonumber(day) + 1) * 1440 > from and tonumber(day) * 1440 < to then
    local minutes = redis.call('HGETALL', E .. ':m:' .. ARGV[1] .. ':' .. day)
    for n = 1, #minutes, 2 do
      local minute = tonumber(minutes[n])
      if minute >= from and minute < to then
        found[#found + 1] = minutes[n]
        found[#found + 1] = minutes[n + 1]
      end
    end
  end
end
return found
