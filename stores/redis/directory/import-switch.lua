-- Makes a generation the live one, unless policy or tenants were changed since the import began.
-- KEYS: head, generations, changes. ARGV: channel, number, the edition at the beginning, the version of the policy.
if redis.call('HGET', KEYS[1], 'importing') ~= ARGV[2] then return { 'overtaken' } end
if (redis.call('HGET', KEYS[1], 'edition') or '0') ~= ARGV[3] then return { 'changed' } end
local before = redis.call('HGET', KEYS[1], 'generation')
if before then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[2], string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), before)
end
redis.call('HSET', KEYS[1], 'generation', ARGV[2], 'policy', ARGV[4])
-- no page of it is written any more
redis.call('HDEL', KEYS[1], 'importing')
count(KEYS[1], 'edition')
local revision = count(KEYS[1], 'revision')
redis.call('PUBLISH', ARGV[1], note(KEYS[3], 'policy', '', revision))
return { 'done', revision }
