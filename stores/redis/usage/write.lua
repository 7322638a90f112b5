-- Adds a batch of counts to an hour and to its day, once however often it comes. Lines beyond the bound are told as others.
-- KEYS: 1 sequences by writer, 2 hour, 3 day (hashes)
-- ARGV: 1 writer, 2 sequence of the batch, 3 to 5 seconds that each key lasts, 6 most lines, 7 how a field writes `others`,
--       then of each line: 8 credential, 9 route (as a field writes them), 10 outcome, 11 count
-- A field `=` holds how many lines a hash has; lines begin with a digit.

local written = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0) or 0
if written >= tonumber(ARGV[2]) then return 0 end
local most, others = tonumber(ARGV[6]), ARGV[7]

-- as HINCRBY can add to
local function isCount(value)
  return string.find(value, '^%d+$') ~= nil and #value <= 16
end

-- What is to be added to one hash: the fields in their order, the sum of each, which of them count anew, and how many lines there
-- are then. Only reads: what fails does so here, before anything is written, so that a batch that comes again was not begun.
local function planned(key)
  local fields, sums, anew = {}, {}, {}
  local size = tonumber(redis.call('HGET', key, '=') or 0) or math.max(0, redis.call('HLEN', key) - 1)
  local function isThere(field)
    return sums[field] or redis.call('HEXISTS', key, field) == 1
  end
  for line = 8, #ARGV, 4 do
    local credential, route, outcome, count = ARGV[line], ARGV[line + 1], ARGV[line + 2], tonumber(ARGV[line + 3])
    local field = credential .. route .. outcome
    if size >= most and not isThere(field) then
      field = others .. route .. outcome
      if size >= 2 * most and not isThere(field) then field = others .. others .. outcome end
    end
    if not sums[field] then
      local value = redis.call('HGET', key, field)
      if not value then size = size + 1 end
      -- what is no count was not written by us
      anew[field] = value and not isCount(value)
      fields[#fields + 1] = field
    end
    sums[field] = (sums[field] or 0) + count
  end
  return { fields = fields, sums = sums, anew = anew, size = size }
end

local plans = { [2] = planned(KEYS[2]), [3] = planned(KEYS[3]) }
for index, plan in pairs(plans) do
  local key = KEYS[index]
  for _, field in ipairs(plan.fields) do
    redis.call(plan.anew[field] and 'HSET' or 'HINCRBY', key, field, string.format('%.0f', plan.sums[field]))
  end
  redis.call('HSET', key, '=', plan.size)
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])

for index = 1, 3 do redis.call('EXPIRE', KEYS[index], ARGV[index + 2]) end
return 1
