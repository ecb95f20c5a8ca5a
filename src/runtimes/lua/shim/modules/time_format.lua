-- Writes a time in one of Go's layouts, in UTC.

local layout = require("modules.layout")

local find, format, gsub, sub = string.find, string.format, string.gsub, string.sub

local SECONDS_PER_DAY = 86400

local function hour12(time)
  return time.hour % 12 == 0 and 12 or time.hour % 12
end

local function year_text(year)
  return year < 0 and format("-%04d", -year) or format("%04d", year)
end

-- By the part's text.
local WRITERS = {
  January = function(time) return layout.MONTHS[time.month] end,
  Jan = function(time) return sub(layout.MONTHS[time.month], 1, 3) end,
  ["1"] = function(time) return format("%d", time.month) end,
  ["01"] = function(time) return format("%02d", time.month) end,
  Monday = function(time) return layout.WEEKDAYS[time.weekday] end,
  Mon = function(time) return sub(layout.WEEKDAYS[time.weekday], 1, 3) end,
  ["2"] = function(time) return format("%d", time.day) end,
  ["_2"] = function(time) return format("%2d", time.day) end,
  ["02"] = function(time) return format("%02d", time.day) end,
  ["__2"] = function(time) return format("%3d", time.day_of_year) end,
  ["002"] = function(time) return format("%03d", time.day_of_year) end,
  ["15"] = function(time) return format("%02d", time.hour) end,
  ["3"] = function(time) return format("%d", hour12(time)) end,
  ["03"] = function(time) return format("%02d", hour12(time)) end,
  ["4"] = function(time) return format("%d", time.minute) end,
  ["04"] = function(time) return format("%02d", time.minute) end,
  ["5"] = function(time) return format("%d", time.second) end,
  ["05"] = function(time) return format("%02d", time.second) end,
  ["2006"] = function(time) return year_text(time.year) end,
  ["06"] = function(time) return format("%02d", math.max(time.year, 0) % 100) end,
  PM = function(time) return time.hour >= 12 and "PM" or "AM" end,
  pm = function(time) return time.hour >= 12 and "pm" or "am" end,
  MST = function() return "UTC" end,
}

local function write_part(part, time)
  local writer = WRITERS[part]
  if writer ~= nil then
    return writer(time)
  end
  local first = sub(part, 1, 1)
  if first == "Z" then
    return "Z"
  elseif first == "-" then
    return (gsub(gsub(part, "-", "+"), "7", "0"))
  end
  return find(part, "9", 1, true) and "" or part -- a fraction of a second: there is none
end

-- `seconds`: whole ones since 1970
return function(seconds, text)
  local days = math.floor(seconds / SECONDS_PER_DAY)
  local rest = seconds - days * SECONDS_PER_DAY
  local year, month, day = layout.date_of(days)
  local time = {
    year = year,
    month = month,
    day = day,
    day_of_year = days - layout.days_of(year, 1, 1) + 1,
    weekday = (days + 4) % 7 + 1,
    hour = math.floor(rest / 3600),
    minute = math.floor(rest % 3600 / 60),
    second = rest % 60,
  }
  local pieces = {}
  repeat
    local before, part, behind = layout.next_part(text)
    pieces[#pieces + 1] = before
    if part ~= nil then
      pieces[#pieces + 1] = write_part(part, time)
    end
    text = behind
  until part == nil
  return table.concat(pieces)
end
