/** What shadow lets through is told where a refusal would be: in the log at its level, in the audit, and in the metrics. */
import { describe, expect, it } from 'vitest'
import { createGate } from '../../cli/service/gate.ts'
import { NOTHING_OFF } from '../../core/flags/switches.ts'
import type { Use } from '../../core/usage.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { createThrottle } from '../../stores/throttle.ts'
import { createAudit } from '../../telemetry/audit.ts'
import { createLog, type LogLevel } from '../../telemetry/log.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { NOON, newKey, partsOf, policyOf, requestOf } from '../support/gate.ts'

const acme = newKey()
const policy = policyOf(`
version: 1
plans: { none: { limits: [] } }
tenants: { acme: { plan: none, apiKeys: [{ id: ci, hash: "${acme.hash}" }] } }
routes:
  - { name: trial, match: { path: /trial }, require: { scopes: [write] }, mode: shadow }
  - { name: open, match: { path: /open } }
`)

async function told(level: LogLevel, path: string) {
  const lines: string[] = []
  const audited: string[] = []
  const used: Use[] = []
  const sink = { write: (line: string) => void audited.push(line), lost: 0, reopen() {}, close: async () => {} }
  const metrics = createMetrics(() => NOON)
  const gate = createGate(policy, {
    limits: createMemoryLimits(),
    throttle: createThrottle({ now: () => NOON, elapsed: () => 0, onDelayed() {} }),
    credentials: partsOf({}),
    switches: NOTHING_OFF,
    metrics,
    log: createLog(level, { write: (line: string) => void lines.push(line) }),
    audit: createAudit(sink, () => NOON),
    usage: { count: (use) => void used.push(use) },
    signingKey: () => '',
    now: () => NOON,
    elapsed: () => 0,
  })
  await gate.decide(requestOf({ path, headers: { 'x-api-key': acme.key } }))
  const { text } = await metrics.scrape()
  const [parsed, auditLines] = [lines, audited].map((all) => all.map((line) => JSON.parse(line)))
  return { lines: parsed, auditLines, used, text }
}

describe('a request that only shadow lets through', () => {
  it('is a line at info, and a count beside the allow', async () => {
    const { lines, auditLines, used, text } = await told('info', '/trial')
    const shadow = [{ reason: 'insufficient_scope', because: "lacks scope 'write'" }]
    expect(lines).toMatchObject([{ level: 'info', decision: 'allow', tenant: 'acme', route: 'trial', shadow }])
    expect(auditLines).toMatchObject([
      { event: 'authorization_refused', reason: 'insufficient_scope', tenant: 'acme', route: 'trial', shadow: true },
    ])
    expect(text).toContain('tenantgate_shadow_denials_total{reason="insufficient_scope"} 1')
    expect(used).toEqual([{ tenant: 'acme', credential: 'ci', route: 'trial', outcome: 'allowed' }])
    expect(text).toContain('tenantgate_decisions_total{decision="allow",reason="allowed"} 1')
  })

  it('is no line where refusals are none', async () => {
    expect((await told('warn', '/trial')).lines).toEqual([])
  })

  it('is unlike others, which are no line at info and not counted', async () => {
    const { lines, auditLines, text } = await told('info', '/open')
    expect([lines, auditLines]).toEqual([[], []])
    expect(text).not.toMatch(/^tenantgate_shadow_denials_total\{.*\} [1-9]/m)
  })
})
