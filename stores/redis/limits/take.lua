-- Takes all enforced charges or none; tells without taking (flag 1); grants units ahead of need to those charges that wish for
-- some, from what is left after the take (flag 2). Answers time and states, and where units were wished for units, ms and origin of
-- each grant; the time alone where it lies in none of the windows that were passed.
local LOOK, DRAW = 1, 2

local delays, refused = {}, false
for i = 1, count do
  local bucket, charge = buckets[i], charges[i]
  local delay = room_for(bucket, charge)
  delays[i] = delay
  if delay ~= NO_ROOM then
    if charge[KIND] == RATE then bucket.parts = bucket.parts - charge[COST] * charge[PERIOD]
    else bucket.used = bucket.used + charge[COST] end
  elseif charge[SHADOW] == 0 then
    refused = true
  end
end
for i = 1, count do
  local bucket, charge = buckets[i], charges[i]
  if delays[i] == NO_ROOM then
    if not (refused and charge[SHADOW] == 1) then bucket.refused = bucket.refused + 1 end
  elseif refused then
    if charge[KIND] == RATE then bucket.parts = bucket.parts + charge[COST] * charge[PERIOD]
    else bucket.used = bucket.used - charge[COST] end
  elseif charge[KIND] == RATE then
    take_former(bucket, charge[COST])
  end
end

-- A grant is spent here and now. Of a rate it stays out until it has surely ended; at most half a burst is.
local function grant(bucket, charge)
  local is_rate = charge[KIND] == RATE
  local left = is_rate and floor(bucket.parts / charge[PERIOD]) or charge[AMOUNT] - bucket.used
  local units = min(charge[WISH], floor(left / (2 * charge[SHARE])))
  if is_rate then units = min(units, floor(charge[BURST] / 2) - bucket.out - bucket.before) end
  if units < 2 then return 0, 0, 0 end
  if not is_rate then
    -- the first of its window names them all
    if bucket.out == 0 then bucket.since = moment end
    bucket.used, bucket.out = bucket.used + units, bucket.out + units
    return units, min(charge[FOR_MS], bucket.till - now), bucket.since
  end
  if bucket.out + bucket.before == 0 then bucket.epoch, bucket.span = now, charge[FOR_MS] end
  bucket.parts, bucket.out = bucket.parts - units * charge[PERIOD], bucket.out + units
  take_former(bucket, units)
  return units, min(charge[FOR_MS], bucket.span), max(now, bucket.epoch)
end

local grants = {}
if flag == DRAW then
  for i = 1, count do
    local at = #grants
    grants[at + 1], grants[at + 2], grants[at + 3] = 0, 0, 0
    if charges[i][WISH] > 0 and delays[i] ~= NO_ROOM and not refused then
      grants[at + 1], grants[at + 2], grants[at + 3] = grant(buckets[i], charges[i])
    end
  end
end
if flag ~= LOOK then keep_all() end
return answer(delays, grants)
