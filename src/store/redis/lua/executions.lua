-- Before every script over executions. KEYS[1] is "<prefix>{exec}", so that all of it is in one slot. Each execution has a
-- sequence, in the order of appending:
--   ":s:<sequence>" its summary, ":d:" event, response and lines, ":w:" the words of its error and lines
--   ":all" id by sequence, ":f:<function>" and ":st:<status>" sequences (none for success), ":nodes-of" who runs it
--   ":m:<function>:<day>" numbers by minute, ":days:<function>" the days that there are
local E = KEYS[1]

local function text(number)
  return string.format('%.0f', number)
end

local function remove(sequence)
  local stored = redis.call('GET', E .. ':s:' .. sequence)
  if not stored then return end
  local summary = cjson.decode(stored)
  redis.call('ZREM', E .. ':all', summary.id)
  if summary.functionId then redis.call('ZREM', E .. ':f:' .. summary.functionId, sequence) end
  redis.call('ZREM', E .. ':st:' .. summary.status, sequence)
  redis.call('HDEL', E .. ':nodes-of', sequence)
  redis.call('UNLINK', E .. ':s:' .. sequence, E .. ':d:' .. sequence, E .. ':w:' .. sequence)
end

-- Removes what is beyond `keep`, at most `limit`; returns how many.
local function removeBeyond(keep, limit)
  local excess = math.min(redis.call('ZCARD', E .. ':all') - keep, limit)
  if excess <= 0 then return 0 end
  local oldest = redis.call('ZRANGE', E .. ':all', 0, excess - 1, 'WITHSCORES')
  for n = 2, #oldest, 2 do remove(oldest[n]) end
  return excess
end

-- A rule is a number to keep or "-", and a time before which nothing is kept or "-"; returns how many it removed.
local function enforce(functionId, rule, limit)
  local key = E .. ':f:' .. functionId
  local count, fromMs = string.match(rule, '^(%S+) (%S+)$')
  local removed = 0
  if count ~= '-' then
    local excess = math.min(redis.call('ZCARD', key) - tonumber(count), limit)
    if excess > 0 then
      for _, sequence in ipairs(redis.call('ZRANGE', key, 0, excess - 1)) do remove(sequence) end
      removed = excess
    end
  end
  if fromMs == '-' then return removed end
  while removed < limit do
    local sequence = redis.call('ZRANGE', key, 0, 0)[1]
    local stored = sequence and redis.call('GET', E .. ':s:' .. sequence)
    if not stored or cjson.decode(stored).queuedAtMs >= tonumber(fromMs) then break end
    remove(sequence)
    removed = removed + 1
  end
  return removed
end
