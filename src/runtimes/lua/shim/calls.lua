-- Asks the server for something and waits for the answer: docs/wire-protocol.md, "Calls".

local channel = require("channel")
local context = require("context")
local decode = require("json_decode")
local encode = require("json_encode")
local inbox = require("inbox")

local count = 0

local function is_answer(header, id)
  return header.t == "answer" and header.id == id
end

-- The answer as a table, or nil and why there is none. `given`: a table that becomes the JSON of the arguments.
return function(name, given)
  local text, obstacle = encode(given, "exact")
  if text == nil then
    return nil, name .. ": " .. obstacle .. " cannot be JSON"
  end
  count = count + 1
  context.has_acted = true
  channel.send('{"t":"call","id":' .. count .. ',"run":' .. context.run_id .. ',"name":"' .. name .. '"}', text)
  local header, body = inbox.await(is_answer, count)
  local problem = header.error
  if problem ~= nil then
    return nil, problem.message or problem.code or name .. " failed"
  end
  local answer, mistake = decode(body)
  if type(answer) ~= "table" then
    return nil, name .. ": the answer cannot be read: " .. (mistake or "it is no object")
  end
  return answer
end
