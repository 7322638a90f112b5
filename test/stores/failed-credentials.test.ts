/** How failures are counted by address: what is blocked, for how long, and that no flood of addresses fills the memory. */
import { describe, expect, it } from 'vitest'
import type { FailureRule } from '../../core/credentials/attempt.ts'
import { createFailedCredentials } from '../../stores/failed-credentials.ts'
import { NOON } from '../support/gate.ts'

/** One more each 200 ms. */
const RULE: FailureRule = { tokens: 5, periodMs: 1000, burst: 3 }
const CLIENT = '192.0.2.7'

/** A counter in which an address has failed as often as it may. */
function blocked(address = CLIENT, rule = RULE) {
  const failures = createFailedCredentials()
  for (let i = 0; i < rule.burst; i++) failures.failed(address, rule, NOON)
  return failures
}

describe('an address', () => {
  it('may fail as often as the burst says, and is blocked until the next failure has room', () => {
    const failures = createFailedCredentials()
    for (let i = 0; i < RULE.burst; i++) {
      expect(failures.blockedForMs(CLIENT, RULE, NOON)).toBe(0)
      failures.failed(CLIENT, RULE, NOON)
    }
    expect(failures.blockedForMs(CLIENT, RULE, NOON)).toBe(200)
    expect(failures.blockedForMs(CLIENT, RULE, NOON + 150)).toBe(50)
    expect(failures.blockedForMs(CLIENT, RULE, NOON + 200)).toBe(0)
  })

  it('is not blocked for longer by what fails while it is blocked', () => {
    const failures = blocked()
    for (let i = 0; i < 1000; i++) failures.failed(CLIENT, RULE, NOON)
    expect(failures.blockedForMs(CLIENT, RULE, NOON)).toBe(200)
  })

  it('has all its failures again after a quiet time', () => {
    const failures = blocked()
    const later = NOON + 600
    for (let i = 0; i < RULE.burst; i++) {
      expect(failures.blockedForMs(CLIENT, RULE, later)).toBe(0)
      failures.failed(CLIENT, RULE, later)
    }
    expect(failures.blockedForMs(CLIENT, RULE, later)).toBe(200)
  })

  it('is not blocked for a day by a clock that was a day ahead', () => {
    const failures = createFailedCredentials()
    for (let i = 0; i < RULE.burst; i++) failures.failed(CLIENT, RULE, NOON + 86_400_000)
    expect(failures.blockedForMs(CLIENT, RULE, NOON)).toBe(200)
    expect(failures.blockedForMs(CLIENT, RULE, NOON + 200)).toBe(0)
  })

  it.each([
    ['192.0.2.8', 'another IPv4 address'],
    ['2001:db8:0:2::1', 'an IPv6 address of another /64'],
  ])('does not count for %s, %s', (other) => {
    expect(blocked('2001:db8:0:1::1').blockedForMs(other, RULE, NOON)).toBe(0)
    expect(blocked().blockedForMs(other, RULE, NOON)).toBe(0)
  })

  it.each([
    ['2001:db8:0:1::1', '2001:db8:0:1:ffff:ffff:ffff:ffff'],
    ['2001:db8:0:1::1', '2001:0DB8:0000:0001::2'],
    ['fe80::1%eth0', 'fe80::2%eth1'],
    ['192.0.2.7', '::ffff:192.0.2.7'],
    ['192.0.2.7', '::ffff:c000:207'],
  ])('%s counts for %s, which is the same customer', (address, other) => {
    expect(blocked(address).blockedForMs(other, RULE, NOON)).toBe(200)
  })
})

describe('a policy with another rule', () => {
  it('blocks nobody who has hardly failed', () => {
    const failures = createFailedCredentials()
    failures.failed(CLIENT, RULE, NOON)
    expect(failures.blockedForMs(CLIENT, { tokens: 1, periodMs: 3_600_000, burst: 3 }, NOON)).toBe(0)
  })

  it('forgives nobody: as many failures as the new rule allows are there already', () => {
    const failures = blocked()
    expect(failures.blockedForMs(CLIENT, { tokens: 1, periodMs: 60_000, burst: 3 }, NOON)).toBe(60_000)
    expect(failures.blockedForMs(CLIENT, { tokens: 1, periodMs: 60_000, burst: 4 }, NOON)).toBe(0)
  })

  it('is only another object where the file has changed elsewhere, and counts on', () => {
    expect(blocked().blockedForMs(CLIENT, { ...RULE }, NOON)).toBe(200)
  })
})

