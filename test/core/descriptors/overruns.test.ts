/** What ShouldRateLimit tells its operator of calls that had no room, or would have had none. */
import { describe, expect, it } from 'vitest'
import type { DescriptorConfig, HitsSettings } from '../../../core/descriptors/config.ts'
import { countHits } from '../../../core/descriptors/count-hits.ts'
import type { Descriptor } from '../../../core/descriptors/descriptor.ts'
import { chargeTenant, TENANT_DOMAIN } from '../../../core/descriptors/tenant-domain.ts'
import { createMemoryHits } from '../../../stores/memory-hits.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { NOON, policyOf } from '../../support/gate.ts'
import { ratelimitConfigOf } from '../../support/ratelimit-config.ts'

const of = (text: string, hits?: number): Descriptor => ({
  entries: text.split(' ').map((entry) => ({ key: entry.split('=')[0] ?? '', value: entry.split('=')[1] ?? '' })),
  ...(hits !== undefined && { hits }),
})

describe('limits of a configuration', () => {
  const config = ratelimitConfigOf(`
domain: edge
descriptors:
  - key: desk
    rate_limit: { unit: day, requests_per_unit: 2 }
  - key: quiet
    shadow_mode: true
    rate_limit: { unit: day, requests_per_unit: 2 }
`)
  const OFF: HitsSettings = { headers: false, shadow: false, quota: false, sparing: false, metadata: false }

  function counter(settings: Partial<HitsSettings> = {}, limits: DescriptorConfig = config) {
    const hits = createMemoryHits()
    return (...descriptors: Descriptor[]) => {
      const answer = countHits(
        { domain: 'edge', descriptors, hitsAddend: 0 },
        { config: limits, hits, settings: { ...OFF, ...settings }, now: NOON },
      )
      if (answer instanceof Promise) throw new Error('memory answers at once')
      return answer
    }
  }

  it('tell how many hits of a call were beyond, and nothing while there is room', () => {
    const ask = counter()
    expect(ask(of('desk=x', 2))).not.toHaveProperty('overruns')
    expect(ask(of('desk=y', 5), of('desk=z')).overruns).toEqual([{ mode: 'enforce', limit: 'edge.desk', hits: 3 }])
    expect(ask(of('desk=y', 5)).overruns).toEqual([{ mode: 'enforce', limit: 'edge.desk', hits: 5 }])
    expect(ask(of('desk=y', 0)).overruns).toEqual([{ mode: 'enforce', limit: 'edge.desk', hits: 0 }])
    expect(ask(of('desk=y', -1)).overruns).toEqual([{ mode: 'enforce', limit: 'edge.desk', hits: 0 }])
  })

  it('in shadow_mode tell what they would have refused, though the call passes', () => {
    const ask = counter()
    expect(ask(of('quiet=x', 3))).toMatchObject({
      code: 'ok',
      overruns: [{ mode: 'shadow', limit: 'edge.quiet', hits: 1 }],
    })
  })

  it('tell so under SHADOW_MODE as well', () => {
    expect(counter({ shadow: true })(of('desk=x', 3))).toMatchObject({
      code: 'ok',
      overruns: [{ mode: 'shadow', limit: 'edge.desk', hits: 1 }],
    })
  })
})

describe('limits of the policy', () => {
  const text = (limits: string, shadow = '') => `version: 1
identity: { sources: [apiKey] }
${shadow}
plans: { pro: { limits: [${limits}] } }
tenants:
  acme: { plan: pro, aliases: [acme-gmbh] }
  globex: { plan: pro }
  initech: { plan: pro, status: suspended }
routes: [{ name: all, match: { path: /** } }]
`
  const DAILY = '{ name: daily, quota: 1/day }'
  const TRIAL = '{ name: trial, quota: 1/day, mode: shadow }'

  function domain(policyText: string) {
    const policy = policyOf(policyText)
    const limits = createMemoryLimits()
    return (...descriptors: Descriptor[]) => {
      const answer = chargeTenant({ domain: TENANT_DOMAIN, descriptors, hitsAddend: 0 }, { policy, limits, now: NOON })
      if (answer instanceof Promise) throw new Error('memory answers at once')
      return answer
    }
  }

  const ACME = of('tenant=acme')
  const daily = { mode: 'enforce', tenant: 'acme', reason: 'quota_exceeded', because: "limit 'daily' has no room" }

  it('tell which of them refused whom, and nothing while there is room', () => {
    const ask = domain(text(DAILY))
    expect(ask(ACME)).not.toHaveProperty('overruns')
    expect(ask(ACME).overruns).toEqual([daily])
    expect(ask(of('tenant=acme-gmbh')).overruns).toEqual([daily])
    expect(ask(of('tenant=acme', -1))).not.toHaveProperty('overruns')
  })

  it('tell of each tenant once, however many descriptors lead to its limits', () => {
    const ask = domain(text(DAILY))
    const call = [ACME, of('tenant=acme user=u1'), of('tenant=globex')]
    ask(...call)
    expect(ask(...call).overruns).toEqual([daily, { ...daily, tenant: 'globex' }])
  })

  it('in shadow tell what they would have refused, though the call passes', () => {
    const ask = domain(text(TRIAL))
    ask(ACME)
    expect(ask(ACME)).toMatchObject({
      code: 'ok',
      overruns: [{ ...daily, mode: 'shadow', because: "limit 'trial' has no room" }],
    })
  })

  it('in shadow tell nothing of a call that others have refused, as a Check does not', () => {
    const ask = domain(text(`${DAILY}, ${TRIAL}`))
    ask(ACME)
    expect(ask(ACME).overruns).toEqual([daily])
  })

  it('tell so while the whole stage only observes', () => {
    const ask = domain(text(DAILY, 'shadow: [limits]'))
    ask(ACME)
    expect(ask(ACME)).toMatchObject({ code: 'ok', overruns: [{ ...daily, mode: 'shadow' }] })
  })

  it('of another unit tell that nothing was left before the report', () => {
    const ask = domain(text('{ name: egress, quota: 10/day, unit: bytes }'))
    const report = of('tenant=acme unit=bytes', 10)
    expect(ask(report)).not.toHaveProperty('overruns')
    expect(ask(report).overruns).toEqual([{ ...daily, because: "limit 'egress' has no room" }])
  })

  it('are not asked for who is unknown or suspended: that is told', () => {
    const ask = domain(text(DAILY))
    expect(ask(of('tenant=nobody'), of('tenant=initech')).overruns).toEqual([
      { mode: 'enforce', tenant: 'nobody', reason: 'unknown_tenant', because: 'the policy has no such tenant' },
      { mode: 'enforce', tenant: 'initech', reason: 'tenant_suspended', because: 'the tenant is suspended' },
    ])
  })
})
