-- Says hello to whoever is named in the query.
function handler(ctx, event)
  return { body = { hello = event.query.name or "world" } }
end
