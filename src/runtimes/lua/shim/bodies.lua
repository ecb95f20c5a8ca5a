-- Bodies of requests and responses: in frames of limited size, never further ahead than the other side gave credit for.

local channel = require("channel")
local inbox = require("inbox")
local usage_text = require("system").usage_text

local concat, sub = table.concat, string.sub

local FRAME_MAX_BYTES = 65536
local WINDOW_BYTES = 262144
local CREDIT_FROM_BYTES = WINDOW_BYTES / 2 -- not for each frame: a body of many small ones would cost as many answers

local bodies = {}

-- Both also end for `cancel`: then the rest will not come.
local function is_more_body(header, id)
  return header.id == id and (header.t == "body" or header.t == "cancel")
end

local function is_credit(header, id)
  return header.id == id and (header.t == "credit" or header.t == "cancel")
end

-- The whole body of a request that began with `start`; nil when the run was cancelled meanwhile.
function bodies.read(id, start)
  local pieces, uncredited = { start }, #start
  while true do
    local header, piece = inbox.await(is_more_body, id)
    if header.t == "cancel" then
      return nil
    end
    pieces[#pieces + 1] = piece
    if header["end"] then
      return concat(pieces)
    end
    uncredited = uncredited + #piece
    if uncredited >= CREDIT_FROM_BYTES then
      channel.send('{"t":"credit","id":' .. id .. ',"bytes":' .. uncredited .. "}")
      uncredited = 0
    end
  end
end

-- Answers a request. `headers`: JSON text.
function bodies.respond(id, status, headers, body)
  local sent, credit = math.min(#body, FRAME_MAX_BYTES), WINDOW_BYTES
  local ends = sent == #body and "true" .. usage_text() or "false}"
  channel.send(
    '{"t":"response","id":' .. id .. ',"status":' .. status .. ',"headers":' .. headers .. ',"end":' .. ends,
    sub(body, 1, sent)
  )
  while sent < #body do
    local piece = sub(body, sent + 1, sent + FRAME_MAX_BYTES)
    while sent + #piece > credit do
      local header = inbox.await(is_credit, id)
      if header.t == "cancel" then
        channel.send('{"t":"body","id":' .. id .. ',"end":true' .. usage_text())
        return
      end
      credit = credit + header.bytes
    end
    sent = sent + #piece
    channel.send('{"t":"body","id":' .. id .. ',"end":' .. (sent == #body and "true" .. usage_text() or "false}"), piece)
  end
end

return bodies
