-- Appends records that this list has lost, unless it is another than the one in which they are missing.
-- KEYS: head, changes, records.
-- ARGV: channel; how long the list was when it was looked through; its last line then, or nothing; how many there may be; the lines.
local channel, length, last, most = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
if redis.call('LLEN', KEYS[3]) ~= length or (redis.call('LINDEX', KEYS[3], -1) or '') ~= last then return 'changed' end
if length + #ARGV - 4 > most then return 'full' end

-- counted before, since what fails half-way is to be found by whoever plans on the revision
local revision = count(KEYS[1], 'revision')
for at = 5, #ARGV do redis.call('RPUSH', KEYS[3], ARGV[at]) end
redis.call('PUBLISH', channel, note(KEYS[2], 'records', '', revision))
return 'done'
