/** The audit: who was refused what, and what administrators did; nothing secret, nothing in the way, nothing lost in silence. */
import { describe, expect, it, vi } from 'vitest'
import type { DenyReason } from '../../core/decision.ts'
import { DENIALS } from '../../core/decision.ts'
import { type AuditSink, createAudit, MOST_PER_SECOND } from '../../telemetry/audit.ts'
import { allowOf, denyOf, requestOf } from '../ext-authz/decisions.ts'
import { NOON, newKey } from '../support/gate.ts'

function audited() {
  const lines: string[] = []
  const clock = { now: NOON }
  const sink: AuditSink = { write: (line) => void lines.push(line), lost: 3, reopen() {}, close: async () => {} }
  const parsed = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  return { audit: createAudit(sink, () => clock.now), lines, parsed, clock }
}

describe('a refused request', () => {
  it('is one line: who, what, why, from where, when', () => {
    const { audit, parsed, lines } = audited()
    const request = { ...requestOf({}), method: 'POST', path: '/v1/orders?token=secret', clientAddress: '192.0.2.7' }
    audit.decided(denyOf({ request, tenant: 'acme', user: 'u1', credential: 'ci', route: 'orders' }))
    expect(parsed()).toEqual([
      {
        time: '2026-11-22T12:00:00.000Z',
        event: 'authentication_refused',
        requestId: 'r-1',
        tenant: 'acme',
        user: 'u1',
        credential: 'ci',
        route: 'orders',
        reason: 'missing_credential',
        because: 'no credential was shown',
        address: '192.0.2.7',
        method: 'POST',
        path: '/v1/orders',
      },
    ])
    expect(lines[0]).toMatch(/^[^\n]+\n$/)
  })

  it('is there for every refusal of who somebody is and of what they may, and for no limit that is used up', () => {
    const written = (Object.keys(DENIALS) as DenyReason[]).filter((reason) => {
      const { audit, lines } = audited()
      audit.decided(denyOf({ reason }))
      return lines.length === 1
    })
    expect(written.sort()).toEqual([
      'ambiguous_credential',
      'expired_credential',
      'insufficient_role',
      'insufficient_scope',
      'invalid_credential',
      'missing_credential',
      'no_matching_route',
      'revoked_credential',
      'tenant_conflict',
      'tenant_suspended',
      'too_many_failures',
      'unknown_tenant',
    ])
  })

  it('that shadow has let through is a line that says so, whatever became of the request', () => {
    const { audit, parsed } = audited()
    const shadow = [
      { reason: 'invalid_credential', because: 'API key: not known' },
      { reason: 'rate_limited', because: 'limit burst' },
      { reason: 'insufficient_scope', because: "lacks scope 'write'" },
    ] as const
    audit.decided(allowOf({ shadow }))
    audit.decided(denyOf({ shadow, reason: 'tenant_suspended' }))
    const observed = [
      { event: 'authentication_refused', reason: 'invalid_credential', because: 'API key: not known', shadow: true },
      { event: 'authorization_refused', reason: 'insufficient_scope', shadow: true },
    ]
    expect(parsed()).toMatchObject([...observed, ...observed, { reason: 'tenant_suspended' }])
    expect(parsed().at(-1)).not.toHaveProperty('shadow')
  })

  it('is not one that was let through', () => {
    const { audit, lines } = audited()
    audit.decided(allowOf({}))
    expect(lines).toEqual([])
  })

  it('tells no credential, wherever a client has put it', () => {
    const { audit, lines } = audited()
    const { key } = newKey()
    const token = `eyJhbGciOiJSUzI1NiJ9.${'a'.repeat(900)}.${'b'.repeat(300)}`
    const headers = { 'x-api-key': key, authorization: `Bearer ${token}`, cookie: key }
    for (const secret of [key, token]) {
      const request = {
        ...requestOf(headers),
        id: `r ${secret}`,
        method: secret,
        path: `/v1/${secret}/x?key=${secret}`,
      }
      audit.decided(denyOf({ request, because: `about ${secret}` }))
    }
    expect(lines).toHaveLength(2)
    expect(lines.join('')).toContain('/v1/[credential]/x')
    for (const part of [key.slice(8), 'eyJ', 'aaaaaaa', 'bbbbbbb']) expect(lines.join('')).not.toContain(part)
  })

  it('is short whatever a client sends, and one line', () => {
    const { audit, lines } = audited()
    const request = { ...requestOf({}), path: `/${'x'.repeat(100_000)}`, id: 'a\nb\u2028c', method: 'G'.repeat(5000) }
    audit.decided(denyOf({ request }))
    expect(lines[0]?.length).toBeLessThan(3000)
    expect(lines[0]?.split('\n')).toHaveLength(2)
  })
})

