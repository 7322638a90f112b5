-- Forgets up to a thousand buckets of a series, or one.
-- KEYS     the series' index, then the bucket where it is one
-- Answers how many there were, and whether there may be more.

local names, one = {}, KEYS[2]
if one then names[1] = one else names = redis.call('ZRANGE', KEYS[1], 0, 999) end
if #names == 0 then return { 0, 0 } end
redis.call('ZREM', KEYS[1], unpack(names))
-- buckets of the same tenant, and so in the same slot
return { redis.call('UNLINK', unpack(names)), (one or #names < 1000) and 0 or 1 }
