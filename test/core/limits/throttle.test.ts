/** A limit with a delay holds a request back instead of refusing it: in order, within its gateway's time, and never for nothing. */
import { describe, expect, it, vi } from 'vitest'
import type { Credentials } from '../../../core/credentials/authenticate.ts'
import { decide, type Given } from '../../../core/decide.ts'
import type { Decision } from '../../../core/decision.ts'
import type { Throttle } from '../../../core/limits/throttle.ts'
import type { GatewayRequest } from '../../../core/request.ts'
import { createThrottle } from '../../../stores/throttle.ts'
import { gateOf, NOON, newKey, policyOf, requestOf } from '../../support/gate.ts'

const acme = newKey()
const globex = newKey()
const narrow = newKey()

const text = (head = '') => `
version: 1
${head}
plans:
  paced: { limits: [{ name: paced, rate: 10/s, burst: 1, delay: 250ms }] }
  counted:
    limits:
      - { name: paced, rate: 10/s, burst: 1, delay: 250ms }
      - { name: daily, quota: 100/day }
      - { name: weighed, rate: 100/s, burst: 50, weighted: true }
      - { name: tried, quota: 100/day, mode: shadow }
tenants:
  acme: { plan: paced, apiKeys: [{ id: ci, hash: "${acme.hash}" }] }
  globex:
    plan: counted
    apiKeys:
      - { id: ci, hash: "${globex.hash}" }
      - { id: narrow, hash: "${narrow.hash}", limits: [{ name: own, quota: 50/day }] }
routes:
  - { name: read, match: { path: /read }, limits: [{ name: read, rate: 1000/s, burst: 100 }] }
  - { name: scarce, match: { path: /scarce }, limits: [{ name: scarce, quota: 2/week }] }
  - { name: dear, match: { path: /dear }, cost: 5, limits: [{ name: dear, quota: 100/hour, by: [ip] }] }
`

/** A throttle whose waits end when the test says so; each is told. */
function heldThrottle() {
  const waits: { tenant: string; until: number; goOn: () => void }[] = []
  const throttle: Throttle = {
    patienceMs: (_, timeLeftMs = Number.POSITIVE_INFINITY) => Math.max(0, timeLeftMs - 50),
    isLate: () => false,
    wait: (tenant, until) => new Promise((goOn) => waits.push({ tenant, until, goOn })),
  }
  return { waits, throttle }
}

function start(head?: string, more: Partial<Given> = {}) {
  const { given } = gateOf(policyOf(text(head)))
  const held = heldThrottle()
  const time = { now: NOON }
  const ask = (request: Partial<GatewayRequest> = {}, key = acme.key) =>
    decide(requestOf({ path: '/read', headers: { 'x-api-key': key }, ...request }), {
      ...given,
      throttle: held.throttle,
      clock: () => time.now,
      now: time.now,
      ...more,
    })
  return { given, ask, time, ...held }
}

const reasonOf = (decision: Decision | Promise<Decision>) => {
  if (decision instanceof Promise) throw new Error('it waits')
  return decision.reason
}

const WAITING = expect.any(Promise)

