-- Counts a hit, whatever limits say.
-- KEYS[1]  the counter of one key and window
-- ARGV     what is added, below 0 to give back; for how many ms the counter is to live
-- Answers the count after it, as text since clients round large numbers: never below 0, at most the greatest safe integer.

local add, lives = tonumber(ARGV[1]), tonumber(ARGV[2])
local count = tonumber(redis.call('GET', KEYS[1]) or 0)
local after = math.min(9007199254740991, math.max(0, count + add))
local text = string.format('%.0f', after)
if after == count then return text end
if after == 0 then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], text, 'PX', lives)
end
return text
