/** `explain` over HTTP: the answer for a request as a file has it, and nothing of its credentials anywhere. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Administration, administration } from './administration.ts'

let admin: Administration

beforeEach(async () => {
  admin = await administration()
})

afterEach(() => admin.close())

const explain = (body: unknown) => admin.ask('POST', '/v1/explain', body)
const request = (headers: object) => ({ method: 'GET', host: 'gw.test', path: '/orders', headers, ip: '192.0.2.7' })

describe('an explained request', () => {
  it('is answered with what is left, which stays', async () => {
    await admin.use(admin.key)
    for (let i = 0; i < 5; i++) {
      const told = await explain(request({ 'X-Api-Key': admin.key }))
      expect([told.status, told.body]).toMatchObject([
        200,
        {
          decision: 'allow',
          tenant: 'acme',
          stages: expect.arrayContaining([{ stage: 'limits', found: 'daily 1 of 3 left' }]),
        },
      ])
    }
    await admin.use(admin.key)
    await admin.use(admin.key)
    expect((await explain(request({ 'x-api-key': admin.key }))).body).toMatchObject({ reason: 'quota_exceeded' })
    expect(admin.events).toEqual([])
  })

  it('is told again in no part', async () => {
    const headers = { 'x-api-key': admin.key, authorization: 'Bearer s3cr3t-token-of-mine', cookie: 'session=abc' }
    const asked = [
      request(headers),
      request({ 'x-api-key': `${admin.key}x` }),
      request({ 'x-api-key': admin.key, 'X-API-KEY': admin.key }),
      request({ 'x-api-key': [admin.key] }),
      request({ [admin.key]: 1 }),
      { ...request({}), [admin.key]: 1 },
      { ...request({}), path: `/${admin.key}/../x` },
      { ...request({}), host: admin.key },
      { ...request({}), ip: admin.key },
      JSON.stringify(request(headers)).slice(0, -1),
    ]
    for (const body of asked) {
      const { text } = await explain(body)
      for (const secret of [admin.key, 's3cr3t', 'session=']) expect(text).not.toContain(secret)
    }
    expect([admin.events, admin.faults]).toEqual([[], []])
  })

  it('with a header twice, in whatever case, is one that gateways have joined', async () => {
    const told = await explain(request({ 'x-api-key': admin.key, 'X-Api-Key': 'other' }))
    expect(told.body).toMatchObject({ reason: 'ambiguous_credential' })
  })

  it.each<[string, unknown, number, string | undefined]>([
    ['a path with a NUL', { host: 'gw.test', path: '/a\u0000b' }, 200, 'malformed_request'],
    ['a path with an escaped slash', { host: 'gw.test', path: '/a%2fb' }, 200, 'malformed_request'],
    [
      'a header that names the prototype',
      '{"host":"h","path":"/","headers":{"__proto__":"x"}}',
      200,
      'missing_credential',
    ],
    ['no host', { path: '/' }, 400, undefined],
    ['no path', { host: 'gw.test' }, 400, undefined],
    ['an address that is none', { host: 'h', path: '/', ip: 'nowhere' }, 400, undefined],
    ['a header that is no text', { host: 'h', path: '/', headers: { a: 1 } }, 400, undefined],
    ['another word', { host: 'h', path: '/', body: 'x' }, 400, undefined],
    ['a list', [], 400, undefined],
    ['a path that is too long', { host: 'h', path: `/${'x'.repeat(20_000)}` }, 400, undefined],
    ['more than a body may have', { host: 'h', path: '/', headers: { a: 'x'.repeat(70_000) } }, 413, undefined],
  ])('%s is no fault of ours', async (_, body, status, reason) => {
    const told = await explain(body)
    expect([told.status, told.body.reason]).toEqual([status, reason])
    expect(admin.faults).toEqual([])
  })
})
