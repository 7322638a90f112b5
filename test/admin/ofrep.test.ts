/** Programs ask for flags by OpenFeature's protocol, as its table of answers has it, and of a tenant what a decision would be. */
import { afterEach, describe, expect, it } from 'vitest'
import { UNAVAILABLE } from '../../core/policy.ts'
import { type Administration, administration } from './administration.ts'
import { FLAGS, flaggedPolicy } from './flagged.ts'

let admin: Administration | undefined
afterEach(() => admin?.close())

async function open(more: Parameters<typeof administration>[0] = {}): Promise<Administration> {
  admin = await administration({ policy: flaggedPolicy, flags: FLAGS, ...more })
  return admin
}

const BULK = '/ofrep/v1/evaluate/flags'
const one = (key: string) => `${BULK}/${encodeURIComponent(key)}`

describe('one flag', () => {
  it('is told with its value, its variant and why', async () => {
    const { ask } = await open()
    const told = await ask('POST', one('orders-backend'), { context: { targetingKey: 'x', beta: true } })
    expect([told.status, told.body]).toEqual([
      200,
      { key: 'orders-backend', reason: 'TARGETING_MATCH', variant: 'canary', value: 'orders-canary' },
    ])
    expect((await ask('POST', one('plain'), { context: { targetingKey: 'x' } })).body).toEqual({
      key: 'plain',
      reason: 'STATIC',
      variant: 'one',
      value: 1,
    })
    expect((await ask('POST', one('plan/of'), { context: { targetingKey: 'x', plan: 'pro' } })).body).toMatchObject({
      value: { size: 2 },
    })
  })

  it('that is off has no value, so that the caller keeps its own: by the file, or by its switch', async () => {
    const { ask } = await open()
    const off = await ask('POST', one('gone'), { context: { targetingKey: 'x' } })
    expect([off.status, off.body]).toEqual([200, { key: 'gone', reason: 'DISABLED' }])
    await ask('POST', '/v1/flags/plain/off')
    expect((await ask('POST', one('plain'), { context: { targetingKey: 'x' } })).body).toEqual({
      key: 'plain',
      reason: 'DISABLED',
    })
  })

  it.each([
    ['is not there', 'none', { context: { targetingKey: 'x' } }, 404, 'FLAG_NOT_FOUND'],
    ['has a name that every object has', 'toString', { context: { targetingKey: 'x' } }, 404, 'FLAG_NOT_FOUND'],
    ['is asked for without a context', 'plain', {}, 400, 'INVALID_CONTEXT'],
    ['is asked for with a list for a context', 'plain', { context: [] }, 400, 'INVALID_CONTEXT'],
    [
      'is asked for with what is not flat',
      'plain',
      { context: { targetingKey: 'x', a: { b: 1 } } },
      400,
      'INVALID_CONTEXT',
    ],
    ['is asked for with null', 'plain', { context: { targetingKey: 'x', a: null } }, 400, 'INVALID_CONTEXT'],
    [
      'is asked for with a list of numbers',
      'plain',
      { context: { targetingKey: 'x', a: [1] } },
      400,
      'INVALID_CONTEXT',
    ],
    ['is asked for with a key that is no text', 'plain', { context: { targetingKey: 1 } }, 400, 'INVALID_CONTEXT'],
    [
      'is asked for with roles that are no list',
      'plain',
      { context: { targetingKey: 'x', roles: 'a' } },
      400,
      'INVALID_CONTEXT',
    ],
    [
      'is asked for with a tenant that is no text',
      'plain',
      { context: { targetingKey: 'x', tenant: true } },
      400,
      'INVALID_CONTEXT',
    ],
    ['is asked for nobody', 'plain', { context: { beta: true } }, 400, 'TARGETING_KEY_MISSING'],
    ['is asked for a user, and sticky for tenants', 'plain', { context: { user: 'u1' } }, 400, 'TARGETING_KEY_MISSING'],
    ['is asked for with no JSON', 'plain', '{', 400, 'PARSE_ERROR'],
    ['is asked for with no object', 'plain', '[]', 400, 'PARSE_ERROR'],
    ['comes to a variant that is not there', 'broken', { context: { targetingKey: 'x', wanted: 'z' } }, 500, 'GENERAL'],
  ])('that %s is refused as the protocol says', async (_, key, body, status, errorCode) => {
    const { ask, faults } = await open()
    const told = await ask('POST', one(key), body)
    expect([told.status, told.body.key, told.body.errorCode]).toEqual([status, key, errorCode])
    expect(told.body.errorDetails).toEqual(expect.any(String))
    expect(told.headers['content-type']).toBe('application/json')
    expect(faults).toEqual([])
  })

  it.each([
    ['plain', { user: 'u1' }, 'neither a targetingKey nor a tenant, which this flag is sticky for'],
    ['per-user', { beta: true }, 'no targetingKey, no user, which this flag is sticky for, and no tenant'],
  ])('%s that is asked for nobody is told what of it is missing', async (key, context, words) => {
    const { ask } = await open()
    const told = await ask('POST', one(key), { context })
    expect([told.status, told.body.errorCode]).toEqual([400, 'TARGETING_KEY_MISSING'])
    expect(told.body.errorDetails).toContain(words)
  })

  it.each(['__proto__', 'constructor', 'prototype'])('is not asked for with a field %s', async (name) => {
    const { ask } = await open()
    const told = await ask('POST', one('plain'), `{"context":{"targetingKey":"x","${name}":{"beta":true}}}`)
    expect([told.status, told.body.errorCode]).toEqual([400, 'INVALID_CONTEXT'])
    const flat = await ask('POST', one('plain'), `{"context":{"targetingKey":"x","${name}":"x"}}`)
    expect([flat.status, flat.body.errorCode]).toEqual([400, 'INVALID_CONTEXT'])
  })

  it('is asked for in 64 KB at most, of 256 fields and 256 entries', async () => {
    const { ask } = await open()
    const context = (more: object) => ({ context: { targetingKey: 'x', ...more } })
    expect((await ask('POST', one('plain'), context({ a: 'x'.repeat(66_000) }))).status).toBe(413)
    const fields = Object.fromEntries(Array.from({ length: 256 }, (_, index) => [`f${index}`, 1]))
    expect((await ask('POST', one('plain'), context(fields))).body.errorCode).toBe('INVALID_CONTEXT')
    expect((await ask('POST', one('plain'), context({ roles: Array(257).fill('r') }))).body.errorCode).toBe(
      'INVALID_CONTEXT',
    )
    expect((await ask('POST', one('plain'), context({ roles: Array(256).fill('r') }))).status).toBe(200)
  })

  it.each(['targetingKey', 'user', 'plan', 'own'])(
    'is asked for with no text of more than 1,024 characters: %s',
    async (name) => {
      const { ask } = await open()
      const told = (value: unknown) => ask('POST', one('plain'), { context: { targetingKey: 'x', [name]: value } })
      expect((await told('x'.repeat(1024))).status).toBe(200)
      const long = await told('x'.repeat(1025))
      expect([long.status, long.body.errorCode]).toEqual([400, 'INVALID_CONTEXT'])
      expect(long.body.errorDetails).toBe(`\`${name}\` has more than 1024 characters`)
    },
  )

  it('is asked for with lists of such texts alone', async () => {
    const { ask } = await open()
    const told = (entry: string) => ask('POST', one('plain'), { context: { targetingKey: 'x', roles: ['r', entry] } })
    expect((await told('x'.repeat(1024))).status).toBe(200)
    expect((await told('x'.repeat(1025))).body.errorCode).toBe('INVALID_CONTEXT')
  })

  it('is asked for with the token alone, and by no page of a browser', async () => {
    const { ask } = await open()
    const asWith = async (headers: Record<string, string>) =>
      (await ask('POST', one('plain'), { context: { targetingKey: 'x' } }, headers)).status
    expect(await asWith({ authorization: 'Bearer none' })).toBe(401)
    expect(await asWith({ host: 'rebound.example' })).toBe(403)
    expect(await asWith({ origin: 'http://localhost' })).toBe(403)
    expect(await asWith({ 'content-type': 'text/plain' })).toBe(415)
  })

  it('is asked for so often as one likes without a word in the audit', async () => {
    const { ask, events } = await open()
    await ask('POST', one('plain'), { context: { targetingKey: 'x' } })
    await ask('POST', one('none'), { context: { targetingKey: 'x' } })
    expect(events).toEqual([])
  })
})

