/** What `/readyz` says of a service whose policy and state stand in Redis. */
import { describe, expect, it } from 'vitest'
import { healthOf } from '../../../cli/service/redis/redis-stores.ts'

const KNOWN = { isUsable: () => true, ageMs: () => 0 }
const outdated = (isOver: boolean) => ({ forMs: 61_000, isOver, because: 'S is not set' })

describe('an instance that cannot serve what was imported', () => {
  it('is ready as long as it serves the policy before, and says so', () => {
    const { degraded } = healthOf(undefined, KNOWN, outdated(false))
    expect(degraded).toBe(
      'the policy that is live in Redis is not served here for 61 seconds (S is not set), the one before still is',
    )
  })

  it('is not ready once every credential is refused', () => {
    const { notReady } = healthOf(undefined, KNOWN, outdated(true))
    expect(notReady).toContain('(S is not set), every credential is refused')
  })

  it('is not ready then while Redis is away, too', () => {
    expect(healthOf('refused', KNOWN, outdated(true)).notReady).toContain('every credential is refused')
  })

  it('is ready otherwise', () => {
    expect(healthOf(undefined, KNOWN)).toEqual({})
  })
})
