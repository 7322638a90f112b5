-- Says that an instance is there, or that it has gone, and counts those that were seen of late.
-- KEYS[1]  the instances, by when they were last seen
-- ARGV     id, ms for which one counts, 1 where it has gone
-- Answers how many there are.
local key, id, counts_ms, has_gone = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if has_gone then
  redis.call('ZREM', key, id)
else
  redis.call('ZADD', key, now, id)
  redis.call('PEXPIRE', key, 10 * counts_ms)
end
redis.call('ZREMRANGEBYSCORE', key, '-inf', now - counts_ms)
-- a clock that was set back: whoever is there says so again within a second
redis.call('ZREMRANGEBYSCORE', key, now + counts_ms, '+inf')
return redis.call('ZCARD', key)
