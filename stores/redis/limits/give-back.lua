-- Gives back units that were granted and not used: `cost` of each, `wish` is what they were granted from. Only to the epochs that they
-- came from, or to the quota that has granted since then: one that was reset is another. Never more than is out there. Answers the time.

for i = 1, count do
  local bucket, charge = buckets[i], charges[i]
  local from, units = charge[WISH], charge[COST]
  if charge[KIND] == QUOTA then
    if bucket.since == from then
      units = min(units, bucket.out, bucket.used)
      bucket.out, bucket.used = bucket.out - units, bucket.used - units
    end
  else
    if from >= bucket.epoch then
      units = min(units, bucket.out)
      bucket.out = bucket.out - units
    elseif from >= bucket.epoch - bucket.span then
      units = min(units, bucket.before)
      bucket.before = bucket.before - units
    else
      units = 0
    end
    give(bucket, bucket, units * bucket.period)
    if bucket.former then give(bucket, bucket.former, units * bucket.former.period) end
  end
end
keep_all()
return pack('<dd', now, forgotten)
