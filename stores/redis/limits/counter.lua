-- One bucket in Redis: read, brought up to now, asked for room, and written. The arithmetic of core/limits (token-bucket.ts,
-- window-uses.ts, counter.ts); stands in front of every operation. All numbers are whole and below 2^53, and packed as
-- doubles: nothing is rounded on the way.
--
-- KEYS     the buckets of the charges in their order, then the indexes of those series that have several buckets
-- ARGV[1]  packed doubles: HEAD once, then FIELDS for each charge
--   head: time (ms, below 0 for that of Redis), number of charges, most buckets of a series, ms to live beyond need, a flag
--   of a charge: KIND to SHARE below

local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max
local read, pack, call = struct.unpack, struct.pack, redis.call

local RATE, QUOTA, NO_ROOM = 0, 1, -1
-- a straggler does not turn the clock back; a window is remembered for a day after its end
local STRAGGLER_MS, REMEMBERED_MS = 10000, 86400000

local now, count, most, slack, flag, cursor = read('<ddddd', ARGV[1])
-- in microseconds: no two calls have the same
local moment = now * 1000
if now < 0 then
  local time = call('TIME')
  now, moment = time[1] * 1000 + floor(time[2] / 1000), time[1] * 1000000 + time[2]
end

-- A charge is a list, made at once: tables of names would cost more than the commands.
local KIND, SHADOW, COST, NEED = 1, 2, 3, 4
-- of a rate; WAIT is how many ms may be waited, OWED how many parts a bucket may be below zero
local TOKENS, PERIOD, BURST, WAIT, OWED = 5, 6, 7, 8, 9
-- of a quota: beginnings of the last, this and the next window, and where that ends
local AMOUNT, LAST, START, NEXT, END = 5, 6, 7, 8, 9
-- the place of the index among the keys or 0; what is wished for, for how many ms, among how many instances
local INDEX, WISH, FOR_MS, SHARE, CURSOR = 10, 11, 12, 13, 14