describe('a tenant that the policy knows', () => {
  it('has its own attributes and plan, whatever the caller says of them', async () => {
    const { ask } = await open()
    const variantFor = async (key: string, context: object) => (await ask('POST', one(key), { context })).body.variant
    expect(await variantFor('orders-backend', { tenant: 'acme', beta: false })).toBe('canary')
    expect(await variantFor('plan/of', { tenant: 'acme', plan: 'free' })).toBe('pro')
    expect(await variantFor('plan/of', { tenant: 'globex', plan: 'pro' })).toBe('free')
    expect(await variantFor('plan/of', { tenant: 'nobody', plan: 'pro' })).toBe('pro')
  })

  it('is found by an alias too, and is its own targeting key', async () => {
    const { ask, clock } = await open()
    clock.now = Date.parse('2026-11-22T13:00:00Z')
    const told = await ask('POST', one('orders-backend'), { context: { tenant: 'org-1' } })
    expect(told.body).toMatchObject({ variant: 'canary' })
  })

  it('is asked of users where a flag is sticky for them, and stands in where there is none', async () => {
    const { ask } = await open()
    const variantFor = async (context: object) => (await ask('POST', one('per-user'), { context })).body.variant
    expect(await variantFor({ tenant: 'acme', user: 'u1' })).toBe('on')
    expect(await variantFor({ tenant: 'acme', user: 'u2' })).toBe('off')
    expect(await variantFor({ tenant: 'acme' })).toBe('off')
    expect(await variantFor({ tenant: 'acme', user: 'u1', targetingKey: 'u2' })).toBe('off')
  })

  it('that cannot be looked up now is told as that, and as no fault of ours', async () => {
    const { ask, faults } = await open({ directory: (own) => ({ ...own, byName: () => UNAVAILABLE }) })
    const told = await ask('POST', one('plain'), { context: { tenant: 'acme' } })
    expect([told.status, told.body.errorCode]).toEqual([500, 'GENERAL'])
    expect(faults).toEqual([])
  })
})

