-- function, how many. Removes what belonged to a deleted function; returns how many executions it removed.
local sequences = redis.call('ZRANGE', E .. ':f:' .. ARGV[1], 0, ARGV[2] - 1)
for _, sequence in ipairs(sequences) do remove(sequence) end
for _, day in ipairs(redis.call('SMEMBERS', E .. ':days:' .. ARGV[1])) do
  redis.call('UNLINK', E .. ':m:' .. ARGV[1] .. ':' .. day)
end
redis.call('UNLINK', E .. ':days:' .. ARGV[1])
return #sequences