describe('a flood', () => {
  it('is written up to a bound each second, the rest counted in one line; administration is never left out', () => {
    const { audit, parsed, clock } = audited()
    const shadow = [{ reason: 'insufficient_scope', because: 'lacks a scope' }] as const
    for (let i = 0; i < MOST_PER_SECOND - 500; i++) audit.decided(denyOf({}))
    for (let i = 0; i < 1000; i++) audit.decided(allowOf({ shadow }))
    audit.administered({
      action: 'key_revoked',
      outcome: 'done',
      requestId: 'r',
      address: '127.0.0.1',
      target: { id: 'ci' },
    })
    expect(parsed()).toHaveLength(MOST_PER_SECOND + 1)
    clock.now += 1000
    audit.decided(denyOf({}))
    expect(parsed().slice(-2)).toMatchObject([
      { event: 'lines_suppressed', suppressed: 500, since: '2026-11-22T12:00:00.000Z' },
      { event: 'authentication_refused' },
    ])
  })

  it('is told of even if nothing follows, and at the end', async () => {
    vi.useFakeTimers()
    try {
      const { audit, parsed } = audited()
      for (let i = 0; i < MOST_PER_SECOND + 1; i++) audit.decided(denyOf({}))
      vi.advanceTimersByTime(1000)
      expect(parsed().at(-1)).toMatchObject({ event: 'lines_suppressed', suppressed: 1 })
      audit.decided(denyOf({}))
      await audit.close()
      expect(parsed().at(-1)).toMatchObject({ event: 'lines_suppressed', suppressed: 1 })
    } finally {
      vi.useRealTimers()
    }
  })

  it('goes on being written when the clock is set back', () => {
    const { audit, lines, clock } = audited()
    for (let i = 0; i < MOST_PER_SECOND; i++) audit.decided(denyOf({}))
    clock.now -= 3_600_000
    audit.decided(denyOf({}))
    expect(lines).toHaveLength(MOST_PER_SECOND + 1)
  })
})

it('a change by an administrator and a reload of the policy are lines too; what is lost is counted', () => {
  const { audit, parsed } = audited()
  const target = { tenant: 'acme', id: 'ci' }
  audit.administered({
    action: 'key_rotated',
    outcome: 'refused',
    requestId: 'a-1',
    actor: 'ann',
    address: '127.0.0.1',
    target,
    reason: 'unknown_tenant',
  })
  const { key } = newKey()
  const changed = { tenant: 'acme', units: -5, by: { 'header:x': `red, ip=192.0.2.9 ${key}`, ip: '192.0.2.7' } }
  audit.administered({ action: 'limit_changed', outcome: 'done', requestId: 'a-2', address: 'unix', target: changed })
  audit.policyReloaded('refused', 'tenantgate.yaml:3:1: plans: is missing')
  expect(parsed()).toMatchObject([
    {
      event: 'administration',
      action: 'key_rotated',
      outcome: 'refused',
      requestId: 'a-1',
      actor: 'ann',
      tenant: 'acme',
      id: 'ci',
      reason: 'unknown_tenant',
    },
    { units: -5, by: { 'header:x': 'red, ip=192.0.2.9 [credential]', ip: '192.0.2.7' } },
    { event: 'policy_reload', outcome: 'refused', because: 'tenantgate.yaml:3:1: plans: is missing' },
  ])
  expect(audit.lost).toBe(3)
})
