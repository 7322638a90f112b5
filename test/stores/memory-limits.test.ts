/** The memory store: the contract, and its own bounds. */
import { describe, expect, it } from 'vitest'
import type { Charge, Limit, LimitStore } from '../../core/limits/limit.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { burst, charge, limitStoreContract } from '../contract/limit-store.ts'

limitStoreContract('the memory store', () => createMemoryLimits())

const perIp: Limit = { ...burst, name: 'per-ip', by: ['ip'] }
const fromIp = (tenant: string, ip: number): Charge => charge(perIp, { tenant, key: `${tenant}/per-ip/${ip}` })
const now = 1_000_000

function left(store: LimitStore, asked: Charge): number | undefined {
  const states = store.take([{ ...asked, cost: 0 }], now)
  return states instanceof Promise ? undefined : states[0]?.remaining
}

function use(store: LimitStore, ...charges: Charge[]): void {
  void store.take(charges, now)
}

describe('memory stays bounded whatever clients send', () => {
  it("a flood of addresses at one tenant pushes out none of another's counters, and not the tenant's own limits", () => {
    const store = createMemoryLimits({ perSeries: 100, total: 150 })
    const plan = charge(burst, { tenant: 'acme' })
    use(store, plan, fromIp('globex', 1), fromIp('globex', 2))
    for (let ip = 0; ip < 5000; ip++) use(store, fromIp('acme', ip))
    expect(left(store, plan)).toBe(4)
    expect(left(store, fromIp('globex', 1))).toBe(4)
    expect(left(store, fromIp('globex', 2))).toBe(4)
  })

  it("addresses beyond a limit's share push out others of that limit", () => {
    const store = createMemoryLimits({ perSeries: 100, total: 1000 })
    for (let ip = 0; ip < 5000; ip++) use(store, fromIp('acme', ip))
    const kept = Array.from({ length: 5000 }, (_, ip) => left(store, fromIp('acme', ip))).filter((n) => n === 4)
    expect(kept.length).toBeGreaterThan(0)
    expect(kept.length).toBeLessThanOrEqual(100)
  })

  it('many tenants together stay below the total', () => {
    const store = createMemoryLimits({ perSeries: 100, total: 120 })
    for (let ip = 0; ip < 300; ip++) for (const tenant of ['a', 'b', 'c']) use(store, fromIp(tenant, ip))
    const all = ['a', 'b', 'c'].flatMap((tenant) => Array.from({ length: 300 }, (_, ip) => fromIp(tenant, ip)))
    expect(all.filter((asked) => left(store, asked) === 4).length).toBeLessThanOrEqual(120)
  })

  it('a flood at one limit resets no other limit of the same tenant', () => {
    const store = createMemoryLimits({ perSeries: 100, total: 1000 })
    const login = charge({ ...perIp, name: 'login' }, { tenant: '', key: '/login/192.0.2.1' })
    for (let i = 0; i < 5; i++) use(store, login)
    for (let ip = 0; ip < 5000; ip++) use(store, fromIp('', ip))
    expect(left(store, login)).toBe(0)
  })

  it('two new counters in one take are both charged, however small the bounds', () => {
    const store = createMemoryLimits({ perSeries: 10, total: 10 })
    const pair = [fromIp('acme', 1), charge({ ...perIp, name: 'other' }, { key: 'acme/other/1' })]
    use(store, ...pair)
    expect(pair.map((asked) => left(store, asked))).toEqual([4, 4])
  })

  it('what one call costs grows with its charges, not with their square', () => {
    const store = createMemoryLimits()
    let looked = 0
    const many = Array.from({ length: 2000 }, (_, ip) => {
      const one = fromIp('acme', ip)
      const { key } = one
      return Object.defineProperty({ ...one }, 'key', {
        get() {
          looked += 1
          return key
        },
      })
    })
    use(store, ...many, ...many)
    expect(looked).toBeLessThan(4000 * 10)
    expect(left(store, fromIp('acme', 7))).toBe(3)
  })
})
