-- The module `time`: seconds since 1970, and Go's layouts.

local arguments = require("arguments")
local lazy = require("lazy")
local system = require("system")

local format_time, parse_time = lazy("modules.time_format"), lazy("modules.time_parse")

local LATEST = 2 ^ 53 -- seconds; above, a double cannot tell one from the next

local time = {}

function time.now()
  return os.time()
end

function time.format(seconds, layout)
  seconds, layout = arguments.integer(seconds, 1, "format"), arguments.text(layout, 2, "format")
  if math.abs(seconds) > LATEST then
    error("bad argument #1 to format (seconds out of range)", 2)
  end
  return format_time()(seconds, layout)
end

function time.parse(text, layout)
  return parse_time()(arguments.text(text, 1, "parse"), arguments.text(layout, 2, "parse"))
end

function time.sleep(ms)
  ms = arguments.integer(ms, 1, "sleep")
  if ms > 0 then
    system.sleep(ms)
  end
end

return time
