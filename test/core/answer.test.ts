/** Problem types of refusals: those that IANA has for limits, and none where the status says it all. */
import { describe, expect, it } from 'vitest'
import { denialBody, type Refused } from '../../core/answer.ts'
import { DENIALS, type DenyReason } from '../../core/decision.ts'
import type { ChargeState, Limit } from '../../core/limits/limit.ts'
import { reportOf } from '../../core/limits/report.ts'

const limit = (name: string, expose = true): Limit => ({
  name,
  by: ['tenant'],
  expose,
  kind: 'quota',
  amount: 1,
  period: { count: 1, unit: 'day' },
})
const full = (of: Limit, retryAfterMs: number): ChargeState => ({
  limit: of,
  admitted: false,
  remaining: 0,
  resetMs: retryAfterMs,
  retryAfterMs,
  delayMs: 0,
  windowMs: 86_400_000,
})
const bodyOf = (reason: DenyReason, states: readonly ChargeState[] = []) => {
  const refused: Refused = { decision: 'deny', reason, grpc: false, request: { id: 'r-1' }, limits: reportOf(states) }
  return JSON.parse(denialBody(refused))
}

describe('the type of a problem', () => {
  const IANA = 'https://iana.org/assignments/http-problem-types'

  it.each<[DenyReason, string]>([
    ['rate_limited', `${IANA}#quota-exceeded`],
    ['quota_exceeded', `${IANA}#quota-exceeded`],
    ['too_many_failures', `${IANA}#abnormal-usage-detected`],
  ])('of %s is %s', (reason, type) => {
    expect(bodyOf(reason)).toMatchObject({ type, status: 429, 'violated-policies': [], violatedPolicies: [] })
  })

  it('of any other refusal is none, and no policies are named', () => {
    const others = (Object.keys(DENIALS) as DenyReason[]).filter((reason) => DENIALS[reason].status !== 429)
    for (const reason of others) {
      const body = bodyOf(reason)
      expect(body.type).toBe('about:blank')
      expect(body).not.toHaveProperty('violatedPolicies')
      expect(body).not.toHaveProperty('violated-policies')
    }
  })

  it('names a limit once, also where one of the route has the name of one of the tenant', () => {
    expect(bodyOf('quota_exceeded', [full(limit('daily'), 5), full(limit('daily'), 9)]).violatedPolicies).toEqual([
      'daily',
    ])
  })

  it('comes with the names of the limits without room, the longest wait first, and of no hidden one', () => {
    const states = [full(limit('hourly'), 5), full(limit('hidden', false), 9), full(limit('daily'), 7)]
    const body = bodyOf('quota_exceeded', states)
    expect(body['violated-policies']).toEqual(['daily', 'hourly'])
    expect(body.violatedPolicies).toEqual(['daily', 'hourly'])
    expect(JSON.stringify(body)).not.toContain('hidden')
  })
})
