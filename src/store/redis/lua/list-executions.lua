-- place to look in, sequences (first included, second not), how many to look at, how many to find, filter, then words.
-- Returns the sequence of the last one that was looked at or "" where there are no more, then pairs of sequence and summary.
local looked, wanted, filter = tonumber(ARGV[4]), tonumber(ARGV[5]), cjson.decode(ARGV[6])
local rows = redis.call('ZREVRANGEBYSCORE', E .. ':' .. ARGV[1], '(' .. ARGV[3], ARGV[2], 'WITHSCORES', 'LIMIT', 0, looked)
local deleted = {}

local function isDeleted(functionId)
  if deleted[functionId] == nil then
    deleted[functionId] = redis.call('ZSCORE', E .. ':deleted', functionId) and true or false
  end
  return deleted[functionId]
end

local function fits(summary, sequence)
  for _, name in ipairs({ 'functionId', 'functionName', 'version', 'status', 'trigger' }) do
    if filter[name] ~= nil and summary[name] ~= filter[name] then return false end
  end
  if filter.fromMs and summary.queuedAtMs < filter.fromMs then return false end
  if filter.toMs and summary.queuedAtMs >= filter.toMs then return false end
  if summary.functionId and isDeleted(summary.functionId) then return false end
  if ARGV[7] then
    local words = redis.call('GET', E .. ':w:' .. sequence)
    if not words then return false end
    for n = 7, #ARGV do
      if not string.find(words, ' ' .. ARGV[n], 1, true) then return false end
    end
  end
  return true
end

local found = { '' }
for n = 2, #rows, 2 do
  local sequence = text(tonumber(rows[n]))
  local stored = redis.call('GET', E .. ':s:' .. sequence)
  if stored and fits(cjson.decode(stored), sequence) then
    found[#found + 1] = sequence
    found[#found + 1] = stored
  end
  if #found > 2 * wanted then
    found[1] = sequence
    return found
  end
end
if #rows == 2 * looked then found[1] = text(tonumber(rows[#rows])) end
return found
