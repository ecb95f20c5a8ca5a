-- Asks a language model: POST {"question": "…"}. Set the secret OPENAI_API_KEY, and OPENAI_ENDPOINT for another provider.
function handler(ctx, event)
  local asked = json.decode(event.body or "")
  if type(asked) ~= "table" or type(asked.question) ~= "string" then
    return { statusCode = 400, body = { error = 'POST {"question": "…"}' } }
  end
  if not env.get("OPENAI_API_KEY") then
    return { statusCode = 503, body = { error = "set the secret OPENAI_API_KEY first" } }
  end
  local answer, problem = ai.chat {
    provider = "openai",
    model = env.get("MODEL") or "gpt-4o-mini",
    messages = { { role = "user", content = asked.question } },
  }
  if not answer then
    return { statusCode = 502, body = { error = problem } }
  end
  return { body = { answer = answer.content, usage = answer.usage } }
end
