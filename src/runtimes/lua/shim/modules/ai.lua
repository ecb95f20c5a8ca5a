-- The module `ai`. The server knows the providers and keeps the record; here only what is plainly missing is found.

local arguments = require("arguments")
local call = require("calls")

local rawget, type = rawget, type

local function text_or_nil(value)
  return type(value) == "string" and value ~= "" and value or nil
end

-- Those with a role and a content; others do not count.
local function usable(messages)
  local list = {}
  for index = 1, #messages do
    local message = rawget(messages, index)
    local role = type(message) == "table" and text_or_nil(rawget(message, "role"))
    local content = role and text_or_nil(rawget(message, "content"))
    if content then
      list[#list + 1] = { role = role, content = content }
    end
  end
  return list
end

local ai = {}

-- Gives {content, model, usage = {input_tokens, output_tokens}}, or nil and a message.
function ai.chat(options)
  options = arguments.table(options, 1, "chat")
  local provider, model = text_or_nil(rawget(options, "provider")), text_or_nil(rawget(options, "model"))
  local messages = rawget(options, "messages")
  if provider == nil then
    return nil, "provider is required (openai or anthropic)"
  elseif model == nil then
    return nil, "model is required"
  elseif type(messages) ~= "table" then
    return nil, "messages is required and must be a table"
  end
  messages = usable(messages)
  if #messages == 0 then
    return nil, "messages cannot be empty"
  end
  local max_tokens, temperature = rawget(options, "max_tokens"), rawget(options, "temperature")
  local answer, message = call("ai.chat", {
    provider = provider,
    model = model,
    messages = messages,
    max_tokens = type(max_tokens) == "number" and max_tokens or nil,
    temperature = type(temperature) == "number" and temperature or nil,
    endpoint = text_or_nil(rawget(options, "endpoint")),
  })
  return answer, message
end

return ai
