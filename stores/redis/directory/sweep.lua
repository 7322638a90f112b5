-- Removes a generation that was replaced long enough ago: instances that have not heard of it may still be reading.
-- KEYS: generations, then all of the generation. ARGV: its number, how long it is kept (ms).
local replaced = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0)
local time = redis.call('TIME')
if replaced == 0 or replaced + ARGV[2] > time[1] * 1000 + math.floor(time[2] / 1000) then return 0 end
for at = 2, #KEYS do redis.call('UNLINK', KEYS[at]) end
return redis.call('ZREM', KEYS[1], ARGV[1])
