/** A gate counts each decision once, as who asked, for what, and what came of it. */
import { describe, expect, it } from 'vitest'
import { createGate } from '../../../cli/service/gate.ts'
import type { Stages } from '../../../core/decide.ts'
import { NOTHING_OFF } from '../../../core/flags/switches.ts'
import type { Use } from '../../../core/usage.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { createThrottle } from '../../../stores/throttle.ts'
import { NO_AUDIT } from '../../../telemetry/audit.ts'
import { NOON, newKey, partsOf, policyOf, requestOf } from '../../support/gate.ts'

const acme = newKey()
const policy = policyOf(`
version: 1
identity: { sources: [apiKey, host], host: { suffix: .api.localhost } }
plans: { pro: { limits: [{ name: daily, quota: 1/day }] } }
tenants: { acme: { plan: pro, apiKeys: [{ id: ci, hash: "${acme.hash}" }] } }
routes:
  - { name: orders, match: { path: /orders } }
  - { name: health, match: { path: /health }, anonymous: true }
`)

function counted() {
  const used: [use: Use, at: number][] = []
  const gate = createGate(policy, {
    limits: createMemoryLimits(),
    throttle: createThrottle({ now: () => NOON, elapsed: () => 0, onDelayed() {} }),
    credentials: partsOf({}),
    switches: NOTHING_OFF,
    metrics: { decided() {}, flagsAsked() {}, policyLive() {} },
    log: { decisions: { allow: false, deny: false }, decided() {} },
    audit: NO_AUDIT,
    usage: { count: (use, at) => void used.push([use, at]) },
    signingKey: () => '',
    now: () => NOON,
    elapsed: () => 0,
  })
  const ask = (path: string, stages?: Stages, more = {}) =>
    gate.decide(requestOf({ path, headers: { 'x-api-key': acme.key }, ...more }), stages)
  return { gate, used, ask }
}

describe('usage', () => {
  it('is whose request it was, through which route, and what came of it', async () => {
    const { used, ask } = counted()
    await ask('/orders')
    await ask('/orders')
    await ask('/none')
    await ask('/orders', undefined, { headers: {} })
    await ask('/health', undefined, { headers: {}, host: 'acme.api.localhost' })
    const line = { tenant: 'acme', credential: 'ci', route: 'orders' }
    expect(used.map(([use]) => use)).toEqual([
      { ...line, outcome: 'allowed' },
      { ...line, outcome: 'quota_exceeded' },
      { ...line, route: '', outcome: 'no_matching_route' },
      { tenant: '', credential: '', route: 'orders', outcome: 'missing_credential' },
      { tenant: 'acme', credential: '', route: 'health', outcome: 'allowed' },
    ])
    expect(new Set(used.map(([, at]) => at))).toEqual(new Set([NOON]))
  })

  it('of a request whose stages are asked one by one is counted where its limits are asked, or where it ends', async () => {
    const { used, ask } = counted()
    const stages = { permission: false, limits: false, flags: false }
    await ask('/orders', { ...stages, permission: true })
    await ask('/orders', { ...stages, limits: true })
    await ask('/orders', { ...stages, flags: true })
    expect(used.map(([{ outcome }]) => outcome)).toEqual(['allowed'])
    await ask('/none', { ...stages, permission: true })
    expect(used.map(([{ outcome }]) => outcome)).toEqual(['allowed', 'no_matching_route'])
  })

  it('is not made by asking why', async () => {
    const { gate, used } = counted()
    await gate.explain(requestOf({ path: '/orders', headers: { 'x-api-key': acme.key } }))
    expect(used).toEqual([])
  })
})
