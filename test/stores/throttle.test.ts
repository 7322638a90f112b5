/** Who waits for a limit's delay: in order, never early, within bounds that one tenant cannot use up for all. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createThrottle, type Places, placesWithin } from '../../stores/throttle.ts'

beforeEach(() => vi.useFakeTimers({ now: 1_800_000_000_000 }))
afterEach(() => vi.useRealTimers())

const clocks = { now: () => Date.now(), elapsed: () => performance.now() }

function throttleOf(places?: Places, own: Partial<typeof clocks> = {}) {
  const delays: number[] = []
  const throttle = createThrottle({
    ...clocks,
    ...own,
    onDelayed: (ms) => delays.push(ms),
    ...(places && { places }),
  })
  const gone: string[] = []
  const wait = (name: string, ms: number, tenant = 'acme') =>
    void throttle.wait(tenant, Date.now() + ms).then(() => gone.push(name))
  return { throttle, delays, gone, wait }
}

describe('who waits', () => {
  it('goes on when the time has come, and not before', async () => {
    const { gone, wait, delays, throttle } = throttleOf()
    wait('a', 80)
    await vi.advanceTimersByTimeAsync(79)
    expect([gone, throttle.waiting]).toEqual([[], 1])
    await vi.advanceTimersByTimeAsync(1)
    expect([gone, throttle.waiting, delays]).toEqual([['a'], 0, [80]])
  })

  it('goes on in the order of the times, whoever asked first', async () => {
    const { gone, wait } = throttleOf()
    wait('late', 300)
    wait('early', 100)
    wait('between', 200)
    await vi.advanceTimersByTimeAsync(200)
    expect(gone).toEqual(['early', 'between'])
    await vi.advanceTimersByTimeAsync(100)
    expect(gone).toEqual(['early', 'between', 'late'])
  })

  it('goes on in the order of the times, then of the asking, whenever each asked', async () => {
    const asked = fc.record({ pauseMs: fc.nat(3), delayMs: fc.integer({ min: 1, max: 20 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(asked, { minLength: 1, maxLength: 40 }), async (requests) => {
        const { throttle } = throttleOf()
        const gone: { until: number; index: number; at: number }[] = []
        for (const [index, { pauseMs, delayMs }] of requests.entries()) {
          await vi.advanceTimersByTimeAsync(pauseMs)
          const until = Date.now() + delayMs
          void throttle.wait('acme', until).then(() => gone.push({ until, index, at: Date.now() }))
        }
        await vi.advanceTimersByTimeAsync(100)
        expect(gone).toHaveLength(requests.length)
        expect(gone.map(({ index }) => index)).toEqual(
          gone.toSorted((a, b) => a.until - b.until || a.index - b.index).map(({ index }) => index),
        )
        for (const { until, at } of gone) expect(at).toBe(until)
      }),
      { numRuns: 50 },
    )
  })

  it('is not overtaken by one of the same millisecond for how two clocks tick', async () => {
    // the wall clock tells whole milliseconds, the other one parts of them
    let real = 0.9
    const { throttle } = throttleOf(undefined, { now: () => Math.floor(real), elapsed: () => real })
    const gone: string[] = []
    void throttle.wait('acme', 5).then(() => gone.push('first'))
    real = 1
    void throttle.wait('acme', 5).then(() => gone.push('second'))
    real = 5.9
    await vi.advanceTimersByTimeAsync(10)
    expect(gone).toEqual(['first', 'second'])
  })

  it('waits as long as was asked when the clock is set in between', async () => {
    const { gone, wait } = throttleOf()
    wait('before', 50)
    vi.setSystemTime(Date.now() + 3_600_000)
    wait('ahead', 100)
    vi.setSystemTime(Date.now() - 7_200_000)
    wait('back', 150)
    await vi.advanceTimersByTimeAsync(50)
    expect(gone).toEqual(['before'])
    await vi.advanceTimersByTimeAsync(50)
    expect(gone).toEqual(['before', 'ahead'])
    await vi.advanceTimersByTimeAsync(50)
    expect(gone).toEqual(['before', 'ahead', 'back'])
  })
})

describe('its timer', () => {
  it('keeps no process alive', () => {
    vi.useRealTimers()
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const { throttle, wait } = throttleOf()
    wait('x', 60_000)
    expect(throttle.waiting).toBe(1)
    expect(timers()).toBe(before)
  })

  it('is there only while somebody waits', async () => {
    const { wait } = throttleOf()
    expect(vi.getTimerCount()).toBe(0)
    for (const ms of [30, 20, 10]) wait('x', ms)
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(30)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('patience', () => {
  it('is what the gateway still waits, less 50 ms for the way back', () => {
    const { throttle } = throttleOf()
    expect(throttle.patienceMs('acme', 500)).toBe(450)
    expect(throttle.patienceMs('acme', 50)).toBe(0)
    expect(throttle.patienceMs('acme', -20)).toBe(0)
  })

  it('has no end where the gateway tells none', () => {
    const { throttle } = throttleOf()
    expect(throttle.patienceMs('acme', undefined)).toBe(Number.POSITIVE_INFINITY)
    expect(throttle.patienceMs('acme', Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY)
  })

  it('is none while a tenant has as many waiting as it may, and back when one has gone on', async () => {
    const { throttle, wait } = throttleOf()
    for (let i = 0; i < 1000; i++) wait('x', 100 + i)
    expect(throttle.patienceMs('acme', 500)).toBe(0)
    expect(throttle.patienceMs('globex', 500)).toBe(450)
    await vi.advanceTimersByTimeAsync(100)
    expect(throttle.patienceMs('acme', 500)).toBe(450)
  })

  it('fits a server of few requests at a time: half of them may wait, half of those for one tenant', () => {
    expect(placesWithin(1024)).toEqual({ perTenant: 256, total: 512 })
    expect(placesWithin(1)).toEqual({ perTenant: 0, total: 0 })
    expect(placesWithin(999_999)).toEqual({ perTenant: 1000, total: 10_000 })
  })

  it('is none for anybody when the process is full', () => {
    const { throttle, wait } = throttleOf({ perTenant: 3, total: 10 })
    for (let i = 0; i < 10; i++) wait('x', 100, `t${i}`)
    expect(throttle.patienceMs('other', 500)).toBe(0)
  })

  it('is left for a newcomer however many tenants ask for all that they can get', () => {
    const { throttle, wait } = throttleOf()
    let waiting = -1
    while (waiting < throttle.waiting) {
      waiting = throttle.waiting
      for (let i = 0; i < 40; i++) if (throttle.patienceMs(`greedy${i}`, 500) > 0) wait('x', 1000, `greedy${i}`)
    }
    expect(waiting).toBeGreaterThan(9000)
    expect(throttle.waiting).toBeLessThan(10_000)
    expect(throttle.patienceMs('newcomer', 500)).toBe(450)
  })
})
