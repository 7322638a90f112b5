/** A candidate beside the live policy finds what it would change, and nobody notices that it is there. */
import { describe, expect, it } from 'vitest'
import type { Difference } from '../../../../core/candidate/compare.ts'
import type { Decision } from '../../../../core/decision.ts'
import { NOON, newKey, policyOf, requestOf } from '../../../support/gate.ts'
import { aloneWith, samples, sideBySide } from '../../../support/side-by-side.ts'
import { each, GUESS, get, globex, LIVE, policy, reader, TIGHTER, table, writer } from './two-policies.ts'

const wordOf = ({ reason, route, upstream }: Decision & { upstream?: string }) => [reason, route, upstream]

describe('a candidate that tightens a scope and halves limits', () => {
  it('is reported to change exactly what it does change when it is live', async () => {
    const requests = table()
    const clock = { now: NOON }
    const beside = sideBySide(LIVE, TIGHTER, clock)
    const live = await each(requests, clock, async (request) => {
      const decision = await beside.gate.decide(request)
      // the candidate comes late, and by another time than the live policy
      if (beside.turns.length === 1 && clock.now % 280 === 0) await beside.catchUp()
      return decision
    })
    await beside.catchUp()

    const [withoutAt, thenAt] = [{ now: NOON }, { now: NOON }]
    const without = await each(requests, withoutAt, aloneWith(LIVE, withoutAt).gate.decide)
    const then = await each(requests, thenAt, aloneWith(TIGHTER, thenAt).gate.decide)
    expect(live.map(wordOf)).toEqual(without.map(wordOf))

    const changed = requests.flatMap(({ id }, i) => {
      const [before, after] = [live[i], then[i]]
      if (!before || !after || before.reason === after.reason) return []
      return [
        {
          requestId: id,
          kind: before.decision === after.decision ? 'reason' : 'decision',
          live: before.reason,
          candidate: after.reason,
        },
      ]
    })
    const reported = beside.examples.flatMap(({ requestId, differences, live, candidate }) =>
      differences.map(({ kind }) => ({ requestId, kind, live: live.reason, candidate: candidate.reason })),
    )
    expect(reported).toEqual(changed)
    expect(new Set(changed.map(({ candidate }) => candidate))).toEqual(
      // who was refused before used nothing: that leaves room for others
      new Set(['insufficient_scope', 'rate_limited', 'quota_exceeded', 'allowed']),
    )
    expect(changed.length).toBeGreaterThan(50)

    const { compared, different, counts } = beside.candidate.compared()
    expect({ compared, different }).toEqual({ compared: requests.length, different: changed.length })
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(changed.length)
    expect(
      Object.values(await samples(beside.metrics, 'tenantgate_candidate_differences_total{')).reduce((a, b) => a + b),
    ).toBe(changed.length)
    const decisions: Record<string, number> = {}
    for (const { decision, reason } of then) {
      const series = `tenantgate_candidate_decisions_total{decision="${decision}",reason="${reason}"}`
      decisions[series] = (decisions[series] ?? 0) + 1
    }
    expect(await samples(beside.metrics, 'tenantgate_candidate_decisions_total{')).toEqual(decisions)
  })

  it('leaves no trace but its own: buckets, failures, uses, usage, log, audit and metrics are those of the live one alone', async () => {
    const requests = table()
    const traces = async (candidate: typeof TIGHTER | undefined) => {
      const clock = { now: NOON }
      const { gate, catchUp, metrics, told, uses } = sideBySide(LIVE, candidate, clock)
      await each(requests, clock, async (request) => {
        await gate.decide(request)
        await catchUp()
      })
      const scrape = await samples(metrics, 'tenantgate_')
      const live = Object.entries(scrape).filter(([name]) => !name.startsWith('tenantgate_candidate_'))
      const hash = (stored: string) => stored.slice('sha256:'.length)
      return {
        told,
        live: live.filter(([name]) => !name.includes('duration_seconds')),
        used: uses.lastUsed([reader.hash, writer.hash, globex.hash].map(hash)),
        // also what is left of limits, and who is blocked
        explained: await Promise.all([get(writer.key), get(globex.key), GUESS].map(gate.explain)),
      }
    }
    expect(await traces(TIGHTER)).toEqual(await traces(undefined))
  })
})

it('a key that only the candidate knows is used by nobody', async () => {
  const other = newKey()
  const knowing = policyOf(`
version: 1
plans: { pro: { limits: [] } }
tenants: { acme: { plan: pro, apiKeys: [{ id: other, hash: "${other.hash}" }] } }
routes: [{ name: all, match: { path: /** } }]
`)
  const { gate, catchUp, uses, examples } = sideBySide(LIVE, knowing)
  expect(await gate.decide(get(other.key))).toMatchObject({ reason: 'invalid_credential' })
  await catchUp()
  expect(examples).toMatchObject([{ live: { reason: 'invalid_credential' }, candidate: { reason: 'allowed' } }])
  expect(uses.lastUsed([other.hash.slice('sha256:'.length)])).toEqual([undefined])
})

