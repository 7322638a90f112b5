/** The bounds of the memory store, and who gives way: attacks with many addresses, users and tenants. */
import { describe, expect, it } from 'vitest'
import type { Counter } from '../../../core/limits/counter.ts'
import { openCounter } from '../../../core/limits/counter.ts'
import type { Charge, Limit, Quota } from '../../../core/limits/limit.ts'
import { createShelves, type Shelves } from '../../../stores/limits/bounds.ts'
import { createMemoryLimits } from '../../../stores/memory-limits.ts'
import { burst, charge, daily } from '../../contract/limit-store/given.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const DAY = 86_400_000
const perIp: Quota = { ...daily, name: 'per-ip', by: ['ip'] }
const perUser: Quota = { ...daily, name: 'per-user', by: ['user'] }
const ofTenant: Quota = { ...daily, name: 'plan' }

/** Shelves with a charged counter put in for each name. */
function fill(shelves: Shelves, limit: Limit, tenant: string, names: Iterable<number | string>, used = 1): void {
  for (const who of names) put(shelves, charge(limit, { tenant, who: String(who) }), used)
}

function put(shelves: Shelves, one: Charge, used = 1, now = NOW): void {
  const counter = openCounter(undefined, one, now)
  if (counter.kind === 'quota') counter.used = used
  shelves.put(one, one.key, counter, now)
}

const count = (shelves: Shelves, limit: Limit, tenant: string) => shelves.all(charge(limit, { tenant }))?.size ?? 0
const range = (size: number, from = 0) => Array.from({ length: size }, (_, i) => from + i)

describe('a flood pushes out its own', () => {
  it("300,000 random addresses at one tenant leave another's 50 buckets exact", () => {
    const store = createMemoryLimits()
    const ofGlobex = range(50).map((who) => charge(perIp, { tenant: 'globex', who: String(who) }))
    const plan = [charge(ofTenant, { tenant: 'globex' }), charge(ofTenant, { tenant: 'acme' })]
    for (let i = 0; i < 7; i++) for (const one of [...ofGlobex, ...plan]) void store.take([one], NOW)
    for (let i = 0; i < 300_000; i++) void store.take([charge(perIp, { who: `${i}` })], NOW)
    for (const one of [...ofGlobex, ...plan]) {
      expect(store.look([one], NOW)).toMatchObject([{ admitted: true, remaining: 2 }])
    }
  })

  it('a limit of a tenant stays within its share, and takes nothing from the other limits of the tenant', () => {
    const shelves = createShelves({ perSeries: 100, perTenant: 200, total: 1000 })
    fill(shelves, perUser, 'acme', range(40))
    fill(shelves, perIp, 'acme', range(5000))
    expect(count(shelves, perIp, 'acme')).toBe(100)
    expect(count(shelves, perUser, 'acme')).toBe(40)
  })

  it('a tenant stays within its share, and there the limit with most buckets gives way', () => {
    const shelves = createShelves({ perSeries: 100, perTenant: 150, total: 1000 })
    fill(shelves, perUser, 'acme', range(30))
    fill(shelves, perIp, 'acme', range(500))
    fill(shelves, { ...perIp, name: 'third' }, 'acme', range(500))
    expect(count(shelves, perUser, 'acme')).toBe(30)
    expect([count(shelves, perIp, 'acme'), count(shelves, { ...perIp, name: 'third' }, 'acme')]).toEqual([60, 60])
  })

  it('when all is full the tenant with most buckets gives way', () => {
    const shelves = createShelves({ perSeries: 100, perTenant: 100, total: 150 })
    // neither the first that came nor the last
    fill(shelves, perIp, 'globex', range(30))
    fill(shelves, perIp, 'acme', range(100))
    fill(shelves, perIp, 'initech', range(60))
    expect([count(shelves, perIp, 'acme'), count(shelves, perIp, 'globex')]).toEqual([60, 30])
    expect(count(shelves, perIp, 'initech')).toBe(60)
  })

  it('a limit that is used up is forgiven last: buckets of which little is used go first', () => {
    const shelves = createShelves({ perSeries: 100, perTenant: 100, total: 1000 })
    fill(shelves, perIp, 'acme', ['attacker'], 10)
    fill(shelves, perIp, 'acme', range(20_000))
    expect(shelves.find(charge(perIp), 'acme/per-ip/attacker')).toMatchObject({ used: 10 })
  })
})

