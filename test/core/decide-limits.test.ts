/** What the way of a request charges, and when it does not. */
import { describe, expect, it } from 'vitest'
import { denialBody } from '../../core/answer.ts'
import { NOON } from '../support/gate.ts'
import { allowed, client, denied, freshGate, key, text } from './orders-gate.ts'

describe('limits', () => {
  it('the dearest route uses up the quota; a refusal charges nothing and names what it violated', async () => {
    const on = freshGate()
    const write = key('globex', { method: 'POST' })
    await allowed(write, on)
    await allowed(write, on)
    const deny = await denied(write, on)
    expect(deny.reason).toBe('quota_exceeded')
    expect(JSON.parse(denialBody(deny))).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      status: 429,
      code: 'quota_exceeded',
      requestId: 'r-1',
      violatedPolicies: ['daily'],
    })
    expect(client(deny)).toMatchObject({
      ratelimit: '"daily";r=2;t=43200',
      'ratelimit-policy': '"burst";q=3;w=1, "daily";q=10;w=86400',
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '2',
      'retry-after': '43200',
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
    })
    // nothing was taken from the burst by the refusal: 3 - 2 are left
    const after = await allowed(key('globex'), on)
    expect(after.limits?.states.map(({ remaining }) => remaining)).toEqual([0, 1])
  })

  it('a burst is over at the fourth request and comes back with time', async () => {
    const on = freshGate()
    for (let i = 0; i < 3; i++) await allowed(key('globex'), on)
    const deny = await denied(key('globex'), on)
    expect(deny.reason).toBe('rate_limited')
    expect(client(deny)).toMatchObject({ ratelimit: '"burst";r=0;t=1', 'retry-after': '1' })
    expect((await on.ask(key('globex'), NOON + 200)).decision).toBe('allow')
    expect((await on.ask(key('globex'), NOON + 200)).decision).toBe('deny')
  })

  it('nothing is charged before the credential is proven and its rights are enough', async () => {
    const on = freshGate()
    for (let i = 0; i < 5; i++) await denied(key('globex', { host: 'acme.api.test' }), on)
    for (let i = 0; i < 5; i++) await denied(key('globex', { path: '/admin' }), on)
    expect((await allowed(key('globex'), on)).limits?.states.map(({ remaining }) => remaining)).toEqual([2, 9])
  })

  it('a request that the gateway has given up is refused and not charged', async () => {
    const on = freshGate()
    expect((await denied(key('globex', { abandoned: () => true }), on)).reason).toBe('dependency_unavailable')
    expect((await allowed(key('globex'), on)).limits?.states.map(({ remaining }) => remaining)).toEqual([2, 9])
  })

  it('a hidden limit refuses and is named to nobody', async () => {
    const on = freshGate(text().replace('burst: 3 }', 'burst: 3, expose: false }'))
    for (let i = 0; i < 3; i++) await allowed(key('globex'), on)
    const deny = await denied(key('globex'), on)
    expect(JSON.parse(denialBody(deny)).violatedPolicies).toEqual([])
    expect(client(deny)).not.toHaveProperty('ratelimit')
    expect(JSON.stringify([client(deny), denialBody(deny)])).not.toContain('burst')
    expect(client(deny)).toMatchObject({ 'retry-after': '1', 'ratelimit-policy': '"daily";q=10;w=86400' })
  })

  it('who has no limits is told of none', async () => {
    expect(client(await allowed(key('acme')))).toEqual({})
  })
})
