-- now, from, to (as ZRANGEBYLEX has them), how many
local from, left = ARGV[2], tonumber(ARGV[4])
local listed = {}
while left > 0 do
  local keys = redis.call('ZRANGEBYLEX', K .. ':k', from, ARGV[3], 'LIMIT', 0, left)
  for _, key in ipairs(keys) do
    from = '(' .. key
    if not isExpired(key) then
      left = left - 1
      listed[#listed + 1] = { key, redis.call('HGET', K .. ':v', key), redis.call('ZSCORE', K .. ':x', key) }
    end
  end
  if #keys == 0 then break end
end
return listed
