/** What is remembered of tokens stays bounded, whatever clients send. */
import { describe, expect, it } from 'vitest'
import type { Principal } from '../../core/credentials/principal.ts'
import { createRefusedTokens, createVerifiedTokens } from '../../stores/token-memory.ts'

const principal = (claims: Record<string, unknown> = {}, tenantName = 'acme'): Principal => ({
  kind: 'jwt',
  credential: 'shop',
  tenantName,
  roles: [],
  scopes: [],
  claims,
})
const verified = (claims?: Record<string, unknown>, tenantName?: string) => ({
  principal: principal(claims, tenantName),
  issuer: 'https://id.example.com',
  generation: 0,
  expiresAt: Number.POSITIVE_INFINITY,
})
const refused = {
  refusal: { denied: 'invalid_credential', because: 'in this test' },
  since: 0,
  until: 60_000,
} as const

const kept = (memory: { get(hash: string): unknown }, count: number) =>
  Array.from({ length: count }, (_, i) => i).filter((i) => memory.get(`${i}`) !== undefined)

describe('the memory of good tokens', () => {
  it('holds no more entries than its bound, and what was used stays once more', () => {
    const memory = createVerifiedTokens({ entries: 10, bytes: 1_000_000 })
    for (let i = 0; i < 10; i++) memory.set(`${i}`, verified())
    memory.get('0')
    for (let i = 10; i < 19; i++) memory.set(`${i}`, verified())
    expect(kept(memory, 19)).toEqual([0, 10, 11, 12, 13, 14, 15, 16, 17, 18])
  })

  it('holds fewer of tokens with many claims', () => {
    const memory = createVerifiedTokens({ entries: 100, bytes: 100_000 })
    for (let i = 0; i < 100; i++) memory.set(`${i}`, verified({ pad: 'x'.repeat(5000) }))
    expect(kept(memory, 100).length).toBeLessThan(5)
  })

  it("of one tenant's flood keeps every other tenant's", () => {
    const memory = createVerifiedTokens({ entries: 100, bytes: 1_000_000 })
    for (let i = 0; i < 30; i++) memory.set(`globex ${i}`, verified({}, 'globex'))
    for (let i = 0; i < 10_000; i++) memory.set(`acme ${i}`, verified({}, 'acme'))
    const left = (tenant: string, count: number) =>
      Array.from({ length: count }, (_, i) => memory.get(`${tenant} ${i}`)).filter((entry) => entry !== undefined)
        .length
    expect(left('globex', 30)).toBe(30)
    expect(left('acme', 10_000)).toBeGreaterThan(60)
    expect(left('acme', 10_000)).toBeLessThanOrEqual(70)
  })

  it('gives one tenant all the room while no other wants it', () => {
    const memory = createVerifiedTokens({ entries: 100, bytes: 1_000_000 })
    for (let i = 0; i < 100; i++) memory.set(`${i}`, verified())
    expect(kept(memory, 100)).toHaveLength(100)
  })

  it('counts a token once that is remembered again, and forgets one that is deleted', () => {
    const memory = createVerifiedTokens({ entries: 10, bytes: 1_000_000 })
    for (let round = 0; round < 5; round++) for (let i = 0; i < 10; i++) memory.set(`${i}`, verified())
    expect(kept(memory, 10)).toHaveLength(10)
    memory.delete('3')
    expect(memory.get('3')).toBeUndefined()
  })

  it('keeps nothing of a token that is larger than all of it', () => {
    const memory = createVerifiedTokens({ entries: 10, bytes: 10_000 })
    memory.set('small', verified())
    memory.set('0', verified({ pad: 'x'.repeat(20_000) }))
    expect(memory.get('0')).toBeUndefined()
    expect(memory.get('small')).toBeDefined()
  })
})

describe('the memory of bad tokens', () => {
  it('holds no more entries than its bound, those used last', () => {
    const memory = createRefusedTokens(10)
    for (let i = 0; i < 25; i++) memory.set(`${i}`, refused)
    expect(kept(memory, 25)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24])
  })
})
