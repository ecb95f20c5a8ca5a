-- id
if redis.call('HDEL', M .. ':keys', arg(1)) == 0 then return 0 end
local sessions = redis.call('HGETALL', M .. ':sessions')
for n = 1, #sessions, 2 do
  if cjson.decode(sessions[n + 1]).keyId == arg(1) then redis.call('HDEL', M .. ':sessions', sessions[n]) end
end
announce('keys', '')
return 1
