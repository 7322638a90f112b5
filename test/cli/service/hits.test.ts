/** What answers ShouldRateLimit: by the policy and the configuration that are live when it is asked. */
import { describe, expect, it } from 'vitest'
import { createHitsGate, type HitsParts } from '../../../cli/service/hits.ts'
import { type HitsRequest, InvalidHits, UnavailableHits } from '../../../core/descriptors/descriptor.ts'
import type { HitStore } from '../../../core/descriptors/hit-store.ts'
import { type Policy, UNAVAILABLE } from '../../../core/policy.ts'
import { createMemoryHits } from '../../../stores/memory-hits.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { NOON, policyOf } from '../../support/gate.ts'
import { ratelimitConfigOf } from '../../support/ratelimit-config.ts'

const policyWith = (quota: number, mode = '') =>
  policyOf(`version: 1
identity: { sources: [apiKey] }
plans: { free: { limits: [{ name: daily, quota: ${quota}/day${mode} }] } }
tenants: { acme: { plan: free } }
routes: [{ name: all, match: { path: /** } }]
`)

const configWith = (requests: number) =>
  ratelimitConfigOf(
    `domain: edge\ndescriptors: [{ key: tenant, rate_limit: { unit: day, requests_per_unit: ${requests} } }]`,
  )

const ask = (domain: string, hits?: number): HitsRequest => ({
  domain,
  descriptors: [{ entries: [{ key: 'tenant', value: 'acme' }], ...(hits !== undefined && { hits }) }],
  hitsAddend: 0,
})

function gate(store: HitStore = createMemoryHits(), isLogged = true) {
  const live: { policy: Policy } = { policy: policyWith(3) }
  const counted: string[] = []
  const metrics: HitsParts['metrics'] = {
    answered: (domain, code) => counted.push(`${domain} ${code}`),
    hit: (limit, hits) => counted.push(`${limit} +${hits}`),
    overLimit: (limit, mode, hits) => counted.push(`${limit} ${mode} over by ${hits}`),
    shadowDenied: (reason) => counted.push(`shadow ${reason}`),
    configLive: () => {},
  }
  const told: string[] = []
  const log: HitsParts['log'] = {
    decisions: { allow: false, deny: isLogged },
    overrun: (domain, overrun) => told.push(`${domain} ${JSON.stringify(overrun)}`),
  }
  const settings = { headers: false, shadow: false, quota: false, sparing: false, metadata: false } as const
  const limits = createMemoryLimits()
  const hits = createHitsGate({
    policy: () => live.policy,
    limits,
    hits: store,
    settings,
    metrics,
    log,
    now: () => NOON,
  })
  return { live, counted, told, hits }
}

describe('the gate of ShouldRateLimit', () => {
  it('goes by the configuration that is live, and goes on with its counters', () => {
    const { hits } = gate()
    hits.replace(configWith(5))
    expect(hits.count(ask('edge'))).toMatchObject({ statuses: [{ remaining: 4 }] })
    hits.replace(configWith(9))
    expect(hits.count(ask('edge'))).toMatchObject({ statuses: [{ remaining: 7 }] })
  })

  it('goes by the policy that is live, and goes on with its buckets', () => {
    const { hits, live } = gate()
    expect(hits.count(ask('tenantgate'))).toMatchObject({ statuses: [{ remaining: 2 }] })
    live.policy = policyWith(10)
    expect(hits.count(ask('tenantgate'))).toMatchObject({ statuses: [{ remaining: 8 }] })
  })

  it('counts answers, hits and what could not be answered; what is given back is no hit', () => {
    const { hits, counted } = gate()
    expect(() => hits.count(ask('edge'))).toThrow(InvalidHits)
    hits.replace(configWith(5))
    hits.count(ask('edge', 7))
    hits.count(ask('edge', -7))
    expect(() => hits.count({ ...ask('edge'), descriptors: [] })).toThrow(InvalidHits)
    expect(counted).toEqual([
      'edge invalid',
      'edge.tenant +7',
      'edge over_limit',
      'edge.tenant enforce over by 2',
      'edge ok',
      'edge invalid',
    ])
  })

  it('counts what cannot be answered now, whether that is known at once or later', async () => {
    const { hits, live, counted } = gate()
    const policy = policyWith(1)
    live.policy = { ...policy, directory: { ...policy.directory, byName: () => UNAVAILABLE } }
    expect(() => hits.count(ask('tenantgate'))).toThrow(UnavailableHits)
    live.policy = { ...policy, directory: { ...policy.directory, byName: async () => UNAVAILABLE } }
    await expect(hits.count(ask('tenantgate'))).rejects.toThrow(UnavailableHits)
    expect(counted).toEqual(['tenantgate unavailable', 'tenantgate unavailable'])
  })

  it('counts and logs which limit of a configuration was overrun', () => {
    const { hits, counted, told } = gate()
    hits.replace(configWith(0))
    hits.count(ask('edge'))
    expect(counted).toContain('edge.tenant enforce over by 1')
    expect(told).toEqual(['edge {"mode":"enforce","limit":"edge.tenant","hits":1}'])
    const quiet = gate(createMemoryHits(), false)
    quiet.hits.replace(configWith(0))
    quiet.hits.count(ask('edge'))
    expect(quiet.told).toEqual([])
    expect(quiet.counted).toContain('edge.tenant enforce over by 1')
  })

  it('logs what limits of the policy refuse, and counts what they would have refused in shadow', () => {
    const { hits, live, counted, told } = gate()
    live.policy = policyWith(0)
    expect(hits.count(ask('tenantgate'))).toMatchObject({ code: 'over_limit' })
    expect(counted).toEqual(['tenantgate over_limit'])
    live.policy = policyWith(0, ', mode: shadow')
    expect(hits.count(ask('tenantgate'))).toMatchObject({ code: 'ok' })
    expect(counted.slice(1)).toEqual(['tenantgate ok', 'shadow quota_exceeded'])
    const line = (mode: string) =>
      `tenantgate {"mode":"${mode}","tenant":"acme","reason":"quota_exceeded","because":"limit 'daily' has no room"}`
    expect(told).toEqual([line('enforce'), line('shadow')])
  })

  it('hands on what a store elsewhere answers later, and that it is broken', async () => {
    const { hits, counted } = gate({ add: async () => [1] })
    hits.replace(configWith(5))
    expect(await hits.count(ask('edge'))).toMatchObject({ code: 'ok' })
    expect(counted).toContain('edge ok')
    const broken = gate({ add: () => Promise.reject(new Error('the store is away')) })
    broken.hits.replace(configWith(5))
    await expect(broken.hits.count(ask('edge'))).rejects.toThrow('the store is away')
    expect(broken.counted).toEqual(['edge.tenant +1'])
  })
})
