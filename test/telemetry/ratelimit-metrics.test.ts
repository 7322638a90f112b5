/** What is counted of ShouldRateLimit: by names of the configuration, and only so many. */
import { expect, it } from 'vitest'
import { createMetrics } from '../../telemetry/metrics.ts'

const linesOf = async (metrics: ReturnType<typeof createMetrics>, name: string) =>
  (await metrics.scrape()).text.split('\n').filter((line) => line.startsWith(`${name}{`))

it('a domain that nobody has configured is no label: clients cannot make series', async () => {
  const metrics = createMetrics(() => 0)
  const ratelimit = metrics.addRatelimit(['tenantgate'])
  ratelimit.configLive(['edge'])
  for (const domain of ['edge', 'tenantgate', 'x1', 'x2', '__proto__', '']) ratelimit.answered(domain, 'ok')
  const lines = await linesOf(metrics, 'tenantgate_ratelimit_requests_total')
  expect(lines.filter((line) => !line.endsWith(' 0')).sort()).toEqual([
    'tenantgate_ratelimit_requests_total{domain="edge",code="ok"} 1',
    'tenantgate_ratelimit_requests_total{domain="other",code="ok"} 4',
    'tenantgate_ratelimit_requests_total{domain="tenantgate",code="ok"} 1',
  ])
  expect(lines).toHaveLength(12)
})

it('beyond 1,000 limits the rest is counted together', async () => {
  const metrics = createMetrics(() => 0)
  const ratelimit = metrics.addRatelimit([])
  for (let i = 0; i < 1500; i += 1) ratelimit.hit(`edge.limit-${i}`, 2)
  ratelimit.hit('edge.limit-0', 5)
  const lines = await linesOf(metrics, 'tenantgate_ratelimit_hits_total')
  expect(lines).toHaveLength(1001)
  expect(lines).toContain('tenantgate_ratelimit_hits_total{limit="other"} 1000')
  expect(lines).toContain('tenantgate_ratelimit_hits_total{limit="edge.limit-0"} 7')
})

it('hits beyond a limit are counted by mode, each from 0 on, and beyond 1,000 limits together', async () => {
  const metrics = createMetrics(() => 0)
  const ratelimit = metrics.addRatelimit([])
  ratelimit.hit('edge.desk', 9)
  ratelimit.overLimit('edge.desk', 'shadow', 4)
  const name = 'tenantgate_ratelimit_over_limit_total'
  expect(await linesOf(metrics, name)).toEqual([
    `${name}{limit="other",mode="enforce"} 0`,
    `${name}{limit="other",mode="shadow"} 0`,
    `${name}{limit="edge.desk",mode="enforce"} 0`,
    `${name}{limit="edge.desk",mode="shadow"} 4`,
  ])
  for (let i = 0; i < 1500; i += 1) ratelimit.overLimit(`edge.limit-${i}`, 'enforce', 1)
  const lines = await linesOf(metrics, name)
  expect(lines).toHaveLength(2002)
  expect(lines).toContain(`${name}{limit="other",mode="enforce"} 501`)
})

it('what limits of the policy would have refused is counted with that of Checks', async () => {
  const metrics = createMetrics(() => 0)
  metrics.addRatelimit([]).shadowDenied('quota_exceeded')
  expect(await linesOf(metrics, 'tenantgate_shadow_denials_total')).toContain(
    'tenantgate_shadow_denials_total{reason="quota_exceeded"} 1',
  )
})

it('domains of many configurations, one after the other, stay within the bound too', async () => {
  const metrics = createMetrics(() => 0)
  const ratelimit = metrics.addRatelimit([])
  for (let i = 0; i < 1500; i += 1) ratelimit.configLive([`d${i}`])
  ratelimit.answered('d1400', 'invalid')
  const lines = await linesOf(metrics, 'tenantgate_ratelimit_requests_total')
  expect(lines).toHaveLength(4004)
  expect(lines).toContain('tenantgate_ratelimit_requests_total{domain="other",code="invalid"} 1')
})
