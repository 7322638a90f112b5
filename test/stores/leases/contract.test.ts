/** What a store of limits promises holds where leases are off, and of the shared store that the tests make up. */
import type { LimitStore } from '../../../core/limits/limit.ts'
import { createLeasedLimits } from '../../../stores/leases/leased-limits.ts'
import { limitStoreContract } from '../../contract/limit-store.ts'
import { createFakeRemote } from '../../support/fake-remote-limits.ts'

limitStoreContract('the shared store of the tests', () => createFakeRemote())
limitStoreContract('a store whose every take asks', () => asking())

/** Its clocks go with the times that it is told. */
function asking(): LimitStore {
  let clock = 0
  const store = createLeasedLimits(createFakeRemote(), {
    leaseMs: 0,
    now: () => clock,
    elapsed: () => clock,
    instances: () => 1,
  })
  return {
    ...store,
    take(charges, now, patienceMs) {
      clock = Math.max(clock, now)
      return store.take(charges, now, patienceMs)
    },
  }
}
