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
-- who is further behind has been overdrawn
local LONGEST_DELAY_MS = 5000

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

-- Numbers of a value, its kind first; nil where it is none of ours by its length, or a number is none that is ever written: it must
-- not fail the call of all charges, nor admit for ever.
local RATES = { [57] = '<Bddddddd', [89] = '<Bddddddddddd', [121] = '<Bddddddddddddddd' }
local QUOTAS = { [57] = '<Bddddddd', [97] = '<Bdddddddddddd' }
local FORMATS, FARTHEST = { [RATE] = RATES, [QUOTA] = QUOTAS }, 2 ^ 60
local function numbers_of(value)
  local format = (FORMATS[value:byte()] or FORMATS)[#value]
  if type(format) ~= 'string' then return end
  local known = { read(format, value) }
  known[#known] = nil
  for i = 2, #known do
    if not (known[i] >= -FARTHEST and known[i] <= FARTHEST) then return end
  end
  -- nor may time stand still: a former limit is behind place 13
  if known[1] == RATE and min(known[6], known[7], known[14] or 1, known[15] or 1) < 1 then return end
  return known
end

-- A rate: what it holds at most while units of it are out in grants. `under` is the bucket itself, or how it stands under its
-- former limit.
local function ceiling(bucket, under)
  return max(0, (under.burst - bucket.out - bucket.before) * under.period)
end

local function ms_to_fill(under)
  return max(0, ceil((under.burst * under.period - under.parts) / under.tokens))
end

local function give(bucket, under, parts)
  under.parts = min(ceiling(bucket, under), under.parts + parts)
end

local function flow(bucket, till)
  local elapsed = till - bucket.at
  if elapsed <= 0 then return end
  give(bucket, bucket, elapsed * bucket.tokens)
  if bucket.former then give(bucket, bucket.former, elapsed * bucket.former.tokens) end
  bucket.at = till
end

local function scaled(parts, from, to) return from == to and parts or parts * to / from end

-- `aheadIn` of core/limits/token-bucket.ts: how far below empty in time, as parts of another limit.
local function ahead_in(under, tokens)
  return under.parts < 0 and -min(LONGEST_DELAY_MS, ceil(-under.parts / under.tokens)) * tokens or 0
end

-- What is taken is missing under the former limit too: at worst that is empty, or as far ahead of its time.
local function take_former(bucket, units)
  local former = bucket.former
  if not former then return end
  former.parts = min(former.parts, max(ahead_in(bucket, former.tokens), former.parts - units * former.period))
end

local function is_under(under, charge)
  return under.tokens == charge[TOKENS] and under.period == charge[PERIOD] and under.burst == charge[BURST]
end

-- `turnToLimit` of core/limits/rate-uses.ts
local function turn_rate(bucket, charge)
  local was = { parts = bucket.parts, tokens = bucket.tokens, period = bucket.period, burst = bucket.burst }
  local tokens, period, burst, former = charge[TOKENS], charge[PERIOD], charge[BURST], bucket.former
  local is_back = former and is_under(former, charge)
  bucket.tokens, bucket.period, bucket.burst = tokens, period, burst
  if is_back then
    bucket.parts = former.parts
  else
    local used = ceil(scaled(was.burst * was.period - was.parts, was.period, period))
    local ahead = ceil(scaled(max(0, -was.parts), was.period, period))
    local owed = max(charge[OWED], -ahead_in(was, tokens))
    bucket.parts = min(max(-min(owed, ahead), burst * period - used), ceiling(bucket, bucket))
    if former then
      local function held(under) return max(ahead_in(under, tokens), floor(scaled(under.parts, under.period, period))) end
      bucket.parts = min(bucket.parts, held(was), held(former))
    end
  end
  local kept = former and not is_back and ms_to_fill(former) > ms_to_fill(was) and former or was
  bucket.former = kept.parts < kept.burst * kept.period and kept or nil
end

local function open_rate(known, charge)
  local tokens, period, burst = charge[TOKENS], charge[PERIOD], charge[BURST]
  if not known or known[1] ~= RATE then
    return {
      parts = burst * period, at = now, refused = 0, indexed = 0, tokens = tokens, period = period, burst = burst,
      out = 0, before = 0, epoch = 0, span = 0,
    }
  end
  local bucket = {
    parts = known[2], at = known[3], refused = known[4], indexed = known[5], tokens = known[6], period = known[7], burst = known[8],
    out = known[9] or 0, before = known[10] or 0, epoch = known[11] or 0, span = known[12] or 0,
  }
  if known[13] then bucket.former = { parts = known[13], tokens = known[14], period = known[15], burst = known[16] } end
  -- grants end with the epoch after theirs; until then what flows in must leave them their place
  while bucket.out + bucket.before > 0 and now >= bucket.epoch + bucket.span do
    bucket.epoch = bucket.epoch + bucket.span
    flow(bucket, bucket.epoch)
    bucket.before, bucket.out = bucket.out, 0
  end
  if now - bucket.at < -STRAGGLER_MS then
    bucket.at = now
    bucket.epoch = min(bucket.epoch, now)
  end
  flow(bucket, now)
  if bucket.former and ms_to_fill(bucket.former) == 0 then bucket.former = nil end
  if not is_under(bucket, charge) then turn_rate(bucket, charge) end
  if bucket.refused > 0 and bucket.parts >= burst * period then bucket.refused = 0 end
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
local function open_quota(known, charge)
  local from, till = window_of(charge)
  if not from then return end
  if not known or known[1] ~= QUOTA then
    return { from = from, till = till, used = 0, refused = 0, indexed = 0, out = 0, since = 0 }
  end
  local start, stop = known[2], known[3]
  local bucket = {
    from = start, till = stop, used = known[4], refused = known[5], indexed = known[6], out = known[7], since = known[8],
  }
  if known[9] then
    bucket.earlier = { from = known[9], till = known[10], used = known[11], shared = known[12], most = known[13] }
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
      local known = values[i] and numbers_of(values[i])
      local used = known and (known[1] == RATE and -known[2] or known[4]) or -math.huge
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
    local out, former = bucket.out + bucket.before, bucket.former
    lives = max(0, bucket.at - now) + max(ms_to_fill(bucket), former and ms_to_fill(former) or 0)
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
    local former = bucket.former
    packed = pack(RATES[57], RATE, bucket.parts, bucket.at, bucket.refused, bucket.indexed, bucket.tokens, bucket.period, bucket.burst)
    if former or bucket.out + bucket.before > 0 then
      packed = packed .. pack('<dddd', bucket.out, bucket.before, bucket.epoch, bucket.span)
    end
    if former then packed = packed .. pack('<dddd', former.parts, former.tokens, former.period, former.burst) end
  else
    local e = bucket.earlier
    packed =
      pack(QUOTAS[57], QUOTA, bucket.from, bucket.till, bucket.used, bucket.refused, bucket.indexed, bucket.out, bucket.since)
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
    local known = values[i] and numbers_of(values[i])
    if values[i] and not known then
      call('DEL', key)
      values[i], forgotten = false, forgotten + 1
    end
    bucket = (charge[KIND] == RATE and open_rate or open_quota)(known, charge)
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
