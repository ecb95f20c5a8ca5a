-- now, key
if isExpired(ARGV[2]) then return false end
return redis.call('HGET', K .. ':v', ARGV[2])
