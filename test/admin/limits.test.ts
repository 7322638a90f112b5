/** Limits over HTTP: told as they stand, given back, taken and emptied, one bucket at a time, and every change is told. */
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LimitStore } from '../../core/limits/limit.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { type Administration, administration, type Told } from './administration.ts'

const policy = (hash: string) => `version: 1
identity: { sources: [apiKey, clientCertificate] }
plans:
  pro:
    limits:
      - { name: daily, quota: 3/day }
      - { name: per-team, quota: 2/day, by: [header:X-Team] }
      - { name: by-key, quota: 5000/day, by: [header:x-api-key, ip] }
      - { name: burst, rate: 60/m, burst: 90, mode: shadow }
  free: { limits: [] }
tenants:
  acme:
    plan: pro
    timezone: Europe/Berlin
    apiKeys: [{ id: ci, hash: "${hash}", scopes: [orders:read], limits: [{ name: own, quota: 1000/day, by: [credential] }] }]
    certificates: [{ id: batch, dns: batch.acme.example, limits: [{ name: own, quota: 9/day, by: [credential] }] }]
  globex: { plan: pro }
  initech: { plan: free }
routes:
  - { name: all, match: { path: /** } }
  - { name: daily, match: { path: /daily }, limits: [{ name: per-user, quota: 5/day, by: [user] }, { name: daily, quota: 9/day, by: [route] }] }
`

let admin: Administration

beforeEach(async () => {
  admin = await administration({ policy })
})

afterEach(() => admin.close())

const show = async (query = '', tenant = 'acme') => admin.ask('GET', `/v1/tenants/${tenant}/limits${query}`)
const change = (limit: string, body: unknown, tenant = 'acme') =>
  admin.ask('POST', `/v1/tenants/${tenant}/limits/${limit}`, body)
const limitsOf = ({ body }: Told) => body.limits as Record<string, unknown>[]
const sizeOf = (list: unknown) => (Array.isArray(list) ? list.length : 0)
const bucketsOf = async (query: string) => limitsOf(await show(query))[0]?.buckets
const use = (team = 'blue', path = '/') => admin.use(admin.key, { path, headers: { 'x-team': team } })
const useUp = async () => {
  for (let left = 3; left >= 0; left--) await use(left === 0 ? 'red' : `team-${left}`)
}

