-- Takes signed webhooks, each once: X-Signature is the HMAC-SHA256 of the body in hexadecimal, X-Delivery names the delivery.

local function refusal(status, message)
  return { statusCode = status, body = { error = message } }
end

-- Compares hashes under a key that nobody knows: how long that takes says nothing about the texts.
local function same(a, b)
  local key = random.hex(32)
  return crypto.hmac_sha256(a, key) == crypto.hmac_sha256(b, key)
end

function handler(ctx, event)
  local secret = env.get("WEBHOOK_SECRET")
  if not secret then
    log.error("the secret WEBHOOK_SECRET is not set")
    return refusal(503, "not ready to take webhooks")
  end

  local signature = event.headers["X-Signature"] or ""
  if not same(signature, crypto.hmac_sha256(event.body, secret)) then
    return refusal(401, "the signature is wrong")
  end

  local delivery = event.headers["X-Delivery"]
  if not delivery then
    return refusal(400, "X-Delivery is missing")
  end
  -- Senders repeat a delivery until it is answered. Of two at the same time only one finds nothing there.
  local isFirst, problem = kv.cas("delivery:" .. delivery, nil, os.time())
  if problem then
    log.error(problem)
    return refusal(503, "try again later")
  end
  if isFirst then
    log.info("took " .. delivery .. ": " .. event.body)
  end
  return { statusCode = isFirst and 202 or 200, body = { delivery = delivery, isFirst = isFirst } }
end
