-- hash, the session
redis.call('HSET', M .. ':sessions', arg(1), arg(2))
announce('sessions', '')
return 1
