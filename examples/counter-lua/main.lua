-- Counts its calls. `kv.incr` reads and writes in one step, so no call is lost however many come at once.
function handler(ctx, event)
  local count, problem = kv.incr("count")
  if not count then
    log.error(problem)
    return { statusCode = 503, body = { error = "the count is not available" } }
  end
  return { body = { count = count } }
end