-- Whether it is one of ours, by its length: what is read beyond the end of a value would fail all charges of the call.
local LENGTHS = { [RATE] = { [57] = true, [89] = true }, [QUOTA] = { [57] = true, [97] = true } }
local function is_whole(value)
  local lengths = LENGTHS[value:byte()]
  return lengths and lengths[#value]
end

-- A rate: what it holds at most while units of it are out in grants.
local function ceiling(bucket, capacity, period)
  return max(0, capacity - (bucket.out + bucket.before) * period)
end

local function flow(bucket, till, capacity, period, tokens)
  local elapsed = till - bucket.at
  if elapsed <= 0 then return end
  bucket.parts = min(ceiling(bucket, capacity, period), bucket.parts + elapsed * tokens)
  bucket.at = till
end

local function open_rate(value, charge)
  local tokens, period, burst = charge[TOKENS], charge[PERIOD], charge[BURST]
  local capacity = burst * period
  if not value or value:byte() ~= RATE then
    return { parts = capacity, at = now, refused = 0, indexed = 0, out = 0, before = 0, epoch = 0, span = 0 }
  end
  local _, parts, at, refused, indexed, old_tokens, old_period, old_burst = read('<Bddddddd', value)
  local bucket =
    { parts = parts, at = at, refused = refused, indexed = indexed, out = 0, before = 0, epoch = 0, span = 0 }
  local old_capacity = old_burst * old_period
  if #value > 57 then
    bucket.out, bucket.before, bucket.epoch, bucket.span = read('<dddd', value, 58)
    -- grants end with the epoch after theirs; until then what flows in must leave them their place
    while bucket.out + bucket.before > 0 and now >= bucket.epoch + bucket.span do
      bucket.epoch = bucket.epoch + bucket.span
      flow(bucket, bucket.epoch, old_capacity, old_period, old_tokens)
      bucket.before, bucket.out = bucket.out, 0
    end
  end
  if now - bucket.at < -STRAGGLER_MS then
    bucket.at = now
    bucket.epoch = min(bucket.epoch, now)
  end
  flow(bucket, now, old_capacity, old_period, old_tokens)
  if old_tokens ~= tokens or old_period ~= period or old_burst ~= burst then
    local used, ahead = old_capacity - bucket.parts, max(0, -bucket.parts)
    if old_period ~= period then
      used, ahead = ceil(used * period / old_period), ceil(ahead * period / old_period)
    end
    bucket.parts = min(max(-min(charge[OWED], ahead), capacity - used), ceiling(bucket, capacity, period))
  else
    bucket.parts = max(bucket.parts, -charge[OWED])
  end
  if bucket.refused > 0 and bucket.parts >= capacity then bucket.refused = 0 end
  return bucket
end

-- The window of a quota that Redis' time lies in; nil where it is none of those passed.
local function window_of(charge)
  if now >= charge[START] then
    if now < charge[NEXT] then return charge[START], charge[NEXT] end
    if now < charge[END] then return charge[NEXT], charge[END] end
  elseif now >= charge[LAST] then
    return charge[LAST], charge[START]
  end
end

-- Another cut of the present time: what lies in it is one from now on.
local function widen(bucket, from, till)
  local earlier, was_from, was_till = bucket.earlier, bucket.from, bucket.till
  bucket.from, bucket.till = from, till
  if not earlier then return end
  if earlier.till > earlier.from and earlier.from >= from and earlier.till <= till then
    bucket.used = max(0, bucket.used + earlier.used - earlier.shared)
    earlier.from, earlier.till, earlier.used, earlier.shared = 0, 0, 0, 0
  end
  local inside = was_from >= from and was_till <= till
  if inside and not (was_from == from and was_till == till) then bucket.used = max(bucket.used, earlier.most) end
end

-- The present window of a bucket ends, or the clock was set back; `earlier` without a length stands for none.
local function turn(bucket, from, till)
  local e = bucket.earlier or { from = 0, till = 0, used = 0, shared = 0, most = 0 }
  local past_used, past_shared, used = e.used, e.shared, bucket.used
  local is_back = till <= bucket.from
  local is_known = e.till > e.from and e.from < till and from < e.till
  if not is_known then e.most = max(e.most, past_used) end
  e.from, e.till, e.used = bucket.from, bucket.till, used
  bucket.earlier, bucket.from, bucket.till, bucket.out = e, from, till, 0
  if is_known then
    bucket.used = is_back and max(0, past_used + used - past_shared) or past_used
    if is_back then e.shared = used end
  else
    bucket.used = is_back and max(used, e.most) or 0
    e.shared = is_back and used or 0
    if not is_back then bucket.refused = 0 end
  end
end

-- nil where the window of Redis' time was not passed
local function open_quota(value, charge)
  local from, till = window_of(charge)
  if not from then return end
  if not value or value:byte() ~= QUOTA then
    return { from = from, till = till, used = 0, refused = 0, indexed = 0, out = 0, since = 0 }
  end
  local _, start, stop, used, refused, indexed, out, since = read('<Bddddddd', value)
  local bucket =
    { from = start, till = stop, used = used, refused = refused, indexed = indexed, out = out, since = since }
  if #value > 57 then
    local e = {}
    e.from, e.till, e.used, e.shared, e.most = read('<ddddd', value, 58)
    bucket.earlier = e
  end
  if start ~= from or stop ~= till then
    if start < till and from < stop then widen(bucket, from, till) else turn(bucket, from, till) end
  end
  return bucket
end

-- How long the charge must wait for its units in ms, or NO_ROOM.
local function room_for(bucket, charge)
  local need = charge[NEED]
  if need == 0 then return 0 end
  if charge[KIND] == QUOTA then return bucket.used + need <= charge[AMOUNT] and 0 or NO_ROOM end
  if need > charge[BURST] then return NO_ROOM end
  local missing = need * charge[PERIOD] - bucket.parts
  if missing <= 0 then return 0 end
  local wait = ceil(missing / charge[TOKENS])
  return wait <= charge[WAIT] and wait or NO_ROOM
end

-- Makes room in the index of a series that has too many buckets: what is over goes, else the least used of a few.
local function thin_out(index, first)
  local gone = call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, 16)
  if #gone == 0 then
    local some = call('ZRANDMEMBER', index, 8)
    local values, least = call('MGET', unpack(some)), nil
    for i = 1, #some do
      local value, used = values[i], -math.huge
      if value and not is_whole(value) then
        used = -math.huge
      elseif value and value:byte() == RATE then
        local kind, parts = read('<Bd', value)
        used = -parts
      elseif value then
        local kind, start, stop, uses = read('<Bddd', value)
        used = uses
      end
      if not least or used < least then gone[1], least = some[i], used end
    end
  end
  -- buckets of the same tenant, and so in the same slot
  call('UNLINK', unpack(gone))
  call('ZREM', index, unpack(gone))
