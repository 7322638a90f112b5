-- Counts what has happened anyhow, by one more burst or amount beyond the limit at most; a cost below 0 gives back, up to a full
-- bucket or an unused window. Answers time and states: whether there was room for what each charge needs before.

local delays = {}
for i = 1, count do delays[i] = room_for(buckets[i], charges[i]) end
for i = 1, count do
  local bucket, charge = buckets[i], charges[i]
  local cost = charge[COST]
  if charge[KIND] == RATE then
    local period, capacity = charge[PERIOD], charge[BURST] * charge[PERIOD]
    if cost < 0 then
      bucket.parts = min(ceiling(bucket, capacity, period), bucket.parts + floor(-cost * period))
    else
      bucket.parts = min(bucket.parts, max(-capacity, bucket.parts - cost * period))
    end
  elseif cost < 0 then
    bucket.used = max(0, bucket.used + cost)
  else
    bucket.used = max(bucket.used, min(2 * charge[AMOUNT], bucket.used + cost))
  end
end
keep_all()
return answer(delays, {})
