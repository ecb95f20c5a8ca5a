-- What the shim's own parts know of the run in progress. User code cannot see it.

local context = {
  -- The function that the worker is bound to: {id, name, version, baseUrl}; nil for ad-hoc code.
  owner = nil,
  run_id = 0,
  -- Whether the run has printed something or called the server, so that it did something even if it returns nothing.
  has_acted = false,
}

function context.enter(run_id)
  context.run_id = run_id
  context.has_acted = false
end

return context
