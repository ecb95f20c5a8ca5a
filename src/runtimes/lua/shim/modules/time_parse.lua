-- Reads a time that is written in one of Go's layouts. Without a zone it is in UTC.

local layout = require("modules.layout")

local find, format, gsub, lower = string.find, string.format, string.gsub, string.lower
local match, rep, sub = string.match, string.rep, string.sub

local OFFSET_MAX = { 24, 60, 60 } -- hours, minutes, seconds; some write an offset of 24 hours

-- A reader gets the value from its part on, what is known of the time so far, the part and the layout behind it. It returns
-- the rest of the value, or nil where the value does not fit. A number out of its range is noted in `time.out_of_range`.

local function number(value, has_two_digits)
  local digits = match(value, has_two_digits and "^%d%d" or "^%d%d?")
  if digits == nil then
    return nil, nil
  end
  return tonumber(digits), sub(value, #digits + 1)
end

local function reader_of(field, has_two_digits, min, max, title)
  return function(value, time)
    local read, rest = number(value, has_two_digits)
    if read ~= nil and (read < min or read > max) then
      time.out_of_range = title
    end
    time[field] = read
    return rest
  end
end

local function reader_of_name(names, length, field)
  return function(value, time)
    for index, name in ipairs(names) do
      name = sub(name, 1, length)
      if lower(sub(value, 1, #name)) == lower(name) then
        time[field] = index
        return sub(value, #name + 1)
      end
    end
    return nil
  end
end

local function reader_of_day_of_year(pattern)
  return function(value, time)
    local digits = match(value, pattern)
    time.day_of_year = tonumber(digits)
    return digits and sub(value, #digits + 1)
  end
end

local function read_short_year(value, time)
  local year = tonumber(match(value, "^%d%d"))
  if year == nil then
    return nil
  end
  time.year = year + (year >= 69 and 1900 or 2000)
  return sub(value, 3)
end

local function read_year(value, time)
  local digits = match(value, "^%d%d%d%d")
  time.year = tonumber(digits)
  return digits and sub(value, 5)
end

local function read_day(value, time)
  local rest
  time.day, rest = number(value, false)
  return rest
end

local function is_fraction(part)
  return part ~= nil and find(part, "^[.,]") ~= nil
end

-- A fraction may follow the second even where the layout has none.
local function reader_of_second(has_two_digits)
  local read_second = reader_of("second", has_two_digits, 0, 59, "second")
  return function(value, time, _, behind)
    local rest = read_second(value, time)
    local _, following = layout.next_part(behind)
    if rest ~= nil and not is_fraction(following) then
      rest = match(rest, "^[.,]%d+(.*)$") or rest
    end
    return rest
  end
end

local function reader_of_half_day(before_noon, after_noon)
  return function(value, time)
    local half = sub(value, 1, 2)
    if half ~= before_noon and half ~= after_noon then
      return nil
    end
    time.is_after_noon = half == after_noon
    return sub(value, 3)
  end
end

-- Go knows no offsets of zone names, so a name is read and changes nothing; nor does `GMT-8`, as text.
local function read_zone_name(value, time)
  if sub(value, 1, 3) == "UTC" then
    time.offset = 0
    return sub(value, 4)
  end
  local signed, digits = match(value, "^G?M?T?([+-](%d+))")
  local has_offset = digits ~= nil and tonumber(digits) <= 23
  if sub(value, 1, 3) == "GMT" then
    return sub(value, has_offset and 4 + #signed or 4)
  elseif find(value, "^[+-]") then
    return has_offset and sub(value, #signed + 1) or nil
  elseif find(value, "^ChST") or find(value, "^MeST") then
    return sub(value, 5)
  end
  local name = match(value, "^%u+") or ""
  local is_name = #name == 3 or #name == 4 and (find(name, "T$") or name == "WITA") or #name == 5 and find(name, "T$")
  return is_name and sub(value, #name + 1) or nil
end

-- `part`: `-07:00`, `Z0700` and their like, which say where the digits and colons are.
local function read_offset(value, time, part)
  if sub(part, 1, 1) == "Z" and sub(value, 1, 1) == "Z" then
    time.offset = 0
    return sub(value, 2)
  end
  local pattern = "^([+-])" .. gsub(sub(part, 2), "%d%d", "(%%d%%d)")
  local numbers = { match(value, pattern) }
  if numbers[1] == nil then
    return nil
  end
  local seconds = 0
  for index, max in ipairs(OFFSET_MAX) do
    local read = tonumber(numbers[index + 1] or "0")
    if read > max then
      time.out_of_range = "time zone offset"
    end
    seconds = seconds * 60 + read
  end
  time.offset = numbers[1] == "-" and -seconds or seconds
  return sub(value, #part + 1)
end

local function read_fraction(value, _, part)
  if find(part, "9", 1, true) then
    return match(value, "^[.,]%d+(.*)$") or value -- may be left out
  end
  local digits = #part - 1
  return match(value, "^[.,]" .. rep("%d", math.min(digits, 9)) .. "(.*)$")
end

-- By the part's text; all other parts are fractions and offsets.
local READERS = {
  January = reader_of_name(layout.MONTHS, nil, "month"),
  Jan = reader_of_name(layout.MONTHS, 3, "month"),
  ["1"] = reader_of("month", false, 1, 12, "month"),
  ["01"] = reader_of("month", true, 1, 12, "month"),
  Monday = reader_of_name(layout.WEEKDAYS, nil, "weekday"),
  Mon = reader_of_name(layout.WEEKDAYS, 3, "weekday"),
  ["2"] = read_day,
  ["_2"] = function(value, time) return read_day(sub(value, 1, 1) == " " and sub(value, 2) or value, time) end,
  ["02"] = reader_of("day", true, 0, 99, "day"),
  ["__2"] = reader_of_day_of_year("^ ? ?%d%d?%d?"),
  ["002"] = reader_of_day_of_year("^%d%d%d"),
  ["15"] = reader_of("hour", false, 0, 23, "hour"),
  ["3"] = reader_of("hour", false, 0, 12, "hour"),
  ["03"] = reader_of("hour", true, 0, 12, "hour"),
  ["4"] = reader_of("minute", false, 0, 59, "minute"),
  ["04"] = reader_of("minute", true, 0, 59, "minute"),
  ["5"] = reader_of_second(false),
  ["05"] = reader_of_second(true),
  ["2006"] = read_year,
  ["06"] = read_short_year,
  PM = reader_of_half_day("AM", "PM"),
  pm = reader_of_half_day("am", "pm"),
  MST = read_zone_name,
}

local function reader_for(part)
  return READERS[part] or is_fraction(part) and read_fraction or read_offset
end

-- Drops `text`, a piece of the layout between its parts, from the start of `value`. A space in it stands for any number.
local function skip(value, text)
  while text ~= "" do
    if sub(text, 1, 1) == " " then
      if value ~= "" and sub(value, 1, 1) ~= " " then
        return nil
      end
      text, value = match(text, "^ +(.*)$"), match(value, "^ *(.*)$")
    elseif sub(value, 1, 1) ~= sub(text, 1, 1) then
      return nil
    else
      text, value = sub(text, 2), sub(value, 2)
    end
  end
  return value
end

local DAYS_BEFORE = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 }

-- Month and day as the day of the year says; returns the mistake, or nil.
local function apply_day_of_year(time)
  local day_of_year, leap_day = time.day_of_year, 31 + 29
  local month, day
  if layout.is_leap(time.year) then
    if day_of_year == leap_day then
      month, day = 2, 29
    elseif day_of_year > leap_day then
      day_of_year = day_of_year - 1
    end
  end
  if day_of_year < 1 or day_of_year > 365 then
    return "day-of-year out of range"
  end
  if month == nil then
    month = 1
    while DAYS_BEFORE[month + 1] < day_of_year do
      month = month + 1
    end
    day = day_of_year - DAYS_BEFORE[month]
  end
  if time.month ~= nil and time.month ~= month then
    return "day-of-year does not match month"
  elseif time.day ~= nil and time.day ~= day then
    return "day-of-year does not match day"
  end
  time.month, time.day = month, day
end

-- Seconds since 1970, or nil and the mistake.
local function seconds_of(time)
  if time.is_after_noon == true and time.hour < 12 then
    time.hour = time.hour + 12
  elseif time.is_after_noon == false and time.hour == 12 then
    time.hour = 0
  end
  if time.day_of_year ~= nil then
    local mistake = apply_day_of_year(time)
    if mistake ~= nil then
      return nil, mistake
    end
  end
  local month, day = time.month or 1, time.day or 1
  local days_in_month = DAYS_BEFORE[month + 1] - DAYS_BEFORE[month]
  if month == 2 and layout.is_leap(time.year) then
    days_in_month = 29
  end
  if day < 1 or day > days_in_month then
    return nil, "day out of range"
  end
  local days = layout.days_of(time.year, month, day)
  return ((days * 24 + time.hour) * 60 + time.minute) * 60 + time.second - time.offset
end

local function failed(value, text, rest, part)
  return nil, format('parsing time "%s" as "%s": cannot parse "%s" as "%s"', value, text, rest, part)
end

-- Seconds since 1970, or nil and the mistake.
return function(value, text)
  local time = { year = 0, hour = 0, minute = 0, second = 0, offset = 0 }
  local rest, behind = value, text
  while true do
    local before, part, next_behind = layout.next_part(behind)
    local skipped = skip(rest, before)
    if skipped == nil then
      return failed(value, text, rest, before)
    elseif part == nil then
      if skipped ~= "" then
        return nil, format('parsing time "%s": extra text: "%s"', value, skipped)
      end
      break
    end
    rest = reader_for(part)(skipped, time, part, next_behind)
    if time.out_of_range ~= nil then
      return nil, format('parsing time "%s": %s out of range', value, time.out_of_range)
    elseif rest == nil then
      return failed(value, text, skipped, part)
    end
    behind = next_behind
  end
  local seconds, mistake = seconds_of(time)
  if seconds == nil then
    return nil, format('parsing time "%s": %s', value, mistake)
  end
  return seconds
end
