-- Takes webhooks that are signed as GitHub signs them. Set the secret WEBHOOK_SECRET; until then it answers 503.

-- Compares hashes under a key that nobody knows: how long that takes says nothing about the texts.
local function same(a, b)
  local key = random.hex(32)
  return crypto.hmac_sha256(a, key) == crypto.hmac_sha256(b, key)
end

function handler(ctx, event)
  local secret = env.get("WEBHOOK_SECRET")
  if not secret then
    return { statusCode = 503, body = { error = "set the secret WEBHOOK_SECRET first" } }
  end
  local headers, body = event.headers or {}, event.body or ""
  local expected = "sha256=" .. crypto.hmac_sha256(body, secret)
  if not same(headers["X-Hub-Signature-256"] or "", expected) then
    return { statusCode = 401, body = { error = "the signature is wrong" } }
  end
  log.info("took " .. (headers["X-Github-Event"] or "a delivery") .. " " .. body)
  return { statusCode = 202, body = { accepted = true } }
end
