/** How large, how deep and of which type a question by OFREP may be, to the byte; and keys that say nothing of whom is meant. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Administration, administration, TOKEN } from './administration.ts'
import { FLAGS, flaggedPolicy } from './flagged.ts'

let admin: Administration | undefined
afterEach(() => admin?.close())

async function open(): Promise<Administration> {
  admin = await administration({ policy: flaggedPolicy, flags: FLAGS })
  return admin
}

const BULK = '/ofrep/v1/evaluate/flags'
const PLAIN = `${BULK}/plain`
const contextOf = (more: object) => ({ context: { targetingKey: 'x', ...more } })

describe('a question', () => {
  it.each([PLAIN, BULK])('to %s has 65,536 bytes at most, spaces among them', async (path) => {
    const { ask } = await open()
    const ofLength = (length: number) => JSON.stringify(contextOf({})).padEnd(length)
    expect((await ask('POST', path, ofLength(65_536))).status).toBe(200)
    expect(await ask('POST', path, ofLength(65_537))).toMatchObject({ status: 413, body: { code: 'too_large' } })
  })

  it('has 256 fields at most, the key among them', async () => {
    const { ask } = await open()
    const others = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, 1]))
    expect((await ask('POST', PLAIN, contextOf(others(255)))).status).toBe(200)
    const more = await ask('POST', PLAIN, contextOf(others(256)))
    expect([more.status, more.body.errorDetails]).toEqual([400, '`context` has more than 256 fields'])
  })

  it.each([
    ['maps', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`],
    ['lists', `${'['.repeat(30_000)}${']'.repeat(30_000)}`],
  ])('of %s within one another, as deep as a body may be, is one of a bad context', async (_, deep) => {
    const { ask, faults } = await open()
    const told = await ask('POST', PLAIN, `{"context":{"targetingKey":"x","deep":${deep}}}`)
    expect([told.status, told.body.errorCode]).toEqual([400, 'INVALID_CONTEXT'])
    expect(faults).toEqual([])
  })

  it.each([
    ['application/json; charset=utf-8', 200],
    ['APPLICATION/JSON', 200],
    ['application/json; charset=utf-16', 415],
    ['application/problem+json', 415],
    ['', 415],
  ])('of the type %j gets %i', async (type, status) => {
    const { ask } = await open()
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': type }
    expect((await ask('POST', PLAIN, contextOf({}), headers)).status).toBe(status)
  })

  it('may have a query, which event streams of the protocol add, and is a POST', async () => {
    const { ask } = await open()
    expect((await ask('POST', `${BULK}?flagConfigEtag=x`, contextOf({}))).status).toBe(200)
    for (const path of [PLAIN, BULK]) {
      expect(await ask('GET', path)).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    }
  })
})

describe('a targeting key', () => {
  const variantOf = async ({ ask }: Administration, context: object) => {
    const { body } = await ask('POST', `${BULK}/per-user`, { context })
    return body.variant ?? body.errorCode
  }

  it('that is empty is as none: the user or the tenant stands there, and without them it is missing', async () => {
    const admin = await open()
    for (const context of [{ tenant: 'acme', user: 'u1' }, { tenant: 'acme', user: 'u2' }, { tenant: 'acme' }, {}]) {
      expect(await variantOf(admin, { ...context, targetingKey: '' })).toBe(await variantOf(admin, context))
    }
    expect(await variantOf(admin, { targetingKey: '' })).toBe('TARGETING_KEY_MISSING')
    expect(await variantOf(admin, { tenant: 'acme', user: 'u1', targetingKey: '' })).toBe('on')
  })

  it.each([5, 0, true, null, ['x'], { key: 'x' }])(
    'that is %j is no text, and nobody guesses which is meant',
    async (key) => {
      const admin = await open()
      expect(await variantOf(admin, { tenant: 'acme', targetingKey: key })).toBe('INVALID_CONTEXT')
    },
  )
})

it('an ETag of one tenant is not that of another who gets other flags, nor is it without its quotes', async () => {
  const { ask } = await open()
  const etagOf = async (tenant: string) => String((await ask('POST', BULK, { context: { tenant } })).headers.etag)
  const [acme, globex] = [await etagOf('acme'), await etagOf('globex')]
  const statusFor = async (tenant: string, etag: string) =>
    (await ask('POST', BULK, { context: { tenant } }, { 'if-none-match': etag })).status
  expect(await statusFor('globex', globex)).toBe(304)
  expect(await statusFor('globex', acme)).toBe(200)
  expect(await statusFor('globex', globex.replaceAll('"', ''))).toBe(200)
  expect(await statusFor('globex', `${acme}, ${globex}`)).toBe(304)
})