describe('all flags', () => {
  it('are told in one answer, each as if it had been asked for alone', async () => {
    const { ask } = await open()
    const context = { tenant: 'acme', user: 'u1', wanted: 'z' }
    const { flags } = (await ask('POST', BULK, { context })).body as { flags: { key: string }[] }
    expect(flags.map(({ key }) => key)).toEqual(Object.keys(FLAGS.flags))
    for (const flag of flags) expect(flag).toEqual((await ask('POST', one(flag.key), { context })).body)
  })

  it('are not told again to who has them, until something is another: a switch, a step, a tenant', async () => {
    const { ask, clock } = await open()
    const context = { tenant: 'globex' }
    const first = await ask('POST', BULK, { context })
    const etag = String(first.headers.etag)
    const asked = (more: object = context) => ask('POST', BULK, { context: more }, { 'if-none-match': etag })
    const again = await asked()
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag])
    expect((await ask('POST', BULK, { context }, { 'if-none-match': `"other", W/${etag}` })).status).toBe(304)
    expect((await ask('POST', BULK, { context }, { 'if-none-match': '"other"' })).status).toBe(200)
    expect((await asked({ tenant: 'acme' })).status).toBe(200)
    await ask('POST', '/v1/flags/plain/off')
    expect((await asked()).status).toBe(200)
    await ask('POST', '/v1/flags/plain/on')
    expect((await asked()).status).toBe(304)
    clock.now += 3_600_000
    expect((await asked()).body).toMatchObject({
      flags: [{ key: 'orders-backend', variant: 'canary' }, {}, {}, {}, {}, {}],
    })
  })

  it.each([
    ['{', 'PARSE_ERROR'],
    [{}, 'INVALID_CONTEXT'],
  ])('are not told to who asks with %j', async (body, errorCode) => {
    const { ask } = await open()
    const told = await ask('POST', BULK, body)
    expect([told.status, told.body.errorCode]).toEqual([400, errorCode])
    expect(told.body).not.toHaveProperty('key')
  })

  it('are none where the policy has none', async () => {
    const { ask } = await open({
      policy: (hash) =>
        flaggedPolicy(hash)
          .replace(/\nflags:[\s\S]*/, '')
          .replace(', flag: orders-backend', ''),
    })
    expect((await ask('POST', BULK, { context: { targetingKey: 'x' } })).body).toEqual({ flags: [] })
  })
})
