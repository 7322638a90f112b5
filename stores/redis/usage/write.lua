-- Adds a batch of counts to an hour and to its day, once however often it comes. Lines beyond the bound are told as others.
-- KEYS: 1 sequences by writer, 2 hour, 3 day (hashes)
-- ARGV: 1 writer, 2 sequence of the batch, 3 to 5 seconds that each key lasts, 6 most lines, 7 how a field writes `others`,
--       then of each line: 8 credential, 9 route (as a field writes them), 10 outcome, 11 count
-- A field `=` holds how many lines a hash has; lines begin with a digit.

local written = redis.call('HGET', KEYS[1], ARGV[1])
if written and tonumber(written) >= tonumber(ARGV[2]) then return 0 end
local most, others = tonumber(ARGV[6]), ARGV[7]

-- what fails does so here, before anything is written
local sizes = {}
for index = 2, 3 do sizes[index] = tonumber(redis.call('HGET', KEYS[index], '=') or '0') end

redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])

for index = 2, 3 do
  local key, size = KEYS[index], sizes[index]
  for line = 8, #ARGV, 4 do
    local credential, route, outcome, count = ARGV[line], ARGV[line + 1], ARGV[line + 2], ARGV[line + 3]
    local field = credential .. route .. outcome
    if size >= most and redis.call('HEXISTS', key, field) == 0 then
      field = others .. route .. outcome
      if size >= 2 * most and redis.call('HEXISTS', key, field) == 0 then field = others .. others .. outcome end
    end
    local sum = redis.call('HINCRBY', key, field, count)
    if sum == tonumber(count) then size = size + 1 end
  end
  if size > sizes[index] then redis.call('HSET', key, '=', size) end
end

for index = 1, 3 do redis.call('EXPIRE', KEYS[index], ARGV[index + 2]) end
return 1
