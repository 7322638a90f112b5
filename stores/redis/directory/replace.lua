-- Puts another text in the place of the live policy's, tenants apart, unless policy or tenants were changed since it was read.
-- KEYS: head, changes, the policy of the live generation. ARGV: channel, number of that, the edition as it was read, the new version, the new text.
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[2] then return 'changed' end
if redis.call('HGET', KEYS[1], 'edition') ~= ARGV[3] then return 'changed' end
redis.call('SET', KEYS[3], ARGV[5])
redis.call('HSET', KEYS[1], 'policy', ARGV[4])
count(KEYS[1], 'edition')
redis.call('PUBLISH', ARGV[1], note(KEYS[2], 'policy', '', count(KEYS[1], 'revision')))
return 'done'
