// What BullMQ has no command for, each in one step. Its own keys are a prefix with the job's id behind it: a hash, and beside it the lock
// of whoever runs the job. Our fields in that hash begin with `x:`.

/** KEYS: job, lock. ARGV: token, then fields and values. 1 where the lock is still the token's. */
export const WRITE_IF_HELD = `
  if redis.call("GET", KEYS[2]) ~= ARGV[1] then return 0 end
  redis.call("HSET", KEYS[1], unpack(ARGV, 2))
  return 1
`;

/**
 * KEYS: job, lock, BullMQ's set of jobs that may be stalled, what the names of places begin with. ARGV: token, lease in milliseconds,
 * the job's id, the lease's end. 0: the lease is lost; 1: kept; 2: kept, but the job is to be cancelled.
 */
export const EXTEND = `
  if redis.call("GET", KEYS[2]) ~= ARGV[1] then return 0 end
  redis.call("SET", KEYS[2], ARGV[1], "PX", ARGV[2])
  redis.call("SREM", KEYS[3], ARGV[3])
  local place = redis.call("HGET", KEYS[1], "x:place")
  if place then redis.call("ZADD", KEYS[4] .. place, ARGV[4], ARGV[3]) end
  if redis.call("HEXISTS", KEYS[1], "x:cancel") == 1 then return 2 end
  return 1
`;

/**
 * Makes a claim of a job that BullMQ has locked for a token, with what is written of it. KEYS: job, lock, BullMQ's set of jobs that may be
 * stalled, its jobs that wait for a time, the places of the job's limit (a sorted set by the ends of leases). ARGV: token, lease in
 * milliseconds, the job's id, now, the lease's end, the limit ("": none), 1 where the caller has seen the whole hash, then fields and
 * values. Answers "lost" (or the job is gone); "known" and the hash, of which the caller has not seen our fields; "full" where the limit has no place; or
 * "begun" and the score of the first that waits for a time.
 */
export const BEGIN = `
  if redis.call("GET", KEYS[2]) ~= ARGV[1] or redis.call("HEXISTS", KEYS[1], "data") == 0 then return {"lost"} end
  if ARGV[7] ~= "1" then
    for _, field in ipairs(redis.call("HKEYS", KEYS[1])) do
      if string.sub(field, 1, 2) == "x:" then return {"known", redis.call("HGETALL", KEYS[1])} end
    end
  end
  if ARGV[6] ~= "" then
    redis.call("ZREMRANGEBYSCORE", KEYS[5], "-inf", ARGV[4])
    if not redis.call("ZSCORE", KEYS[5], ARGV[3]) and redis.call("ZCARD", KEYS[5]) >= tonumber(ARGV[6]) then return {"full"} end
    redis.call("ZADD", KEYS[5], ARGV[5], ARGV[3])
  end
  redis.call("HSET", KEYS[1], unpack(ARGV, 8))
  redis.call("SET", KEYS[2], ARGV[1], "PX", ARGV[2])
  redis.call("SREM", KEYS[3], ARGV[3])
  return {"begun", redis.call("ZRANGE", KEYS[4], 0, 0, "WITHSCORES")[2]}
`;

/**
 * KEYS: the places of one limit, those who are parked for want of one. ARGV: the id of whoever has a place no longer. The one that has waited
 * longest, which is parked no more.
 */
export const LEAVE_PLACE = `
  redis.call("ZREM", KEYS[1], ARGV[1])
  return redis.call("ZPOPMIN", KEYS[2])[1]
`;

/**
 * KEYS: job, lock. Answers whether it is missing, over, running, or else cancelled: whoever claims it next finds the mark and ends it.
 */
export const CANCEL = `
  if redis.call("EXISTS", KEYS[1]) == 0 then return "missing" end
  if redis.call("HEXISTS", KEYS[1], "x:end") == 1 or redis.call("HEXISTS", KEYS[1], "finishedOn") == 1 then return "over" end
  local isRunning = redis.call("EXISTS", KEYS[2]) == 1
  if not isRunning and redis.call("HEXISTS", KEYS[1], "x:cancel") == 1 then return "over" end
  redis.call("HSET", KEYS[1], "x:cancel", ARGV[1])
  return isRunning and "running" or "cancelled"
`;

/**
 * KEYS: job, lock. Makes it as if it had never been begun; its history stays. "finished": BullMQ has to put it back; "queued": it waits
 * already.
 */
export const RENEW = `
  if redis.call("EXISTS", KEYS[1]) == 0 then return "missing" end
  local isOver = redis.call("HEXISTS", KEYS[1], "finishedOn") == 1
  if isOver then
    local ending = redis.call("HGET", KEYS[1], "x:end")
    if ending and cjson.decode(ending).status == "completed" then return "not-dead" end
  elseif redis.call("HEXISTS", KEYS[1], "x:cancel") == 0 or redis.call("EXISTS", KEYS[2]) == 1 then
    return "not-dead"
  end
  local begun = tonumber(redis.call("HGET", KEYS[1], "ats") or "0") - tonumber(redis.call("HGET", KEYS[1], "x:released") or "0")
  redis.call("HDEL", KEYS[1], "x:end", "x:cancel", "x:error", "x:runAt")
  redis.call("HSET", KEYS[1], "x:base", begun, "x:runAt", ARGV[1])
  return isOver and "finished" or "queued"
`;

/** KEYS: key. ARGV: value, milliseconds. The value that is there already; false where it was set. */
export const SET_ONCE = `
  local known = redis.call("GET", KEYS[1])
  if known then return known end
  redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
  return false
`;
