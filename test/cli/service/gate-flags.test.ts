/** Flags over changes of a policy: those that are the same go on, compiled as they are. */
import { describe, expect, it } from 'vitest'
import { createGate } from '../../../cli/service/gate.ts'
import { NOTHING_OFF } from '../../../core/flags/switches.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { createThrottle } from '../../../stores/throttle.ts'
import { NO_AUDIT } from '../../../telemetry/audit.ts'
import { NOON, partsOf, policyOf, requestOf } from '../../support/gate.ts'

const fileWith = (variant: string) => {
  const variants = { stable: 'orders-stable', canary: 'orders-canary' }
  return JSON.stringify({ flags: { backend: { state: 'ENABLED', variants, defaultVariant: variant } } })
}

const policyWith = (flags: string, more = '') =>
  policyOf(
    `
version: 1
${flags}
plans: { pro: { limits: [] } }
tenants: { acme: { plan: pro }${more} }
upstreams: [orders-stable, orders-canary]
routes: [{ name: all, match: { path: /** }, anonymous: true, upstream: { default: orders-stable, flag: backend } }]
`,
    { 'stable.json': fileWith('stable'), 'canary.json': fileWith('canary') },
  )

const STABLE = 'flags: stable.json'

function gate() {
  return createGate(policyWith(STABLE), {
    limits: createMemoryLimits(),
    throttle: createThrottle({ now: () => NOON, elapsed: () => 0, onDelayed() {} }),
    credentials: partsOf({}),
    switches: NOTHING_OFF,
    metrics: { decided() {}, flagsAsked() {}, policyLive() {} },
    log: { decisions: { allow: false, deny: false }, decided() {} },
    audit: NO_AUDIT,
    usage: { count() {} },
    signingKey: () => '',
    now: () => NOON,
    elapsed: () => 0,
  })
}

describe('the flags of a gate', () => {
  it('are compiled anew with another flag file or rollout, and not for another tenant', async () => {
    const asked = gate()
    const rollout = '{ variant: canary, steps: [{ from: 2026-11-01T00:00:00Z, percent: 100 }] }'
    const rolledOut = `flags: { file: stable.json, rollouts: { backend: ${rollout} } }`
    const seen: [flags: unknown, upstream: unknown][] = []
    const see = async () => void seen.push([asked.flags(), await asked.decide(requestOf({}))])
    await see()
    for (const next of [
      policyWith(STABLE, ', globex: { plan: pro }'),
      policyWith('flags: canary.json'),
      policyWith(rolledOut),
    ]) {
      asked.replace(next)
      await see()
    }
    expect(new Set(seen.map(([flags]) => flags)).size).toBe(3)
    expect(seen[0]?.[0]).toBe(seen[1]?.[0])
    expect(seen.map(([, decision]) => decision)).toMatchObject(
      ['orders-stable', 'orders-stable', 'orders-canary', 'orders-canary'].map((upstream) => ({ upstream })),
    )
  })
})