describe('the limits of a tenant', () => {
  it('are told with what is used, left and refused, and when all of it is back', async () => {
    await useUp()
    const told = await show('?scope=tenant')
    expect([told.status, told.body.tenant]).toEqual([200, 'acme'])
    expect(limitsOf(told)[0]).toEqual({
      name: 'daily',
      scope: 'tenant',
      kind: 'quota',
      amount: 3,
      period: { count: 1, unit: 'day' },
      countedBy: ['tenant'],
      expose: true,
      mode: 'enforce',
      buckets: [
        {
          by: {},
          used: 3,
          remaining: 0,
          refused: 1,
          // 13:00 in Berlin
          reset: '2026-11-22T23:00:00.000Z',
          resetSeconds: 11 * 3600,
          windowSeconds: 86_400,
        },
      ],
      more: false,
    })
  })

  it('end with the second, where a store by another clock tells of a quota', async () => {
    const own = createMemoryLimits()
    const buckets: LimitStore['buckets'] = async (...asked) =>
      (await own.buckets(...asked)).map((view) => ({
        ...view,
        state: { ...view.state, resetMs: view.state.resetMs - 7 },
      }))
    const { close } = admin
    admin = await administration({ policy, limits: { ...own, buckets } })
    close()
    await use()
    const [daily] = limitsOf(await show('?scope=tenant&limit=daily'))
    expect(daily?.buckets).toMatchObject([{ reset: '2026-11-22T23:00:00.000Z' }])
  })

  it('are those of its plan, its credentials and its routes, each in a scope', async () => {
    const names = limitsOf(await show()).map(({ scope, name }) => `${scope} ${name}`)
    expect(names).toEqual([
      'tenant daily',
      'tenant per-team',
      'tenant by-key',
      'tenant burst',
      'credential:ci own',
      'credential:batch own',
      'route:daily per-user',
      'route:daily daily',
    ])
    expect(limitsOf(await show('?limit=daily')).map(({ scope }) => scope)).toEqual(['tenant', 'route:daily'])
    expect(limitsOf(await show('', 'initech')).map(({ scope }) => scope)).toEqual(['route:daily', 'route:daily'])
  })

  it('tell a rate by its burst and its tokens, and one in shadow as such', async () => {
    await use()
    expect(limitsOf(await show('?limit=burst'))[0]).toMatchObject({
      kind: 'rate',
      amount: 90,
      tokens: 60,
      periodSeconds: 60,
      mode: 'shadow',
      buckets: [{ used: 1, remaining: 89, resetSeconds: 1, windowSeconds: 90 }],
    })
  })

  it('that are full again in ten thousand years are told with the last instant there is a way to write', async () => {
    admin.close()
    admin = await administration({
      policy: (hash) => policy(hash).replace('quota: 3/day', 'rate: 1 per 870000h, burst: 2800, weighted: true'),
    })
    await change('daily', { action: 'credit', units: -5600, scope: 'tenant' })
    expect((await show('?limit=daily')).status).toBe(200)
    expect(await bucketsOf('?limit=daily')).toMatchObject([{ used: 5600, reset: '9999-12-31T23:59:59.999Z' }])
  })

  it('that nobody has used are full', async () => {
    expect(await bucketsOf('?limit=daily&scope=tenant')).toMatchObject([{ by: {}, used: 0, remaining: 3, refused: 0 }])
    expect(await bucketsOf('?limit=per-team')).toEqual([])
  })

  it('are told by whom they count, the most used first, and 100 of them when there are many', async () => {
    for (const team of ['red', 'a:b=c', 'red', '\u001b[31m']) await use(team)
    expect(await bucketsOf('?limit=per-team')).toMatchObject([
      { by: { 'header:x-team': 'red' }, used: 2, remaining: 0 },
      { by: { 'header:x-team': 'a:b=c' }, used: 1 },
    ])
    await change('daily', { action: 'reset', scope: 'tenant' })
    for (let i = 0; i < 150; i++) {
      await use(`team-${i}`)
      await change('daily', { action: 'reset', scope: 'tenant' })
    }
    const shown = async (query: string) =>
      limitsOf(await show(query)).map(({ buckets, more }) => [sizeOf(buckets), more])
    expect(await shown('?limit=per-team')).toEqual([[100, true]])
    expect(await shown('?limit=per-team&most=1000')).toEqual([[152, false]])
  })

  it('never tell what was sent as a credential, nor its hash', async () => {
    await use()
    expect(await bucketsOf('?limit=by-key')).toMatchObject([
      { by: { 'header:x-api-key': '[credential]', ip: '192.0.2.7' }, used: 1 },
    ])
    const body = { action: 'credit', units: 1, by: { 'header:x-api-key': admin.key, ip: '192.0.2.7' } }
    const told = await change('by-key', body)
    expect([told.status, told.body.before, told.body.after]).toEqual([200, 4999, 5000])
    await use(admin.key)
    const all = `${(await show()).text}${told.text}${JSON.stringify(admin.events)}`
    const digest = createHash('sha256').update(admin.key).digest()
    for (const secret of [admin.key, digest.toString('hex'), digest.toString('base64url')]) {
      expect(all).not.toContain(secret)
    }
  })
})

describe('a credit', () => {
  it('gives units back, so that as many more are admitted', async () => {
    await useUp()
    const told = await change('daily', { action: 'credit', units: 2, scope: 'tenant' })
    expect([told.status, told.body]).toEqual([
      200,
      {
        tenant: 'acme',
        limit: 'daily',
        scope: 'tenant',
        action: 'credit',
        by: {},
        units: 2,
        before: 0,
        after: 2,
        usedBefore: 3,
        usedAfter: 1,
      },
    ])
    const reasons = []
    for (const team of ['x', 'y', 'z']) reasons.push((await use(team)).reason)
    expect(reasons).toEqual(['allowed', 'allowed', 'quota_exceeded'])
  })

  it('gives back no more than was used, and takes no more than there is', async () => {
    await use()
    const daily = async (units: number) =>
      (await change('daily', { action: 'credit', units, scope: 'tenant' })).body.after
    const most = 1_000_000_000_000
    const left = []
    for (const units of [most, -1, -most, most]) left.push(await daily(units))
    expect(left).toEqual([3, 2, 0, 3])
    const burst = async (units: number) => (await change('burst', { action: 'credit', units })).body.after
    expect([await burst(-30), await burst(-most), await burst(most)]).toEqual([59, 0, 90])
  })

  it('is for one bucket: those of others stay', async () => {
    for (const team of ['red', 'blue']) await use(team)
    const told = await change('per-team', { action: 'credit', units: 1, by: { 'header:X-TEAM': 'red' } })
    expect(told.body).toMatchObject({ by: { 'header:x-team': 'red' }, before: 1, after: 2 })
    expect(await bucketsOf('?limit=per-team')).toMatchObject([{ by: { 'header:x-team': 'blue' }, used: 1 }])
  })

  it("finds a route's limit by its user, and a credential's without one, by their short names", async () => {
    await use('x', '/daily')
    expect(await bucketsOf('?limit=per-user')).toMatchObject([{ by: { user: 'apiKey:ci' }, used: 1 }])
    const user = await change('per-user', { action: 'credit', units: 1, by: { user: 'apiKey:ci' } })
    expect(user.body).toMatchObject({ scope: 'route:daily', before: 4, after: 5 })
    const own = await change('own', { action: 'credit', units: 1, scope: 'credential:ci' })
    expect(own.body).toMatchObject({ by: { credential: 'apiKey:ci' }, before: 999, after: 1000 })
    const other = await change('own', { action: 'credit', units: -1, scope: 'credential:batch' })
    expect(other.body).toMatchObject({ by: { credential: 'clientCertificate:batch' }, before: 9, after: 8 })
    const route = await change('daily', { action: 'credit', units: 1, scope: 'route:daily' })
    expect(route.body).toMatchObject({ by: { route: 'daily' }, before: 8, after: 9 })
  })

  it("is nothing for another tenant's limit of that name", async () => {
    await use()
    await change('daily', { action: 'reset', scope: 'tenant' }, 'globex')
    expect(await bucketsOf('?limit=daily&scope=tenant')).toMatchObject([{ used: 1 }])
  })
})