/** All that is done takes no time. */
const AT_ONCE = { parts: { elapsed: () => 0 } }

describe('the live answer', () => {
  it('comes in the same tick, and before anything of the candidate is done', () => {
    const { gate, turns, candidate } = sideBySide(LIVE, TIGHTER)
    expect(gate.decide(get(reader.key))).toMatchObject({ reason: 'allowed' })
    expect([turns.length, candidate.compared().compared]).toEqual([1, 0])
  })

  it('comes whatever is broken in the candidate, which is counted and told once in a while', async () => {
    const broken = {
      ...TIGHTER,
      routes: {
        ...TIGHTER.routes,
        match: () => {
          throw new Error('broken')
        },
      },
    }
    const { gate, catchUp, faults, candidate, metrics } = sideBySide(LIVE, broken, { now: NOON }, AT_ONCE)
    for (let i = 0; i < 5; i += 1) expect(await gate.decide(get(globex.key))).toMatchObject({ reason: 'allowed' })
    await catchUp()
    expect(candidate.compared().skipped).toEqual({ busy: 0, abandoned: 0, fault: 5 })
    expect(faults).toHaveLength(1)
    expect(await samples(metrics, 'tenantgate_faults_total')).toEqual({})
  })

  it.each(['take', 'reject'] as const)(
    'comes when the limits of the candidate %s what they should not',
    async (how) => {
      const fault = () => {
        throw new Error('broken')
      }
      const limits = { ...aloneWith(LIVE, { now: NOON }).limits, take: how === 'take' ? fault : async () => fault() }
      const { gate, catchUp, candidate } = sideBySide(LIVE, TIGHTER, { now: NOON }, { parts: { limits } })
      expect(await gate.decide(get(globex.key))).toMatchObject({ reason: 'allowed' })
      await catchUp()
      expect(candidate.compared().skipped.fault).toBe(1)
    },
  )

  it('is its own where nobody waits for it any more: such a request says nothing of a policy', async () => {
    const { gate, catchUp, candidate } = sideBySide(LIVE, TIGHTER)
    expect(await gate.decide(get(globex.key, { abandoned: () => true }))).toMatchObject({
      reason: 'dependency_unavailable',
    })
    await catchUp()
    expect(candidate.compared()).toMatchObject({ compared: 0, skipped: { abandoned: 1 } })
  })

  it('is compared also when the gateway is gone by the time of the candidate', async () => {
    const { gate, catchUp, candidate } = sideBySide(LIVE, TIGHTER)
    let isGone = false
    await gate.decide(get(globex.key, { abandoned: () => isGone }))
    isGone = true
    await catchUp()
    expect(candidate.compared()).toMatchObject({ compared: 1, different: 0 })
  })
})

describe('bounds', () => {
  it('more than may wait are skipped, and counted', async () => {
    const { gate, catchUp, candidate, metrics } = sideBySide(LIVE, TIGHTER, { now: NOON }, { bounds: { waiting: 3 } })
    for (let i = 0; i < 5; i += 1) await gate.decide(requestOf({ path: '/healthz' }))
    await catchUp()
    expect(candidate.compared()).toMatchObject({ compared: 3, skipped: { busy: 2 } })
    expect(await samples(metrics, 'tenantgate_candidate_skipped_total{')).toEqual({
      'tenantgate_candidate_skipped_total{because="busy"}': 2,
    })
  })

  it('at one turn of the process only some are decided: who comes meanwhile goes before the rest', async () => {
    const { gate, turns, candidate } = sideBySide(LIVE, TIGHTER, { now: NOON }, AT_ONCE)
    for (let i = 0; i < 100; i += 1) await gate.decide(requestOf({ path: '/healthz' }))
    expect(turns).toHaveLength(1)
    turns[0]?.()
    expect(candidate.compared().compared).toBe(64)
    expect(turns).toHaveLength(2)
  })

  it('and where they take long, no other one is begun after 5 ms', async () => {
    let ms = 0
    const elapsed = () => {
      ms += 2
      return ms
    }
    const { gate, turns, candidate } = sideBySide(LIVE, TIGHTER, { now: NOON }, { parts: { elapsed } })
    for (let i = 0; i < 10; i += 1) await gate.decide(requestOf({ path: '/healthz' }))
    for (const compared of [3, 6, 9, 10]) {
      turns.shift()?.()
      expect([candidate.compared().compared, turns.length]).toEqual([compared, compared < 10 ? 1 : 0])
    }
  })

  it('decisions that wait for something outside are bounded, and the rest is compared when they are over', async () => {
    let answer: (states: never[]) => void = () => {}
    const limits = {
      ...aloneWith(LIVE, { now: NOON }).limits,
      take: () =>
        new Promise<never[]>((resolve) => {
          answer = resolve
        }),
    }
    const given = { bounds: { underWay: 1 }, parts: { limits } }
    const { gate, catchUp, candidate } = sideBySide(LIVE, TIGHTER, { now: NOON }, given)
    for (let i = 0; i < 3; i += 1) await gate.decide(get(globex.key))
    await catchUp()
    expect(candidate.compared()).toMatchObject({ compared: 0, skipped: { busy: 2 } })
    answer([])
    await catchUp()
    expect(candidate.compared()).toMatchObject({ compared: 1 })
    await gate.decide(requestOf({ path: '/healthz' }))
    await catchUp()
    expect(candidate.compared().compared).toBe(2)
  })
})

