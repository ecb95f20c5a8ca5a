-- now
local listed = {}
local sessions = redis.call('HGETALL', M .. ':sessions')
for n = 1, #sessions, 2 do
  if cjson.decode(sessions[n + 1]).expiresAtMs <= tonumber(arg(1)) then
    redis.call('HDEL', M .. ':sessions', sessions[n])
  else
    listed[#listed + 1] = sessions[n + 1]
  end
end
return listed