describe('a reset', () => {
  it('makes one bucket full again, also by the hash of a long name, or all of a limit', async () => {
    const long = 'x'.repeat(100)
    for (const team of [long, 'blue']) await use(team)
    const [first, second] = (await bucketsOf('?limit=per-team')) as { by: Record<string, string> }[]
    const hashed = [first, second].find((bucket) => bucket?.by['header:x-team']?.startsWith('sha256:'))
    expect(hashed?.by).toEqual({ 'header:x-team': `sha256:${createHash('sha256').update(long).digest('base64url')}` })
    const told = await change('per-team', { action: 'reset', by: hashed?.by })
    expect(told.body).toMatchObject({ before: 1, after: 2 })
    expect(await bucketsOf('?limit=per-team')).toMatchObject([{ by: { 'header:x-team': 'blue' } }])
    await use(long)
    expect((await change('per-team', { action: 'reset', all: true })).body).toMatchObject({ buckets: 2 })
    expect(await bucketsOf('?limit=per-team')).toEqual([])
  })
})

describe('every change', () => {
  it('is told with who did it, what to, and what was left before and after', async () => {
    await use('red')
    const by = { 'header:x-team': 'red' }
    const actor = { 'x-actor': 'sue', 'x-request-id': 'r-7' }
    await admin.ask('POST', '/v1/tenants/acme/limits/per-team', { action: 'credit', units: 1, by }, actor)
    await change('per-team', { action: 'reset', all: true })
    await change('per-taem', { action: 'reset' })
    await change('per-team', { action: 'refund' })
    await show()
    const target = { tenant: 'acme', limit: 'per-team' }
    expect(admin.events).toEqual([
      {
        action: 'limit_changed',
        outcome: 'done',
        requestId: 'r-7',
        actor: 'sue',
        address: '127.0.0.1',
        target: {
          ...target,
          change: 'credit',
          units: 1,
          scope: 'tenant',
          by,
          usedBefore: 1,
          usedAfter: 0,
          leftBefore: 1,
          leftAfter: 2,
        },
      },
      expect.objectContaining({
        outcome: 'done',
        target: { ...target, change: 'reset', scope: 'tenant', by: 'all', buckets: 1 },
      }),
      expect.objectContaining({
        outcome: 'refused',
        reason: 'unknown_limit',
        target: { tenant: 'acme', limit: 'per-taem', change: 'reset' },
      }),
      expect.objectContaining({ outcome: 'refused', reason: 'malformed', target }),
    ])
  })

  it('of one bucket looks like that of no other, whatever a client has sent', async () => {
    const forged = { 'header:x-team': 'red, ip=192.0.2.9' }
    await change('per-team', { action: 'credit', units: 1, by: forged })
    expect(admin.events).toMatchObject([{ target: { by: forged } }])
  })
})

const credit = (more: object = {}) => ({ action: 'credit', units: 1, ...more })