describe('a request beyond a rate with a delay', () => {
  it('waits until its tokens have come, each after the one before it', async () => {
    const { ask, waits } = start()
    expect(reasonOf(ask())).toBe('allowed')
    const asked = [ask(), ask()]
    expect(asked).toEqual([WAITING, WAITING])
    expect(waits.map(({ tenant, until }) => [tenant, until])).toEqual([
      ['acme', NOON + 100],
      ['acme', NOON + 200],
    ])
    for (const { goOn } of waits) goOn()
    expect((await Promise.all(asked)).map(({ reason }) => reason)).toEqual(['allowed', 'allowed'])
  })

  it('is refused at once where its tokens come later than the delay, and takes none of them', async () => {
    const { ask, waits, time } = start()
    ask()
    const asked = [ask(), ask()]
    const refused = ask()
    expect(reasonOf(refused)).toBe('rate_limited')
    expect(refused).toMatchObject({ limits: { violated: [{ retryAfterMs: 50 }] } })
    for (const { goOn } of waits) goOn()
    await Promise.all(asked)
    time.now += 300
    expect(reasonOf(ask())).toBe('allowed')
  })

  it('is refused at once where its gateway does not wait so long, with 50 ms to answer in', () => {
    const { ask, waits } = start()
    ask()
    expect(reasonOf(ask({ timeLeftMs: () => 149 }))).toBe('rate_limited')
    expect(ask({ timeLeftMs: () => 150 })).toEqual(WAITING)
    expect(waits.map(({ until }) => until)).toEqual([NOON + 100])
  })

  it('is refused at once where too many wait', () => {
    const { ask, throttle, waits } = start()
    const full: Throttle = { ...throttle, patienceMs: () => 0 }
    const crowded = start(undefined, { throttle: full })
    crowded.ask()
    expect(reasonOf(crowded.ask())).toBe('rate_limited')
    ask()
    expect(ask()).toEqual(WAITING)
    expect(waits).toHaveLength(1)
  })

  it.each([
    ['another burst', 'rate: 10/s, burst: 2, delay: 250ms'],
    ['a slower rate', 'rate: 5/s, burst: 1, delay: 250ms'],
    ['no delay', 'rate: 10/s, burst: 2'],
  ])('goes on no sooner where instances go over to %s: all together no faster than one', async (_, changed) => {
    const { given, ask, time, waits, throttle } = start()
    const to = policyOf(text().replaceAll('rate: 10/s, burst: 1, delay: 250ms', changed))
    const next = { ...gateOf(to).given, limits: given.limits }
    const asked: (Decision | Promise<Decision>)[] = []
    for (; time.now < NOON + 3000; time.now += 10) {
      const there = { ...next, now: time.now, clock: () => time.now, throttle }
      asked.push(ask(), ask(), decide(requestOf({ path: '/read', headers: { 'x-api-key': acme.key } }), there))
    }
    for (const { goOn } of waits) goOn()
    const allowed = (await Promise.all(asked)).filter(({ reason }) => reason === 'allowed')
    // 3.25 s at 10/s, the larger burst, and the one that waits under the slower limit
    expect(allowed.length).toBeLessThanOrEqual(32 + 2 + 1)
    expect(allowed.length).toBeGreaterThan(29)
  })

  it('does not wait for one limit when another refuses it', () => {
    const { ask, waits } = start()
    const scarce = { path: '/scarce', headers: { 'x-api-key': globex.key } }
    ask(scarce)
    expect(ask(scarce)).toEqual(WAITING)
    expect(reasonOf(ask(scarce))).toBe('quota_exceeded')
    expect(waits).toHaveLength(1)
  })

  it('whose tokens are there is answered in the same tick', () => {
    const { ask, time, waits } = start()
    for (let i = 0; i < 5; i++) {
      expect(reasonOf(ask())).toBe('allowed')
      time.now += 100
    }
    expect(waits).toEqual([])
  })

  it('goes on before whoever comes when its time was over already, though its timer has not run', async () => {
    vi.useFakeTimers()
    try {
      const clock = () => late.time.now
      const throttle = createThrottle({ now: clock, elapsed: clock, onDelayed() {} })
      const late = start('', { throttle })
      const gone: string[] = []
      const come = (name: string, request = {}) =>
        void Promise.resolve(late.ask(request)).then(({ reason }) => gone.push(`${name} ${reason}`))
      come('first')
      come('second')
      expect(throttle.waiting).toBe(1)
      late.time.now += 250
      come('third')
      come('without time', { timeLeftMs: () => 10 })
      await vi.advanceTimersByTimeAsync(0)
      expect(gone).toEqual(['first allowed', 'without time rate_limited'])
      await vi.advanceTimersByTimeAsync(100)
      expect(gone.slice(2)).toEqual(['second allowed', 'third allowed'])
      expect(throttle.waiting).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('takes up a real queue: full is 429, and no place of another tenant', async () => {
    const places = { perTenant: 2, total: 10 }
    const clocks = { now: () => NOON, elapsed: () => performance.now() }
    const throttle = createThrottle({ ...clocks, onDelayed() {}, places })
    const { ask } = start('', { throttle })
    ask()
    const asked = [ask(), ask()]
    expect(asked).toEqual([WAITING, WAITING])
    expect(reasonOf(ask())).toBe('rate_limited')
    ask({}, globex.key)
    const other = ask({}, globex.key)
    expect(other).toEqual(WAITING)
    const decisions = await Promise.all([...asked, other])
    expect(decisions.map(({ reason }) => reason)).toEqual(['allowed', 'allowed', 'allowed'])
    expect(throttle.waiting).toBe(0)
  })
})

describe('a caller that gave up while it waited', () => {
  const remaining = async (decision: Decision | Promise<Decision>) => {
    const { limits } = await decision
    return Object.fromEntries((limits?.states ?? []).map((state) => [state.limit.name, state.remaining]))
  }

  it.each(['/read', '/dear', '/scarce'])(
    'is charged nothing by the time when its turn has passed, of no limit: %s',
    async (path) => {
      const headers = { 'x-api-key': narrow.key }
      const { ask, waits, time } = start()
      const first = await remaining(ask({ path, headers }))
      let isGone = false
      const asked = ask({ path, headers, abandoned: () => isGone })
      expect(asked).toEqual(WAITING)
      isGone = true
      time.now += 100
      waits[0]?.goOn()
      const decision = await asked
      expect(decision).toMatchObject({ decision: 'deny', reason: 'dependency_unavailable' })
      expect(decision).not.toHaveProperty('limits')
      time.now += 100
      const cost = path === '/dear' ? 5 : 1
      const counted = { daily: cost, tried: cost, scarce: cost, own: cost, dear: cost }
      const next = await remaining(ask({ path, headers }))
      for (const [name, before] of Object.entries(first)) {
        const used = Object.entries(counted).find(([own]) => own === name)?.[1] ?? 0
        expect([name, next[name]]).toEqual([name, before - used])
      }
    },
  )

  it('gets nothing back in a window that began meanwhile', async () => {
    const { ask, waits, time } = start()
    time.now = Date.parse('2026-11-22T23:59:59.950Z')
    const headers = { 'x-api-key': globex.key }
    ask({ headers })
    let isGone = false
    const asked = ask({ headers, abandoned: () => isGone })
    time.now += 100
    const firstOfDay = ask({ headers, path: '/dear' })
    isGone = true
    for (const { goOn } of waits) goOn()
    expect(await asked).toMatchObject({ reason: 'dependency_unavailable' })
    time.now += 1000
    const daily = [await remaining(firstOfDay), await remaining(ask({ headers }))].map(({ daily }) => daily)
    expect(daily).toEqual([95, 94])
  })
})

describe('limits in shadow', () => {
  it('wait for nobody where the whole stage only observes, and count as they would', () => {
    const { ask, waits } = start('shadow: [limits]')
    const decisions = [1, 2, 3, 4].map(() => ask())
    expect(decisions.map(reasonOf)).toEqual(['allowed', 'allowed', 'allowed', 'allowed'])
    expect(decisions.map((decision) => 'shadow' in decision)).toEqual([false, false, false, true])
    expect(waits).toEqual([])
  })
})

describe('where nobody waits', () => {
  it('what would be held back is told', () => {
    const said: string[] = []
    const { given } = start()
    const ask = () =>
      decide(requestOf({ path: '/read', headers: { 'x-api-key': acme.key } }), {
        ...given,
        now: NOON,
        explain: (stage, words) => stage === 'limits' && said.push(words),
      })
    ask()
    expect(reasonOf(ask())).toBe('allowed')
    expect(said[1]).toContain('paced 0 of 1 left (would wait 100 ms)')
  })
})

describe('a credential that had to be asked about', () => {
  it('is charged at the time when the answer has come', async () => {
    const { given, throttle } = start()
    let now = NOON
    const later: Credentials = { ...given.credentials, verify: async (...asked) => given.credentials.verify(...asked) }
    const ask = (credentials = given.credentials) =>
      decide(requestOf({ path: '/read', headers: { 'x-api-key': acme.key } }), {
        ...given,
        credentials,
        throttle,
        clock: () => now,
        now,
      })
    ask()
    now += 100
    const asked = ask(later)
    // meanwhile another has the token, and the bucket stands at this later time
    now += 100
    expect(reasonOf(ask())).toBe('allowed')
    now += 100
    expect((await asked).reason).toBe('allowed')
    // its token is gone: had it been taken in the past, that time would count twice
    expect(ask()).toEqual(WAITING)
  })
})
