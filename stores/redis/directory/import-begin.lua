-- Allots a generation to an import. Others that are still being written are ended: their next page is refused.
-- KEYS: head, generations. Answers the allotted number, and the edition that is live.
local live = redis.call('HGET', KEYS[1], 'generation')
for _, number in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], 0, 0)) do
  -- replaced long ago: the next sweep takes it
  if number ~= live then redis.call('ZADD', KEYS[2], 1, number) end
end
local allotted = redis.call('HINCRBY', KEYS[1], 'allotted', 1)
redis.call('ZADD', KEYS[2], 0, allotted)
return { allotted, redis.call('HGET', KEYS[1], 'edition') or '0' }
