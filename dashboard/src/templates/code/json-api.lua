-- Adds two numbers: POST {"a": 1, "b": 2}
local function refusal(status, message)
  return { statusCode = status, body = { error = message } }
end

function handler(ctx, event)
  if event.method == "GET" then
    return refusal(405, 'POST {"a": 1, "b": 2}')
  end
  local numbers = json.decode(event.body or "")
  if type(numbers) ~= "table" or type(numbers.a) ~= "number" or type(numbers.b) ~= "number" then
    return refusal(400, "a and b must be numbers")
  end
  return { body = { sum = numbers.a + numbers.b } }
end
