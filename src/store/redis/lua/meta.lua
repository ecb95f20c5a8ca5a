-- Before every script over functions and what is deployed. KEYS[1] is "<prefix>{meta}", so that all of it is in one slot.
-- ARGV[1] is the node that asks, ARGV[2] the channel on which changes are told; arg(n) is the n-th argument of the script.
local M = KEYS[1]

local function arg(n)
  return ARGV[n + 2]
end

local function functionKey(id)
  return M .. ':fn:' .. id
end

-- 16 digits, so that the order of bytes is that of numbers.
local function padded(number)
  return string.format('%016.0f', tonumber(number))
end

local function readFunction(id)
  local fields = redis.call('HGETALL', functionKey(id))
  if #fields == 0 then return false end
  fields[#fields + 1] = 'id'
  fields[#fields + 1] = id
  return fields
end

-- In the same step as the change itself: whoever sees the number knows of every change up to it.
local function announce(kind, id)
  local number = redis.call('INCR', M .. ':changes')
  redis.call('PUBLISH', ARGV[2], string.format('%.0f', number) .. ' ' .. ARGV[1] .. ' ' .. kind .. ' ' .. id)
end

local function touch(id, nowMs)
  local key = functionKey(id)
  local before = redis.call('HGET', key, 'updatedAtMs')
  redis.call('ZREM', M .. ':by-updated', padded(before) .. id)
  redis.call('ZADD', M .. ':by-updated', 0, padded(nowMs) .. id)
  redis.call('HSET', key, 'updatedAtMs', nowMs)
end

local function setRule(id, rule)
  if rule == '' then redis.call('HDEL', M .. ':rules', id) else redis.call('HSET', M .. ':rules', id, rule) end
end

local function createFunction(id, name, settings, rule, nowMs)
  redis.call('HSET', functionKey(id), 'name', name, 'settings', settings, 'last', '0', 'createdAtMs', nowMs, 'updatedAtMs', nowMs)
  redis.call('HSET', M .. ':names', name, id)
  redis.call('ZADD', M .. ':by-name', 0, name)
  redis.call('ZADD', M .. ':by-created', 0, padded(nowMs) .. id)
  redis.call('ZADD', M .. ':by-updated', 0, padded(nowMs) .. id)
  setRule(id, rule)
end

-- Texts and bytes are kept once, with the number of versions that have them. `ref` is "code:<hash>" or "blob:<hash>".
local function release(ref)
  if redis.call('HINCRBY', M .. ':refs', ref, -1) > 0 then return end
  redis.call('HDEL', M .. ':refs', ref)
  redis.call('UNLINK', M .. ':' .. ref)
end

local function uploadMember(meta, number)
  return padded(meta.createdAtMs) .. ':' .. padded(number) .. ':' .. meta.upload.id
end

local function removeVersion(id, number)
  local meta = cjson.decode(redis.call('HGET', M .. ':versions:' .. id, number))
  release('code:' .. meta.contentHash)
  for _, artifact in pairs(meta.artifacts) do release('blob:' .. artifact.hash) end
  if meta.upload then
    redis.call('HDEL', M .. ':labels:' .. id, meta.upload.label)
    redis.call('HDEL', M .. ':upload-ids', meta.upload.id)
    redis.call('ZREM', M .. ':uploads', uploadMember(meta, number))
  end
  redis.call('HDEL', M .. ':versions:' .. id, number)
  redis.call('ZREM', M .. ':numbers:' .. id, number)
  redis.call('ZREM', M .. ':same:' .. id, meta.sameKey .. ':' .. padded(number))
end
