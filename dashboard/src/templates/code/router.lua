-- A small API with routes: GET /, GET /users, GET /users/1
local users = { ["1"] = { id = "1", name = "Ada" }, ["2"] = { id = "2", name = "Grace" } }

local routes = {
  { "GET", "/", function() return { routes = { "/users", "/users/:id" } } end },
  { "GET", "/users", function() return { users["1"], users["2"] } end },
  { "GET", "/users/:id", function(params) return users[params.id] end },
}

function handler(ctx, event)
  local path, method = event.relativePath or "/", event.method or "GET"
  if path == "" then path = "/" end
  local status = 404
  for _, route in ipairs(routes) do
    if router.match(path, route[2]) then
      local found = route[1] == method and route[3](router.params(path, route[2]))
      if found then return { body = found } end
      if route[1] ~= method then status = 405 end
    end
  end
  return { statusCode = status, body = { error = status == 405 and "not this method" or "not found" } }
end
