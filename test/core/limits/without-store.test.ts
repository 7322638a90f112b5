/** What is told of limits whose store does not answer: no 429 that nobody has earned, no number that nobody knows. */
import { describe, expect, it } from 'vitest'
import { clientHeaders, decisionFacts, denialBody } from '../../../core/answer.ts'
import { decide } from '../../../core/decide.ts'
import { chargeTenant } from '../../../core/descriptors/tenant-domain.ts'
import { explained } from '../../../core/explained.ts'
import type { ChargeState, LimitStore } from '../../../core/limits/limit.ts'
import { GIVEN_UP, takeInTurn } from '../../../core/limits/throttle.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { gateOf, NOON, newKey, policyOf, requestOf } from '../../support/gate.ts'

const own = newKey()

const policyText = (mode: string, shadow = '') => `
version: 1
shadow: [${shadow}]
plans:
  pro:
    limits:
      - { name: local, quota: 10/day }
      - { name: open, quota: 20/day, onStoreFailure: allow }
      - { name: shut, quota: 30/day, onStoreFailure: deny, mode: ${mode} }
tenants:
  acme: { plan: pro, apiKeys: [{ id: ci, hash: "${own.hash}" }] }
routes: [{ name: all, match: { path: /** } }]
`

type Answers = Readonly<Record<string, Partial<ChargeState>>>

const AWAY: Answers = {
  local: { withoutStore: 'local', remaining: 4 },
  open: { withoutStore: 'allow', remaining: 20 },
  shut: { withoutStore: 'deny', admitted: false, remaining: 0, retryAfterMs: 250 },
}

/** Answers by the limits' names. */
function store(answers: Answers): LimitStore {
  const take: LimitStore['take'] = (charges) =>
    charges.map(({ limit }) => {
      const rest = { remaining: 1, resetMs: 3_600_000, retryAfterMs: 0, delayMs: 0, windowMs: 86_400_000 }
      return { limit, admitted: true, ...rest, ...answers[limit.name] }
    })
  return { ...createMemoryLimits(), take, look: take }
}

function given(answers: Answers, { mode = 'enforce', shadow = '' } = {}) {
  return { ...gateOf(policyOf(policyText(mode, shadow))).given, limits: store(answers), now: NOON }
}

const REQUEST = requestOf({ headers: { 'x-api-key': own.key } })
const { shut: _, ...OPEN } = AWAY

describe('a limit that denies without its store', () => {
  it('is 503 and never 429, says when to come back, and names no limit and no number', async () => {
    const decision = await decide(REQUEST, given(AWAY))
    if (decision.decision !== 'deny') throw new Error('it is denied')
    expect(decision).toMatchObject({ reason: 'dependency_unavailable', tenant: 'acme' })
    expect(decision.because).toBe("limit 'shut' cannot be asked: its store does not answer")
    const headers = Object.fromEntries(clientHeaders(decision))
    expect(headers).toMatchObject({ 'retry-after': '1' })
    for (const name of ['ratelimit', 'x-ratelimit-limit', 'x-ratelimit-remaining']) {
      expect(headers).not.toHaveProperty(name)
    }
    expect(JSON.stringify(headers)).not.toMatch(/shut|open/)
    expect(denialBody(decision)).not.toMatch(/shut|violated/)
    expect(JSON.parse(denialBody(decision))).toMatchObject({ status: 503, code: 'dependency_unavailable' })
    expect(decisionFacts(decision)).not.toHaveProperty('limit')
  })

  it('is that also beside one that has no room for much longer', async () => {
    const full = { ...AWAY.local, admitted: false, remaining: 0, retryAfterMs: 7_200_000 }
    const decision = await decide(REQUEST, given({ ...AWAY, local: full }))
    expect(decision).toMatchObject({ reason: 'dependency_unavailable' })
    expect(Object.fromEntries(clientHeaders(decision as never))).toMatchObject({ 'retry-after': '1' })
  })

  it('in shadow refuses nobody, and is noted as what it would be', async () => {
    const noted = { decision: 'allow', shadow: [{ reason: 'dependency_unavailable' }] }
    expect(await decide(REQUEST, given(AWAY, { mode: 'shadow' }))).toMatchObject(noted)
    expect(await decide(REQUEST, given(AWAY, { shadow: 'limits' }))).toMatchObject(noted)
  })

  it('is over its limit for a ratelimit filter, which would let an error through', async () => {
    const descriptors = [{ entries: [{ key: 'tenant', value: 'acme' }] }]
    const answer = await chargeTenant({ domain: 'tenantgate', descriptors, hitsAddend: 0 }, given(AWAY))
    expect(answer).toMatchObject({ code: 'over_limit', overruns: [{ reason: 'dependency_unavailable' }] })
    expect(answer.statuses).toEqual([{ code: 'over_limit', remaining: 0 }])
  })
})

describe('a limit that allows without its store', () => {
  it('tells the client nothing of itself; one that goes on by itself does', async () => {
    const decision = await decide(REQUEST, given(OPEN))
    const headers = Object.fromEntries(clientHeaders(decision as never))
    expect(headers).toMatchObject({ 'ratelimit-policy': expect.stringContaining('"local";q=10') })
    expect(JSON.stringify(headers)).not.toContain('open')
    expect(decisionFacts(decision)).toMatchObject({ limit: 'shut', remaining: 1 })
  })

  it('binds nobody, whatever number stands there', async () => {
    const decision = await decide(REQUEST, given({ ...OPEN, open: { withoutStore: 'allow', remaining: 0 } }))
    expect(decisionFacts(decision)).toMatchObject({ limit: 'shut' })
  })

  it('gets nothing back from a request that went away while it waited, since nothing was taken', async () => {
    const base = given(OPEN)
    const taken = store({ ...OPEN, local: { delayMs: 100 } })
    const adjusted: string[] = []
    const limits: LimitStore = {
      ...taken,
      adjust(charges) {
        adjusted.push(...charges.map(({ limit }) => limit.name))
        return []
      },
    }
    const tenant = base.policy.directory.byId('acme')
    const route = base.policy.routes.routes[0]
    if (!route || !tenant || typeof tenant === 'string' || tenant instanceof Promise) throw new Error('both are there')
    const principal = { kind: 'apiKey' as const, credential: 'ci', roles: [], scopes: [] }
    const request = { ...REQUEST, abandoned: () => true }
    const throttle = { patienceMs: () => 1000, isLate: () => false, wait: async () => {} }
    const turn = takeInTurn({ request, route, tenant, principal }, { limits, throttle }, NOON, true)
    expect(await turn).toBe(GIVEN_UP)
    expect(adjusted).toEqual(['local', 'shut'])
  })
})

it('explain says by which rule each limit was answered', async () => {
  const { stages } = await explained(REQUEST, given(AWAY, { mode: 'shadow' }), 'live')
  expect(stages.find(({ stage }) => stage === 'limits')?.found).toBe(
    "local 4 of 10 left (the store does not answer: this instance's share), " +
      'open not known (the store does not answer: let through), ' +
      'shut not known (the store does not answer: refused, in shadow)',
  )
  const denied = await explained(REQUEST, given(AWAY), 'live')
  expect(denied.stages.filter(({ found }) => found.startsWith('refused')).map(({ stage }) => stage)).toEqual(['limits'])
})