describe('a wrong name', () => {
  it.each<[string, string, unknown, number, string, string]>([
    ['nobody', 'daily', credit(), 404, 'unknown_tenant', "no tenant 'nobody'"],
    ['acme', 'dayly', credit(), 404, 'unknown_limit', "acme has no limit 'dayly'; it has 'daily', 'per-team'"],
    ['acme', 'daily', credit({ scope: 'route:x' }), 404, 'unknown_limit', "no limit 'daily' of 'route:x'"],
    ['acme', 'daily', credit(), 400, 'ambiguous_limit', "say which by scope: 'tenant', 'route:daily'"],
    ['acme', 'per-team', credit(), 400, 'ambiguous_bucket', 'by header:x-team'],
    ['acme', 'by-key', credit({ by: { ip: '192.0.2.7' } }), 400, 'ambiguous_bucket', 'by header:x-api-key'],
    ['acme', 'per-team', { action: 'reset' }, 400, 'ambiguous_bucket', 'a reset may be of all'],
    ['acme', 'per-team', credit({ by: { user: 'u' } }), 400, 'malformed', "header:x-team, not by 'user'"],
    ['acme', 'per-user', credit({ by: { user: 'u', ip: '::1' } }), 400, 'malformed', "user, not by 'ip'"],
    ['acme', 'per-team', { action: 'reset', all: true, by: { user: 'u' } }, 400, 'malformed', 'not both'],
    ['acme', 'daily', credit({ units: 1.5 }), 400, 'malformed', 'units: is not a whole number'],
    ['acme', 'daily', credit({ units: 0 }), 400, 'malformed', 'units: is nothing'],
    ['acme', 'daily', credit({ units: '1' }), 400, 'malformed', 'units'],
    ['acme', 'daily', credit({ units: 1e300 }), 400, 'malformed', 'units'],
    ['acme', 'daily', credit({ scope: 'all' }), 400, 'malformed', 'scope: is not `tenant`'],
    ['acme', 'daily', { units: 1 }, 400, 'malformed', 'action'],
    ['acme', 'daily', [], 400, 'malformed', ''],
    ['acme', 'daily', '{"action":"reset","__proto__":{"all":true}}', 400, 'malformed', '__proto__'],
    ['acme', 'per-team', '{"action":"reset","by":{"__proto__":"x"}}', 400, '', ''],
    ['acme', 'own', credit({ by: { credential: 'ci' } }), 400, 'ambiguous_limit', "'credential:ci'"],
  ])('%s %s %j is %i %s', async (tenant, limit, body, status, code, words) => {
    const told = await change(limit, body, tenant)
    expect(told.status).toBe(status)
    if (code !== '') expect(told.body.code).toBe(code)
    expect(told.body.detail).toContain(words)
    expect(admin.faults).toEqual([])
  })

  it.each([
    '/v1/tenants/acme%2flimits/limits',
    '/v1/tenants/__proto__/limits',
    '/v1/tenants/acme/limits/a%00b',
    '/v1/tenants/acme/limits/..',
    '/v1/tenants/acme/limits/daily%2f',
    `/v1/tenants/acme/limits/${'x'.repeat(5000)}`,
    '/v1/tenants//limits',
    '/v1/tenants/acme/limits/daily/',
  ])('%s leads nowhere', async (path) => {
    for (const method of ['GET', 'POST']) {
      const told = await admin.ask(method, path, method === 'POST' ? { action: 'reset' } : undefined)
      expect([told.status, told.body.code]).toEqual([404, 'not_found'])
    }
  })

  it.each(['constructor', 'toString', 'hasOwnProperty', 'tenant', 'all'])(
    "'%s' is no limit of its own",
    async (name) => {
      const told = await change(name, { action: 'reset' })
      expect([told.status, told.body.code]).toEqual([404, 'unknown_limit'])
    },
  )

  it.each(['?most=0', '?most=1001', '?most=x', '?limit=a%2fb', '?scope=x', '?mots=1', '?most=1&most=2'])(
    'a query %s is malformed',
    async (query) => {
      expect((await show(query)).status).toBe(400)
    },
  )

  it('a key in the place of a name is not told again', async () => {
    for (const told of [
      await change('per-team', credit({ by: { [admin.key]: 'x' } })),
      await change('per-team', credit({ [admin.key]: 'x' })),
      await change('per-team', credit({ scope: `route:${admin.key}` })),
      await show(`?limit=${admin.key}`),
      await show(`?${admin.key}=1`),
    ]) {
      expect([told.status, told.text.includes(admin.key)]).toEqual([400, false])
    }
    expect(JSON.stringify(admin.events)).not.toContain(admin.key)
  })
})

describe('whoever has no business there', () => {
  it.each([
    [{ origin: 'http://127.0.0.1' }, 403],
    [{ host: 'evil.example' }, 403],
    [{ authorization: 'Bearer x' }, 401],
  ])('%j is refused, and changes nothing', async (headers, status) => {
    await use()
    for (const [method, path, body] of [
      ['GET', '/v1/tenants/acme/limits'],
      ['POST', '/v1/tenants/acme/limits/burst', { action: 'reset' }],
      ['POST', '/v1/explain', { host: 'h', path: '/' }],
    ] as const) {
      expect((await admin.ask(method, path, body, headers)).status).toBe(status)
    }
    expect(await bucketsOf('?limit=burst')).toMatchObject([{ used: 1 }])
  })
})