type Beside = ReturnType<typeof sideBySide>

describe('another policy', () => {
  it('as candidate keeps the buckets, and what is reported begins anew', async () => {
    const { gate, candidate, catchUp } = sideBySide(LIVE, policy({ daily: 2 }))
    const ask = async () => {
      await gate.decide(get(globex.key))
      await catchUp()
    }
    for (let i = 0; i < 3; i += 1) await ask()
    expect(candidate.compared()).toMatchObject({ compared: 3, different: 1 })
    candidate.replace(policy({ daily: 3 }))
    expect(candidate.compared()).toMatchObject({ compared: 0, different: 0, examples: [] })
    await ask()
    await ask()
    expect(candidate.compared()).toMatchObject({ compared: 2, different: 1 })
  })

  it('as live one begins it anew too', async () => {
    const { gate, candidate, catchUp } = sideBySide(LIVE, policy({ daily: 2 }))
    for (let i = 0; i < 4; i += 1) await gate.decide(get(globex.key))
    await catchUp()
    expect(candidate.compared().different).toBe(2)
    gate.replace(policy({ daily: 2 }))
    for (let i = 0; i < 3; i += 1) await gate.decide(get(globex.key))
    await catchUp()
    expect(candidate.compared()).toMatchObject({ compared: 3, different: 0 })
  })

  it.each([
    ['as candidate', ({ candidate }: Beside) => candidate.replace(policy({ daily: 2 }))],
    ['as live one', ({ gate }: Beside) => gate.replace(policy({ daily: 39 }))],
  ])('%s leaves out what is under way: what is reported is of one pair', async (_, replace) => {
    let answer: (states: never[]) => void = () => {}
    const limits = {
      ...aloneWith(LIVE, { now: NOON }).limits,
      take: () =>
        new Promise<never[]>((resolve) => {
          answer = resolve
        }),
    }
    const beside = sideBySide(LIVE, TIGHTER, { now: NOON }, { parts: { limits } })
    await beside.gate.decide(get(globex.key))
    await beside.catchUp()
    replace(beside)
    answer([])
    await beside.catchUp()
    expect(beside.candidate.compared()).toMatchObject({ compared: 0, different: 0 })
    await beside.gate.decide(requestOf({ path: '/healthz' }))
    await beside.catchUp()
    expect(beside.candidate.compared()).toMatchObject({ compared: 1, different: 0 })
  })

  it('none at all compares nothing', async () => {
    const { gate, candidate, turns } = sideBySide(LIVE, undefined)
    await gate.decide(get(globex.key))
    expect([turns.length, candidate.version]).toEqual([0, undefined])
  })
})

describe('what is told of a difference', () => {
  it('holds no credential, wherever a client has written one', async () => {
    const { gate, catchUp, examples, candidate } = sideBySide(LIVE, TIGHTER)
    const key = globex.key
    const request = get(key, { method: 'POST', path: `/orders/${key}?key=${key}`, id: `id-${key}` })
    await gate.decide(request)
    await catchUp()
    expect(examples).toHaveLength(1)
    expect(JSON.stringify([examples, candidate.compared()])).not.toContain(key)
    expect(examples[0]).toMatchObject({
      path: '/orders/[credential]',
      tenant: 'globex',
      credential: 'globex',
      route: 'write',
      live: { decision: 'allow', reason: 'allowed' },
      candidate: { decision: 'deny', reason: 'insufficient_scope' },
      differences: [{ kind: 'decision', live: 'allow', candidate: 'deny' } satisfies Difference],
    })
  })
})
