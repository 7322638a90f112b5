-- Writes a part of the generation that is being imported, and of no other: neither of one that was ended nor of what is live.
-- KEYS: head, then the generation's own in the order of GENERATION_PARTS.
-- ARGV: its number, then threes of the part (its place in that order, from 1), field and value.
if redis.call('HGET', KEYS[1], 'importing') ~= ARGV[1] then return 'overtaken' end
local POLICY, KEYS_OF = 1, 4
for at = 2, #ARGV, 3 do
  local part, field, value = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2]
  local key = KEYS[part + 1]
  if part == POLICY then redis.call('SET', key, value)
  elseif part == KEYS_OF then redis.call('ZADD', key, 0, field)
  else redis.call('HSET', key, field, value) end
end
return 'done'