end

-- Where a series has several buckets they are listed, for administration and so that they stay bounded. An entry is good for
-- a while longer than its bucket, so that most takes leave it as it is.
local function list(bucket, key, index, lives)
  if now + lives <= bucket.indexed then return end
  bucket.indexed = now + lives + max(60000, floor(lives / 2))
  local keeps = bucket.indexed - now + slack
  local is_new = call('ZADD', index, bucket.indexed, key) == 1
  if call('PTTL', index) < keeps then call('PEXPIRE', index, keeps) end
  return is_new
end

-- Writes a bucket that has changed, for as long as it says more than a new one; one that says no more goes.
local function keep(bucket, charge, key, value)
  local lives, packed
  if charge[KIND] == RATE then
    local missing, out = charge[BURST] * charge[PERIOD] - bucket.parts, bucket.out + bucket.before
    lives = max(0, bucket.at - now) + max(0, ceil(missing / charge[TOKENS]))
    if out > 0 then lives = max(lives, bucket.epoch + 2 * bucket.span - now) end
  elseif bucket.used > 0 or bucket.refused > 0 or bucket.earlier then
    lives = bucket.till - now + REMEMBERED_MS
  else
    lives = 0
  end
  if lives <= 0 then
    if value then call('DEL', key) end
    return
  end
  local index = charge[INDEX] > 0 and KEYS[charge[INDEX]]
  local is_new = index and list(bucket, key, index, lives)
  if charge[KIND] == RATE then
    packed = pack('<Bddddddd', RATE, bucket.parts, bucket.at, bucket.refused, bucket.indexed, charge[TOKENS], charge[PERIOD], charge[BURST])
    if bucket.out + bucket.before > 0 then
      packed = packed .. pack('<dddd', bucket.out, bucket.before, bucket.epoch, bucket.span)
    end
  else
    local e = bucket.earlier
    packed =
      pack('<Bddddddd', QUOTA, bucket.from, bucket.till, bucket.used, bucket.refused, bucket.indexed, bucket.out, bucket.since)
    if e then packed = packed .. pack('<ddddd', e.from, e.till, e.used, e.shared, e.most) end
  end
  if packed ~= value then call('SET', key, packed, 'PX', lives + slack) end
  if is_new and call('ZCARD', index) > most then thin_out(index) end
end

-- All charges, and the bucket of each as it stands now; one bucket may stand there more than once. One that cannot be read is
-- forgotten: it begins anew, and nobody else's does.
local forgotten = 0
local charges, buckets, values, opened = {}, {}, call('MGET', unpack(KEYS, 1, count)), {}
for i = 1, count do
  local charge, key = { read('<ddddddddddddd', ARGV[1], cursor) }, KEYS[i]
  cursor = charge[CURSOR]
  local bucket = opened[key]
  if not bucket then
    if values[i] and not is_whole(values[i]) then
      call('DEL', key)
      values[i], forgotten = false, forgotten + 1
    end
    bucket = (charge[KIND] == RATE and open_rate or open_quota)(values[i], charge)
  end
  if not bucket then return pack('<d', now) end
  charges[i], buckets[i], opened[key] = charge, bucket, bucket
end

local function keep_all()
  for i = 1, count do
    local key = KEYS[i]
    if opened[key] then keep(buckets[i], charges[i], key, values[i]) end
    opened[key] = nil
  end
end

-- Packed as doubles: the time, how many buckets were forgotten, four numbers for each charge, and `more`. `delays` as `room_for` said them before anything was taken.
local function answer(delays, more)
  local reply = { now, forgotten }
  for i = 1, count do
    local bucket, at = buckets[i], #reply
    reply[at + 1] = delays[i]
    if charges[i][KIND] == RATE then
      reply[at + 2], reply[at + 3], reply[at + 4] = bucket.parts, 0, 0
    else
      reply[at + 2], reply[at + 3], reply[at + 4] = bucket.used, bucket.from, bucket.till
    end
  end
  for i = 1, #more do reply[#reply + 1] = more[i] end
  return pack('<' .. ('d'):rep(#reply), unpack(reply))
end
