/** What somebody would get of each flag, asked over HTTP: by the right of a credential too, with headers as a gateway hands them over. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Administration, administration } from './administration.ts'
import { FLAGS, flaggedPolicy } from './flagged.ts'

let admin: Administration | undefined
afterEach(() => admin?.close())

const policy = (hash: string) =>
  flaggedPolicy(hash)
    .replace('file: flags.json', 'file: flags.json\n  override: { header: x-choose, credentials: [acme/ci] }')
    .replace('routes: [', 'routes: [{ name: open, match: { path: /open }, anonymous: true }, ')

async function open() {
  admin = await administration({ policy, flags: FLAGS })
  const { ask } = admin
  return async (body: object) => {
    const told = await ask('POST', '/v1/flags/evaluate', { flags: ['orders-backend'], ...body })
    const { flags: [flag] = [], code, detail } = told.body as { flags?: object[]; code?: string; detail?: string }
    return flag ?? { status: told.status, code, detail }
  }
}

const headers = { 'x-choose': 'orders-backend=stable' }

describe('a credential that may choose variants', () => {
  it('is asked for by its id and its tenant, and chooses as its caller would', async () => {
    const gotten = await open()
    const chosen = { variant: 'stable', reason: 'OVERRIDE', by: 'credential acme/ci' }
    expect(await gotten({ tenant: 'acme', credential: 'ci', headers })).toMatchObject(chosen)
    expect(await gotten({ tenant: 'org-1', credential: 'ci', headers })).toMatchObject(chosen)
  })

  it.each([
    ['another of the tenant', { tenant: 'acme', credential: 'other' }, 'canary'],
    ['one of that id of another tenant', { tenant: 'globex', credential: 'ci' }, 'stable'],
    ['none', { tenant: 'acme' }, 'canary'],
    ['one whom an anonymous route does not ask', { tenant: 'acme', credential: 'ci', route: 'open' }, 'stable'],
    ['none, but a user', { tenant: 'acme', user: 'ci' }, 'canary'],
  ])('%s has no such right', async (_what, asked, variant) => {
    const gotten = await open()
    const found = await gotten({ ...asked, headers })
    expect(found).toMatchObject({ variant })
    expect(found).not.toMatchObject({ reason: 'OVERRIDE' })
  })

  it.each([
    [{ credential: 'ci' }, 'credential: is one of a tenant, and none is named'],
    [{ tenant: 'acme', credential: 'a b' }, 'credential: is not the id of a credential'],
    [{ tenant: 'acme', credential: '' }, 'credential: is not the id of a credential'],
  ])('is not asked for by %j', async (asked, detail) => {
    const gotten = await open()
    expect(await gotten(asked)).toEqual({ status: 400, code: 'malformed', detail })
  })
})

describe('a header', () => {
  it('that stands there twice is one text, as gateways join it', async () => {
    const gotten = await open()
    const twice = { 'X-Choose': 'plain=one', 'x-choose': 'orders-backend=stable' }
    expect(await gotten({ tenant: 'acme', credential: 'ci', headers: twice })).toMatchObject({ reason: 'OVERRIDE' })
    const broken = { 'X-Choose': 'what', 'x-choose': 'orders-backend=stable' }
    expect(await gotten({ tenant: 'acme', credential: 'ci', headers: broken })).toMatchObject({ variant: 'canary' })
  })
})

describe('a flag that is not there', () => {
  it.each([
    ['ordersbackend', " Did you mean 'orders-backend'?"],
    ['something-else', ''],
  ])('is said not to be: %s', async (flag, guess) => {
    const gotten = await open()
    const detail = `The policy has no file in which there is a flag '${flag}'.${guess}`
    expect(await gotten({ flags: [flag] })).toEqual({ status: 404, code: 'unknown_flag', detail })
  })
})
