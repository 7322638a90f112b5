/** Every limit of a tenant is found where its requests are charged. */
import { describe, expect, it } from 'vitest'
import type { Charge, LimitStore } from '../../../core/limits/limit.ts'
import { tenantSeries } from '../../../core/limits/series.ts'
import { gateOf, newKey, policyOf } from '../../support/gate.ts'

const { key, hash } = newKey()
const policy = policyOf(`version: 1
plans: { pro: { limits: [{ name: daily, quota: 3/day }, { name: orders, rate: 5/s, by: [route] }] } }
tenants:
  acme: { plan: pro, timezone: Europe/Berlin, apiKeys: [{ id: ci, hash: "${hash}", limits: [{ name: daily, quota: 2/day }] }] }
routes:
  - { name: orders, match: { path: /orders/** }, limits: [{ name: daily, quota: 1/day, by: [user] }] }
  - { name: open, match: { path: /open }, anonymous: true, limits: [{ name: open, rate: 1/s, by: [ip] }] }
  - { name: shop, match: { path: /shop }, anonymous: optional, limits: [{ name: shop, rate: 1/s }] }
`)
const acme = policy.directory.byId('acme')

const found = acme ? tenantSeries(acme, policy.routes.routes) : []

describe('the limits of a tenant', () => {
  it('are its own, those of its credentials, and those of routes that ask who calls', () => {
    expect(found.map(({ scope, limit }) => [scope, limit.name])).toEqual([
      ['tenant', 'daily'],
      ['tenant', 'orders'],
      ['credential:ci', 'daily'],
      ['route:orders', 'daily'],
      ['route:shop', 'shop'],
    ])
  })

  it('are the series that requests are charged to, in the same calendar', async () => {
    const charged: Charge[] = []
    const { given, ask } = gateOf(policy)
    const store = given.limits
    const limits: LimitStore = {
      ...store,
      take(charges, now, patienceMs) {
        charged.push(...charges)
        return store.take(charges, now, patienceMs)
      },
    }
    Object.assign(given, { limits })
    for (const path of ['/orders/1', '/shop', '/open']) await ask({ path, headers: { 'x-api-key': key } })
    const of = (each: Pick<Charge, 'series' | 'tenant' | 'calendar'>) => [each.series, each.tenant, each.calendar]
    const ofAcme = charged.filter(({ tenant }) => tenant !== '')
    expect(ofAcme.map(of)).toEqual(expect.arrayContaining(found.map(of)))
    expect(new Set(ofAcme.map(({ series }) => series))).toEqual(new Set(found.map(({ series }) => series)))
  })
})
