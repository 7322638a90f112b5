/** What Prometheus reads: closed label sets, one policy version, and counts that are right. */
import { describe, expect, it } from 'vitest'
import { REASONS } from '../../core/decision.ts'
import { createMetrics } from '../../telemetry/metrics.ts'

async function lines(metrics: ReturnType<typeof createMetrics>, start: string): Promise<string[]> {
  const { text } = await metrics.scrape()
  return text.split('\n').filter((line) => line.startsWith(start))
}

describe('metrics', () => {
  it('have a series for every reason from the start, and for no other', async () => {
    const series = await lines(
      createMetrics(() => 0),
      'tenantgate_decisions_total{',
    )
    const expected = REASONS.map((reason) => {
      const decision = reason === 'allowed' ? 'allow' : 'deny'
      return `tenantgate_decisions_total{decision="${decision}",reason="${reason}"} 0`
    })
    expect(series).toEqual(expected)
  })

  it('count decisions by reason and measure them in seconds', async () => {
    const metrics = createMetrics(() => 0)
    metrics.decided('allowed', 4e-6)
    metrics.decided('allowed', 3e-3)
    metrics.decided('rate_limited', 4e-6)
    expect(await lines(metrics, 'tenantgate_decisions_total{decision="allow"')).toEqual([
      'tenantgate_decisions_total{decision="allow",reason="allowed"} 2',
    ])
    expect(await lines(metrics, 'tenantgate_decisions_total{decision="deny",reason="rate_limited"}')).toEqual([
      'tenantgate_decisions_total{decision="deny",reason="rate_limited"} 1',
    ])
    const name = 'tenantgate_decision_duration_seconds'
    expect(await lines(metrics, `${name}_count`)).toEqual([`${name}_count 3`])
    expect(await lines(metrics, `${name}_bucket{le="0.000005"}`)).toEqual([`${name}_bucket{le="0.000005"} 2`])
    expect(await lines(metrics, `${name}_bucket{le="0.005"}`)).toEqual([`${name}_bucket{le="0.005"} 3`])
  })

  it('count what shadow let through by its reason, beside the decision', async () => {
    const metrics = createMetrics(() => 0)
    const name = 'tenantgate_shadow_denials_total'
    expect(await lines(metrics, `${name}{`)).toHaveLength(REASONS.length - 1)
    metrics.decided('allowed', 1e-6, [{ reason: 'insufficient_scope', because: 'a' }])
    metrics.decided('rate_limited', 1e-6, [
      { reason: 'insufficient_scope', because: 'a' },
      { reason: 'tenant_conflict', because: 'b' },
    ])
    const counted = (await lines(metrics, `${name}{`)).filter((line) => !line.endsWith(' 0'))
    expect(counted.sort()).toEqual([`${name}{reason="insufficient_scope"} 2`, `${name}{reason="tenant_conflict"} 1`])
    expect(await lines(metrics, 'tenantgate_decisions_total{decision="allow"')).toEqual([
      'tenantgate_decisions_total{decision="allow",reason="allowed"} 1',
    ])
  })

  it('know one policy version at a time, and its age', async () => {
    let now = 1_000_000
    const metrics = createMetrics(() => now)
    metrics.policyLive('v1', now)
    now += 5_000
    metrics.policyLive('v2', now)
    now += 1_500
    expect(await lines(metrics, 'tenantgate_policy_info{')).toEqual(['tenantgate_policy_info{version="v2"} 1'])
    expect(await lines(metrics, 'tenantgate_policy_loaded_')).toEqual([
      'tenantgate_policy_loaded_timestamp_seconds 1005',
    ])
    expect(await lines(metrics, 'tenantgate_policy_age_')).toEqual(['tenantgate_policy_age_seconds 1.5'])
  })

  it('count reloads by result, and faults', async () => {
    const metrics = createMetrics(() => 0)
    metrics.reloaded('success')
    metrics.reloaded('failure')
    metrics.reloaded('failure')
    metrics.fault()
    expect(await lines(metrics, 'tenantgate_policy_last_reload_successful')).toEqual([
      'tenantgate_policy_last_reload_successful 0',
    ])
    expect(await lines(metrics, 'tenantgate_policy_reloads_total{')).toEqual([
      'tenantgate_policy_reloads_total{result="success"} 1',
      'tenantgate_policy_reloads_total{result="failure"} 2',
    ])
    expect(await lines(metrics, 'tenantgate_faults_total ')).toEqual(['tenantgate_faults_total 1'])
  })

  it('tell how many requests a limit has held back, for how long, and how many it holds back now', async () => {
    const metrics = createMetrics(() => 0)
    const counts = { waiting: 0 }
    metrics.addThrottle(counts)
    expect(await lines(metrics, 'tenantgate_delayed_requests_total ')).toEqual(['tenantgate_delayed_requests_total 0'])
    expect(await lines(metrics, 'tenantgate_waiting_requests ')).toEqual(['tenantgate_waiting_requests 0'])
    counts.waiting = 3
    for (const ms of [80, 120, 1500]) metrics.delayed(ms)
    expect(await lines(metrics, 'tenantgate_delayed_requests_total ')).toEqual(['tenantgate_delayed_requests_total 3'])
    expect(await lines(metrics, 'tenantgate_waiting_requests ')).toEqual(['tenantgate_waiting_requests 3'])
    expect(await lines(metrics, 'tenantgate_request_delay_seconds_bucket{le="0.1"}')).toEqual([
      'tenantgate_request_delay_seconds_bucket{le="0.1"} 1',
    ])
    expect(await lines(metrics, 'tenantgate_request_delay_seconds_sum')).toEqual([
      'tenantgate_request_delay_seconds_sum 1.7',
    ])
  })

  it('tell of the process too, each in a registry of its own', async () => {
    const [one, other] = [createMetrics(() => 0), createMetrics(() => 0)]
    one.decided('allowed', 1)
    expect(await lines(other, 'tenantgate_decision_duration_seconds_count')).toEqual([
      'tenantgate_decision_duration_seconds_count 0',
    ])
    expect(await lines(one, 'process_cpu_seconds_total ')).toHaveLength(1)
  })
})
