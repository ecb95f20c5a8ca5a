-- The order, where it goes on ("" from the start), how many.
local order, place, count = arg(1), arg(2), arg(3)
local functions = {}
if order == 'name' then
  local from = place == '' and '-' or '(' .. string.sub(place, 2)
  for _, name in ipairs(redis.call('ZRANGEBYLEX', M .. ':by-name', from, '+', 'LIMIT', 0, count)) do
    functions[#functions + 1] = readFunction(redis.call('HGET', M .. ':names', name))
  end
else
  local from = place == '' and '+' or '(' .. string.sub(place, 2)
  for _, member in ipairs(redis.call('ZREVRANGEBYLEX', M .. ':by-' .. order, from, '-', 'LIMIT', 0, count)) do
    functions[#functions + 1] = readFunction(string.sub(member, 17))
  end
end
return functions
