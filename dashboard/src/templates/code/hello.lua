-- Says hello: ?name=Ada
function handler(ctx, event)
  local query = event.query or {}
  return { body = { hello = query.name or "world" } }
end