describe('buckets of the policy', () => {
  it('are pushed out by nothing that clients send, and stay within a bound themselves', () => {
    const shelves = createShelves({ perSeries: 100, perTenant: 100, total: 200 })
    for (const tenant of range(100)) put(shelves, charge(ofTenant, { tenant: `t${tenant}` }))
    for (const tenant of range(10)) fill(shelves, perIp, `t${tenant}`, range(100))
    const plans = () =>
      range(1000).filter((tenant) => shelves.find(charge(ofTenant, { tenant: `t${tenant}` }), `t${tenant}/plan`))
    const others = () => range(10).reduce((sum, tenant) => sum + count(shelves, perIp, `t${tenant}`), 0)
    expect(plans()).toHaveLength(100)
    expect(others()).toBe(100)
    for (const tenant of range(1000)) put(shelves, charge(ofTenant, { tenant: `t${tenant}` }))
    expect(plans()).toHaveLength(150)
    expect(others()).toBe(50)
  })
})

describe('buckets that hold nothing any more', () => {
  it('are not kept: a full one, and one of a peek or a refund', () => {
    const store = createMemoryLimits()
    const one = charge(perIp, { who: 'a' })
    void store.take([{ ...one, cost: 0 }], NOW)
    void store.adjust([{ ...one, cost: -1 }], NOW)
    expect(store.reset(one, undefined)).toBe(0)
  })

  it('go as others come, also at limits where nobody comes any more', () => {
    const store = createMemoryLimits()
    const pace: Limit = { ...burst, name: 'pace', by: ['ip'] }
    for (const who of range(500)) void store.take([charge(pace, { who: String(who) })], NOW)
    // each of these finds idle buckets of acme's, and is itself full again when the next one comes
    for (const who of range(2000))
      void store.take([charge(pace, { tenant: 'globex', who: String(who) })], NOW + 1000 * (who + 1))
    expect(store.reset(charge(pace), undefined)).toBe(0)
    expect(store.reset(charge(pace, { tenant: 'globex' }), undefined)).toBeLessThan(10)
  })

  it('of a quota stay for a day after their window, and leave before those in use when there are too many', () => {
    const shelves = createShelves({ perSeries: 100, perTenant: 100, total: 1000 })
    const later = NOW + DAY
    fill(shelves, perIp, 'acme', range(60), 10)
    for (const who of range(40)) put(shelves, charge(perIp, { who: `new-${who}` }), 1, later)
    expect(count(shelves, perIp, 'acme')).toBe(100)
    for (const who of range(300, 40)) put(shelves, charge(perIp, { who: `new-${who}` }), 1, later)
    expect([...(shelves.all(charge(perIp))?.keys() ?? [])].filter((key) => !key.includes('new'))).toEqual([])
    const next = later + 2 * DAY
    for (const who of range(200)) put(shelves, charge(perIp, { who: `third-${who}` }), 1, next)
    expect([...(shelves.all(charge(perIp))?.keys() ?? [])].filter((key) => !key.includes('third'))).toEqual([])
  })
})

describe('at the total bound', () => {
  it('ten thousand tenants cost a newcomer no more steps than two do', () => {
    const few = stepsOfNewcomers(2)
    const many = stepsOfNewcomers(10_000)
    expect(many).toBeLessThanOrEqual(few * 2)
  })
})

/** Counters looked at for each of a thousand newcomers, when the store is full and so many tenants share it. */
function stepsOfNewcomers(tenants: number): number {
  const total = 20_000
  const shelves = createShelves({ perSeries: total, perTenant: total, total })
  let looks = 0
  const watched = (one: Charge): Counter => {
    const counter = openCounter(undefined, one, NOW)
    if (counter.kind === 'quota') counter.used = 1
    return new Proxy(counter, {
      get(target, property, receiver) {
        looks += 1
        return Reflect.get(target, property, receiver)
      },
    })
  }
  const add = (i: number) => {
    const one = charge(perIp, { tenant: `t${i % tenants}`, who: String(i) })
    shelves.put(one, one.key, watched(one), NOW)
  }
  for (let i = 0; i < total; i++) add(i)
  looks = 0
  for (let i = total; i < total + 1000; i++) add(i)
  return looks
}