describe('a flood of addresses', () => {
  const address = (n: number) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`

  it('pushes out the older half: no more are kept than the bound says, and the latest are', () => {
    const failures = createFailedCredentials(100)
    for (let n = 0; n < 1000; n++) for (let i = 0; i < RULE.burst; i++) failures.failed(address(n), RULE, NOON)
    const still = Array.from({ length: 1000 }, (_, n) => failures.blockedForMs(address(n), RULE, NOON) > 0)
    expect(still.filter(Boolean).length).toBeLessThanOrEqual(100)
    expect(still.slice(-50)).toEqual(Array(50).fill(true))
  })

  it('forgets an address only when it has been quiet for as long as all its failures last', () => {
    const failures = createFailedCredentials()
    for (let n = 0; n < 10; n++) failures.failed(address(n), RULE, NOON)
    for (let i = 0; i < RULE.burst; i++) failures.failed(CLIENT, RULE, NOON + 590)
    // the generation that the address stands in is over, and so is the next one
    for (const at of [600, 601]) failures.failed(address(at), RULE, NOON + at)
    expect(failures.blockedForMs(CLIENT, RULE, NOON + 601)).toBe(189)
    failures.failed(address(1200), RULE, NOON + 1200)
    expect(failures.blockedForMs(CLIENT, RULE, NOON + 1200)).toBe(0)
  })

  it('keeps what an address has failed before, when it fails again after others', () => {
    const failures = createFailedCredentials(4)
    for (let i = 1; i < RULE.burst; i++) failures.failed(CLIENT, RULE, NOON)
    for (let n = 0; n < 2; n++) failures.failed(address(n), RULE, NOON)
    failures.failed(CLIENT, RULE, NOON)
    expect(failures.blockedForMs(CLIENT, RULE, NOON)).toBe(200)
  })

  it('asking about addresses keeps nothing of them', () => {
    const failures = createFailedCredentials(2)
    for (let i = 0; i < RULE.burst; i++) failures.failed(CLIENT, RULE, NOON)
    for (let n = 0; n < 100; n++) failures.blockedForMs(address(n), RULE, NOON)
    expect(failures.blockedForMs(CLIENT, RULE, NOON)).toBe(200)
  })
})

describe('what is under way', () => {
  /** Begins as often as it can. */
  const beginAll = (failures: ReturnType<typeof createFailedCredentials>, now = NOON, address = CLIENT) => {
    let begun = 0
    while (begun < 100 && failures.begin(address, RULE, now) === 0) begun += 1
    return begun
  }

  it('is no more than may fail, and has room again when it ends', () => {
    const failures = createFailedCredentials()
    expect(beginAll(failures)).toBe(RULE.burst)
    expect(failures.begin(CLIENT, RULE, NOON)).toBe(200)
    failures.end(CLIENT)
    expect(beginAll(failures)).toBe(1)
  })

  it('leaves as much less room as has failed', () => {
    const failures = createFailedCredentials()
    failures.failed(CLIENT, RULE, NOON)
    expect(beginAll(failures)).toBe(RULE.burst - 1)
    expect(beginAll(failures, NOON + 200)).toBe(1)
  })

  it('that has failed takes its room along, and gives back no more than it had', () => {
    const failures = createFailedCredentials()
    expect(beginAll(failures)).toBe(RULE.burst)
    for (let i = 0; i < RULE.burst; i++) {
      failures.failed(CLIENT, RULE, NOON)
      failures.end(CLIENT)
    }
    expect(beginAll(failures)).toBe(0)
    for (let i = 0; i < 10; i++) failures.end(CLIENT)
    expect(beginAll(failures)).toBe(0)
    expect(beginAll(failures, NOON + 60_000)).toBe(RULE.burst)
  })

  it('may be more where a store is asked, up to a bound for each address', () => {
    const failures = createFailedCredentials()
    const lookUpAll = (address: string) => {
      let begun = 0
      while (begun < 1000 && failures.beginLookup(address)) begun += 1
      return begun
    }
    beginAll(failures)
    expect(lookUpAll(CLIENT)).toBe(250)
    expect(lookUpAll('192.0.2.8')).toBe(250)
    failures.endLookup(CLIENT)
    expect(lookUpAll(CLIENT)).toBe(1)
  })

  it('blocks no credential that is cheap to refuse, and no other address', () => {
    const failures = createFailedCredentials()
    beginAll(failures)
    expect(failures.blockedForMs(CLIENT, RULE, NOON)).toBe(0)
    expect(beginAll(failures, NOON, '192.0.2.8')).toBe(RULE.burst)
  })
})
