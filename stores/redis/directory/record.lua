-- Records keys, replacements and revocations, all or none, unless anything was changed since they were planned.
-- KEYS: head, changes, issued, issued-of, records.
-- ARGV: channel; the revision that the plan has seen; how many of each kind there may be; how many keys; of each key its hash, its
-- tenant and its line; then the lines of the others.
local channel, seen, most, keys = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local others = 4 + 3 * keys
if (redis.call('HGET', KEYS[1], 'revision') or '0') ~= seen then return 'changed' end
if redis.call('HLEN', KEYS[3]) + keys > most or redis.call('LLEN', KEYS[5]) + #ARGV - others > most then return 'full' end

local revision = count(KEYS[1], 'revision')
local last
for at = 5, others, 3 do
  local hash, tenant, line = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  redis.call('HSET', KEYS[3], hash, line)
  redis.call('ZADD', KEYS[4], 0, tenant .. ':' .. hash)
  last = note(KEYS[2], 'key', hash, revision)
end
for at = others + 1, #ARGV do redis.call('RPUSH', KEYS[5], ARGV[at]) end
if #ARGV > others then last = note(KEYS[2], 'records', '', revision) end
redis.call('PUBLISH', channel, last)
return 'done'
