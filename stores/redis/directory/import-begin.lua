-- Allots a generation to an import. Others that are still being written are ended: their next page is refused.
-- KEYS: head, generations. Answers the allotted number, and the edition that is live.
local live = redis.call('HGET', KEYS[1], 'generation')
for _, number in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], 0, 0)) do
  -- replaced long ago: the next sweep takes it
  if number ~= live then redis.call('ZADD', KEYS[2], 1, number) end
end
-- microseconds: where data was lost and counting begins anew, no number comes again that somebody still writes or reads
local time = redis.call('TIME')
local before = tonumber(redis.call('HGET', KEYS[1], 'allotted') or 0)
local allotted = string.format('%.0f', math.max(before + 1, time[1] * 1000000 + time[2]))
redis.call('HSET', KEYS[1], 'allotted', allotted, 'importing', allotted)
redis.call('ZADD', KEYS[2], 0, allotted)
return { allotted, redis.call('HGET', KEYS[1], 'edition') or '0' }
