/** What is given back for callers who leave while they wait: never so much that a limit admits more than it says. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketSeries } from '../../../core/limits/bucket-key.ts'
import { type Limit, type RateLimit, UTC_CALENDAR } from '../../../core/limits/limit.ts'
import { type Throttle, takeInTurn } from '../../../core/limits/throttle.ts'
import { UNROUTED } from '../../../core/shadow.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { burst, daily } from '../../contract/limit-store/given.ts'
import { requestOf } from '../../support/gate.ts'

const START = Date.parse('2026-11-22T12:00:00Z')

/** One that was admitted and has stayed: when it was charged, and when it went on. */
interface Kept {
  readonly at: number
  readonly through: number
}

/** Requests to limits whose time goes from step to step. Whoever's turn comes meanwhile goes on, or has left. */
function server() {
  const limits = createMemoryLimits()
  const time = { now: START }
  const waits: { until: number; goOn: () => void; ended: () => Promise<unknown> }[] = []
  let until = 0
  let goOn = () => {}
  const throttle: Throttle = {
    patienceMs: () => Number.POSITIVE_INFINITY,
    isLate: () => false,
    wait: (_, moment) => {
      until = moment
      return new Promise((resolve) => {
        goOn = resolve
      })
    },
  }

  function ask(charged: readonly Limit[], leaves = false): Kept | undefined {
    const at = time.now
    const request = requestOf({ abandoned: () => leaves })
    const route = { ...UNROUTED, limits: charged }
    const parts = { limits, throttle, clock: () => time.now }
    const answer = takeInTurn({ request, route, tenant: undefined, principal: undefined }, parts, at, true)
    if (answer instanceof Promise) {
      waits.push({ until, goOn, ended: () => answer })
      return leaves ? undefined : { at, through: until }
    }
    const isAdmitted = typeof answer === 'object' && answer.violated.length === 0
    return isAdmitted ? { at, through: at } : undefined
  }

  async function passTo(moment: number): Promise<void> {
    waits.sort((one, other) => one.until - other.until)
    for (let next = waits[0]; next && next.until <= moment; next = waits[0]) {
      waits.shift()
      time.now = next.until
      next.goOn()
      await next.ended()
    }
    time.now = moment
  }

  function left(limit: Limit): number | undefined {
    const series = bucketSeries(limit, `route:${UNROUTED.name}`, '')
    const states = limits.look([{ limit, series, key: series, tenant: '', calendar: UTC_CALENDAR, cost: 0 }], time.now)
    return states instanceof Promise ? undefined : states[0]?.remaining
  }

  return { ask, passTo, left }
}

/** The most that any interval holds beyond what the rate gives in its time, in parts of tokens. */
function excess({ periodMs, tokens }: RateLimit, moments: readonly number[]): number {
  const inOrder = moments.toSorted((one, other) => one - other)
  let most = 0
  inOrder.forEach((from, first) => {
    inOrder.slice(first).forEach((to, more) => {
      most = Math.max(most, (more + 1) * periodMs - (to - from) * tokens)
    })
  })
  return most
}

const rates = (name: string, delays: fc.Arbitrary<number | undefined>): fc.Arbitrary<RateLimit> =>
  fc
    .record({ tokens: fc.integer({ min: 1, max: 60 }), burst: fc.integer({ min: 1, max: 30 }), delayMs: delays })
    .map(({ delayMs, ...rate }) => ({ ...burst, ...rate, name, ...(delayMs !== undefined && { delayMs }) }))

const paced = rates('paced', fc.integer({ min: 100, max: 5000 }))
const plain = rates('plain', fc.constant(undefined))
/** Some come and leave, some come and stay, and then others take all that there is. */
const steps = fc.array(
  fc.record({
    gap: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 3000 })),
    leaving: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 })),
    staying: fc.integer({ min: 0, max: 2 }),
    isDrained: fc.boolean(),
  }),
  { minLength: 2, maxLength: 30 },
)

describe('whoever leaves while waiting', () => {
  it('makes no limit admit more than rate × time + burst over any interval', async () => {
    await fc.assert(
      fc.asyncProperty(paced, plain, steps, async (slow, fast, asked) => {
        const { ask, passTo } = server()
        const [ofSlow, ofFast]: [number[], number[]] = [[], []]
        let now = START
        for (const { gap, leaving, staying, isDrained } of asked) {
          now += gap
          await passTo(now)
          for (let i = 0; i < leaving + staying; i += 1) {
            const kept = ask([slow, fast], i < leaving)
            if (kept) ofFast.push(kept.at)
            if (kept) ofSlow.push(kept.through)
          }
          for (let kept = isDrained && ask([fast]); kept; kept = ask([fast])) ofFast.push(kept.at)
        }
        expect(excess(fast, ofFast)).toBeLessThanOrEqual(fast.burst * fast.periodMs)
        expect(excess(slow, ofSlow)).toBeLessThanOrEqual(slow.burst * slow.periodMs + slow.tokens)
      }),
      { numRuns: 300 },
    )
  })

  it('gets back of a limit what has not flowed in again meanwhile, and of a quota all', async () => {
    const { ask, passTo, left } = server()
    const slow: RateLimit = { ...burst, name: 'paced', tokens: 1, burst: 1, delayMs: 5000 }
    const hourly: RateLimit = { ...burst, name: 'hourly', tokens: 36, periodMs: 3_600_000, burst: 36 }
    const all = [slow, hourly, daily]
    ask(all)
    for (let i = 0; i < 5; i++) ask(all, true)
    expect([left(hourly), left(daily)]).toEqual([30, 4])
    await passTo(START + 5000)
    // 0.01 flow in each second: of the five, 0.01 to 0.05 are not given back, and 0.05 have come
    expect([left(hourly), left(daily)]).toEqual([34, 9])
    await passTo(START + 5000 + 10_000)
    expect(left(hourly)).toBe(35)
  })

  it('leaves its turn to nobody: those who wait go on before whoever comes later', async () => {
    const { ask, passTo } = server()
    const slow: RateLimit = { ...burst, name: 'paced', tokens: 10, burst: 1, delayMs: 5000 }
    ask([slow])
    for (let i = 0; i < 3; i++) ask([slow], true)
    const waiting = ask([slow])
    await passTo(START + 350)
    const newcomer = ask([slow])
    expect([waiting?.through, newcomer?.through]).toEqual([START + 400, START + 500])
  })
})
