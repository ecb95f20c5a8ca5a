-- id
local sequence = redis.call('ZSCORE', E .. ':all', ARGV[1])
if not sequence then return false end
sequence = text(tonumber(sequence))
local stored = redis.call('GET', E .. ':s:' .. sequence)
local functionId = cjson.decode(stored).functionId
if functionId and redis.call('ZSCORE', E .. ':deleted', functionId) then return false end
return { stored, redis.call('GET', E .. ':d:' .. sequence) }
