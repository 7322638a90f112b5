/** What Prometheus is told of flags, and what nobody can make it keep. */
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { createFlags } from '../../core/flags/evaluate.ts'
import { addFlagMetrics } from '../../telemetry/flag-metrics.ts'

const flags = createFlags(
  JSON.stringify({ flags: { route: { state: 'ENABLED', variants: { a: 'x', b: 'y' }, defaultVariant: 'a' } } }),
)

async function linesAfter(count: (add: ReturnType<typeof addFlagMetrics>) => void): Promise<string[]> {
  const registry = new Registry()
  count(addFlagMetrics(registry))
  return (await registry.metrics()).split('\n').filter((line) => line.startsWith('tenantgate_flag_evaluations_total{'))
}

const NAME = 'tenantgate_flag_evaluations_total'

describe('tenantgate_flag_evaluations_total', () => {
  it('counts by flag, variant and reason', async () => {
    const lines = await linesAfter((add) => {
      add([{ flag: 'route', value: 'x', variant: 'a', reason: 'STATIC' }], flags)
      add([{ flag: 'route', value: 'x', variant: 'a', reason: 'STATIC' }], flags)
      add([{ flag: 'route', value: 'y', variant: 'b', reason: 'OVERRIDE', by: 'role tester' }], flags)
      add([{ flag: 'route', value: 'z', reason: 'DISABLED', off: 'switch' }], flags)
    })
    expect(lines).toEqual([
      `${NAME}{flag="route",variant="a",reason="STATIC"} 2`,
      `${NAME}{flag="route",variant="b",reason="OVERRIDE"} 1`,
      `${NAME}{flag="route",variant="",reason="DISABLED"} 1`,
    ])
  })

  it('a variant that no file has is none, and a reason that nobody knows is UNKNOWN: whatever a provider makes up is one series', async () => {
    const lines = await linesAfter((add) => {
      for (let i = 0; i < 50; i += 1) add([{ flag: 'route', value: 1, variant: `v${i}`, reason: `r${i}` }], flags)
    })
    expect(lines).toEqual([`${NAME}{flag="route",variant="",reason="UNKNOWN"} 50`])
  })

  it('flags of one policy after the other end in one series, when there are too many', async () => {
    const lines = await linesAfter((add) => {
      for (let i = 0; i < 10_100; i += 1) add([{ flag: `f${i}`, value: 1, reason: 'STATIC' }], flags)
    })
    expect(lines).toHaveLength(10_001)
    expect(lines.at(-1)).toBe(`${NAME}{flag="",variant="",reason="STATIC"} 100`)
  })
})
