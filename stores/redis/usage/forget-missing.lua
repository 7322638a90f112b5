-- Walks over some of the keys whose last use is noted, and forgets those that are neither in the live policy nor issued.
-- KEYS: 1 last uses (sorted set), 2 head of the directory, 3 issued keys
-- ARGV: 1 cursor, 2 how many, 3 what the name of a generation begins with
-- Answers the cursor to go on from; without a policy nothing is known to be gone.

local generation = redis.call('HGET', KEYS[2], 'generation')
if not generation then return '0' end
-- in the same slot as the rest; its name is known to the head alone
local keys = ARGV[3] .. generation .. ':keys'

local page = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
for index = 1, #page[2], 2 do
  local hash = page[2][index]
  if redis.call('HEXISTS', keys, hash) == 0 and redis.call('HEXISTS', KEYS[3], hash) == 0 then
    redis.call('ZREM', KEYS[1], hash)
  end
end
return page[1]
