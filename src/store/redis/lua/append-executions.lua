-- node, how many to keep, how many may be removed, number of rules, then pairs of function and rule, then the executions:
-- id, function or "", status, queuedAtMs, runMs, cold "1" or "0", bucket of the histogram, cpuMs, peak bytes, summary, details or "", words or ""
local node, keep, limit, rules = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local CELLS, FIRST = 12, 5 + 2 * rules
local DAY_MINUTES, KEPT_SECONDS = 1440, 101 * 86400
local blocks, minutes = {}, {}

local function count(functionId, status, queuedAtMs, runMs, isCold, bucket, cpuMs, peak)
  local key = functionId .. ' ' .. text(math.floor(queuedAtMs / 60000))
  local sum = minutes[key]
  if not sum then
    sum = { calls = 0, errors = 0, cold = 0, runMs = 0, max = 0, cpuMs = 0, peak = 0, buckets = {} }
    minutes[key] = sum
  end
  sum.calls = sum.calls + 1
  if status ~= 'success' then sum.errors = sum.errors + 1 end
  if isCold then sum.cold = sum.cold + 1 end
  sum.runMs = sum.runMs + runMs
  sum.max = math.max(sum.max, runMs)
  sum.cpuMs, sum.peak = sum.cpuMs + cpuMs, math.max(sum.peak, peak)
  sum.buckets[bucket] = (sum.buckets[bucket] or 0) + 1
end

local function put(at)
  local id, functionId, status = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if functionId ~= '' and redis.call('ZSCORE', E .. ':deleted', functionId) then return end
  local known = redis.call('ZSCORE', E .. ':all', id)
  local sequence
  if known then
    sequence = text(tonumber(known))
    local before = cjson.decode(redis.call('GET', E .. ':s:' .. sequence))
    if before.status ~= 'running' then return end
    remove(sequence)
  else
    sequence = text(redis.call('INCR', E .. ':last'))
  end
  redis.call('ZADD', E .. ':all', sequence, id)
  if functionId ~= '' then redis.call('ZADD', E .. ':f:' .. functionId, sequence, sequence) end
  if status ~= 'success' then redis.call('ZADD', E .. ':st:' .. status, sequence, sequence) end
  if status == 'running' then redis.call('HSET', E .. ':nodes-of', sequence, node) end
  redis.call('SET', E .. ':s:' .. sequence, ARGV[at + 9])
  if ARGV[at + 10] ~= '' then redis.call('SET', E .. ':d:' .. sequence, ARGV[at + 10]) end
  if ARGV[at + 11] ~= '' then redis.call('SET', E .. ':w:' .. sequence, ARGV[at + 11]) end

  local queuedAtMs = tonumber(ARGV[at + 3])
  local block = text(math.floor(tonumber(sequence) / 1024))
  local times = blocks[block]
  if not times then
    blocks[block] = { queuedAtMs, queuedAtMs }
  else
    times[1], times[2] = math.min(times[1], queuedAtMs), math.max(times[2], queuedAtMs)
  end
  if functionId ~= '' and status ~= 'running' then
    count(functionId, status, queuedAtMs, tonumber(ARGV[at + 4]), ARGV[at + 5] == '1', ARGV[at + 6], tonumber(ARGV[at + 7]),
      tonumber(ARGV[at + 8]))
  end
end

for at = FIRST, #ARGV, CELLS do put(at) end

for block, times in pairs(blocks) do
  local first, last = string.match(redis.call('HGET', E .. ':blocks', block) or '', '^(%S+) (%S+)$')
  if first then times[1], times[2] = math.min(times[1], tonumber(first)), math.max(times[2], tonumber(last)) end
  redis.call('HSET', E .. ':blocks', block, text(times[1]) .. ' ' .. text(times[2]))
end

for key, sum in pairs(minutes) do
  local functionId, minute = string.match(key, '^(.*) (%d+)$')
  local day = text(math.floor(tonumber(minute) / DAY_MINUTES))
  local place, days = E .. ':m:' .. functionId .. ':' .. day, E .. ':days:' .. functionId
  local stored = redis.call('HGET', place, minute)
  if stored then
    local calls, errors, cold, runMs, max, cpuMs, peak, histogram =
      string.match(stored, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
    sum.calls, sum.errors, sum.cold = sum.calls + calls, sum.errors + errors, sum.cold + cold
    sum.runMs, sum.max = sum.runMs + runMs, math.max(sum.max, tonumber(max))
    sum.cpuMs, sum.peak = sum.cpuMs + cpuMs, math.max(sum.peak, tonumber(peak))
    for bucket, times in string.gmatch(histogram, '(%d+):(%d+)') do
      sum.buckets[bucket] = (sum.buckets[bucket] or 0) + times
    end
  end
  local histogram = {}
  for bucket, times in pairs(sum.buckets) do histogram[#histogram + 1] = bucket .. ':' .. text(times) end
  redis.call('HSET', place, minute, string.format('%.0f %.0f %.0f %.17g %.17g %.17g %.0f %s',
    sum.calls, sum.errors, sum.cold, sum.runMs, sum.max, sum.cpuMs, sum.peak, table.concat(histogram, ',')))
  redis.call('SADD', days, day)
  redis.call('EXPIRE', place, KEPT_SECONDS)
  redis.call('EXPIRE', days, KEPT_SECONDS)
end

removeBeyond(keep, limit)
for n = 5, FIRST - 1, 2 do enforce(ARGV[n], ARGV[n + 1], limit) end
return 1
