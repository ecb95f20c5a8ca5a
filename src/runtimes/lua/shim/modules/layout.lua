-- Go's layouts of times: the reference time 2006-01-02 15:04:05 -0700 (a Monday), written as the time shall be.

local find, match, sub = string.find, string.match, string.sub

local layout = {}

layout.MONTHS = {
  "January", "February", "March", "April", "May", "June",
  "July", "August", "September", "October", "November", "December",
}
layout.WEEKDAYS = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" }

-- The parts of a layout by their text; of those that begin alike the first that fits counts.
local TEXTS = {
  J = { "January", "Jan" },
  M = { "Monday", "Mon", "MST" },
  ["0"] = { "01", "02", "03", "04", "05", "06", "002" },
  ["1"] = { "15", "1" },
  ["2"] = { "2006", "2" },
  ["_"] = { "_2", "__2" },
  ["3"] = { "3" },
  ["4"] = { "4" },
  ["5"] = { "5" },
  P = { "PM" },
  p = { "pm" },
  ["-"] = { "-070000", "-07:00:00", "-0700", "-07:00", "-07" },
  Z = { "Z070000", "Z07:00:00", "Z0700", "Z07:00", "Z07" },
}
local STARTS = "[JM012_345Pp%-Z.,]"

-- `.000` and `,999`: digits of one kind that no other digit follows.
local function fraction_at(text, at)
  local fraction = match(text, "^[.,]0+", at) or match(text, "^[.,]9+", at)
  return fraction ~= nil and not find(text, "^%d", at + #fraction) and fraction or nil
end

local function part_at(text, at)
  for _, part in ipairs(TEXTS[sub(text, at, at)] or {}) do
    if sub(text, at, at + #part - 1) == part then
      local is_within_a_word = (part == "Jan" or part == "Mon") and find(text, "^%l", at + 3)
      if not is_within_a_word then
        return part
      end
    end
  end
  return fraction_at(text, at)
end

-- What is before the first part of `text`, the part's text, and what is behind it. Without a part: all of `text`.
function layout.next_part(text)
  local at = find(text, STARTS)
  while at ~= nil do
    if sub(text, at, at + 4) == "_2006" then
      at = at + 1 -- the year behind a plain `_`
    end
    local part = part_at(text, at)
    if part ~= nil then
      return sub(text, 1, at - 1), part, sub(text, at + #part)
    end
    at = find(text, STARTS, at + 1)
  end
  return text, nil, ""
end

local function floor_div(a, b)
  return math.floor(a / b)
end

-- Days since 1970-01-01 of a date of the Gregorian calendar. Years begin in March here, so that a leap day is a year's last.
function layout.days_of(year, month, day)
  local shifted_year = month <= 2 and year - 1 or year
  local era = floor_div(shifted_year, 400)
  local year_of_era = shifted_year - era * 400
  local day_of_year = floor_div(153 * ((month + 9) % 12) + 2, 5) + day - 1
  return era * 146097 + year_of_era * 365 + floor_div(year_of_era, 4) - floor_div(year_of_era, 100) + day_of_year - 719468
end

-- Year, month and day of a number of days since 1970-01-01.
function layout.date_of(days)
  days = days + 719468
  local era = floor_div(days, 146097)
  local day_of_era = days - era * 146097
  local year_of_era = floor_div(
    day_of_era - floor_div(day_of_era, 1460) + floor_div(day_of_era, 36524) - floor_div(day_of_era, 146096),
    365
  )
  local day_of_year = day_of_era - (365 * year_of_era + floor_div(year_of_era, 4) - floor_div(year_of_era, 100))
  local shifted_month = floor_div(5 * day_of_year + 2, 153)
  local month = shifted_month < 10 and shifted_month + 3 or shifted_month - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  return year, month, day_of_year - floor_div(153 * shifted_month + 2, 5) + 1
end

function layout.is_leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

return layout
