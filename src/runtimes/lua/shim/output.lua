-- What a script prints and logs: one log frame for each call, sent before it returns.

local arguments = require("arguments")
local channel = require("channel")
local context = require("context")

local byte, sub = string.byte, string.sub
local concat, select, tostring = table.concat, select, tostring

local FRAME_MAX_BYTES = 262144

local function log_header(level, stream)
  return '{"t":"log","level":"' .. level .. '","stream":"' .. stream .. '"}'
end

local HEADERS = {
  debug = log_header("debug", "stdout"),
  info = log_header("info", "stdout"),
  warn = log_header("warn", "stderr"),
  error = log_header("error", "stderr"),
}

local function send(header, text)
  context.has_acted = true
  while #text > FRAME_MAX_BYTES do
    local stop = FRAME_MAX_BYTES
    while stop > FRAME_MAX_BYTES - 4 and byte(text, stop + 1) >= 0x80 and byte(text, stop + 1) < 0xC0 do
      stop = stop - 1 -- do not cut through a character
    end
    channel.send(header, sub(text, 1, stop))
    text = sub(text, stop + 1)
  end
  channel.send(header, text)
end

local output = { log = {} }

for level, header in pairs(HEADERS) do
  output.log[level] = function(message)
    send(header, arguments.text(message, 1, level) .. "\n")
  end
end

function output.print(...)
  local texts = { ... }
  for index = 1, select("#", ...) do
    local text = tostring(texts[index])
    if type(text) ~= "string" then
      error("'tostring' must return a string to 'print'", 2)
    end
    texts[index] = text
  end
  send(HEADERS.info, concat(texts, "\t") .. "\n")
end

return output
