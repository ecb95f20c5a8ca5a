-- Counts its calls. kv is this function's own store; incr reads and writes in one step, so no call is lost.
function handler(ctx, event)
  return { body = { count = kv.incr("count") } }
end
