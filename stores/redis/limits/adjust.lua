-- Counts what has happened anyhow, by one more burst or amount beyond the limit at most; a cost below 0 gives back, up to a full
-- bucket or an unused window. Answers time and states: whether there was room for what each charge needs before.

local delays = {}
for i = 1, count do delays[i] = room_for(buckets[i], charges[i]) end
-- `under` is the bucket itself, or how it stands under its former limit
local function adjust_rate(bucket, under, cost)
  if cost < 0 then
    give(bucket, under, floor(-cost * under.period))
  else
    under.parts = min(under.parts, max(-under.burst * under.period, under.parts - cost * under.period))
  end
end
for i = 1, count do
  local bucket, charge = buckets[i], charges[i]
  local cost = charge[COST]
  if charge[KIND] == RATE then
    adjust_rate(bucket, bucket, cost)
    if bucket.former then adjust_rate(bucket, bucket.former, cost) end
  elseif cost < 0 then
    bucket.used = max(0, bucket.used + cost)
  else
    bucket.used = max(bucket.used, min(2 * charge[AMOUNT], bucket.used + cost))
  end
end
keep_all()
return answer(delays, {})
