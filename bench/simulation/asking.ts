/** Each take is one script call, and each decision waits for it. */
import { createTally } from './outcome.ts'
import { bucketOf, type Way } from './way.ts'

export const runAsking: Way = (tenant, { legMs }) => {
  const tally = createTally(tenant)
  const bucket = bucketOf(tenant)
  for (const time of tenant.times) {
    tally.decided(time, true)
    tally.command(time)
    // all are on their way for as long: they arrive in the order in which they came
    if (bucket.draw(1, undefined, time + legMs).state.admitted) tally.admit(time + legMs)
  }
  return tally.outcome
}
