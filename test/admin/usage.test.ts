/** Usage over HTTP: by hour or day, within bounds, whole periods at a time. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Use } from '../../core/usage.ts'
import { breakableKeeper } from '../stores/usage/keeper.ts'
import { NOON } from '../support/gate.ts'
import { type Administration, administration } from './administration.ts'

const HOUR = 3_600_000
const use = (more: Partial<Use> = {}): Use => ({
  tenant: 'acme',
  credential: 'ci',
  route: 'orders',
  outcome: 'allowed',
  ...more,
})

let admin: Administration

beforeEach(async () => {
  admin = await administration()
})

afterEach(() => admin.close())

const ask = (query = '', path = '/v1/tenants/acme/usage') => admin.ask('GET', `${path}${query}`)

describe('usage of a tenant', () => {
  it('is told by day, or by hour where that is asked, with what was counted a moment ago', async () => {
    admin.usage.count(use(), NOON)
    admin.usage.count(use(), NOON - HOUR)
    admin.usage.count(use({ tenant: 'globex' }), NOON)
    const line = { credential: 'ci', route: 'orders', outcome: 'allowed' }
    expect((await ask()).body).toEqual({
      tenant: 'acme',
      per: 'day',
      from: '2026-10-24T00:00:00.000Z',
      until: '2026-11-22T12:00:00.001Z',
      lines: [{ from: '2026-11-22T00:00:00.000Z', ...line, count: 2 }],
    })
    expect((await ask('?per=hour')).body.lines).toEqual([
      { from: '2026-11-22T11:00:00.000Z', ...line, count: 1 },
      { from: '2026-11-22T12:00:00.000Z', ...line, count: 1 },
    ])
  })

  it('is told of the periods that are asked for, the first being the one in which `from` lies', async () => {
    for (const hours of [0, 1, 2, 3]) admin.usage.count(use(), NOON + hours * HOUR)
    const { body } = await ask('?per=hour&from=2026-11-22T13:59:00Z&until=2026-11-22T15:00:00Z')
    expect(body.lines).toMatchObject([{ from: '2026-11-22T13:00:00.000Z' }, { from: '2026-11-22T14:00:00.000Z' }])
  })

  it('that is long comes in parts of whole periods, of which each says where the next begins', async () => {
    for (let hours = 0; hours < 40; hours++) {
      for (let index = 0; index < 500; index++) {
        admin.usage.count(use({ credential: `c${index}` }), NOON + (hours - 40) * HOUR)
      }
    }
    const range = '&until=2026-11-22T12:00:00Z'
    const first = (await ask(`?per=hour&from=2026-11-20T20:00:00Z${range}`)).body
    expect([(first.lines as unknown[]).length, first.next]).toEqual([12_000, '2026-11-21T20:00:00.000Z'])
    const second = (await ask(`?per=hour&from=${first.next}${range}`)).body
    expect([(second.lines as unknown[]).length, second.next]).toEqual([8000, undefined])
  })

  it('of nobody is that of requests without a tenant', async () => {
    admin.usage.count(use({ tenant: '', credential: '', outcome: 'missing_credential' }), NOON)
    expect((await ask('', '/v1/usage')).body.lines).toMatchObject([{ credential: '', outcome: 'missing_credential' }])
    expect((await ask()).body.lines).toEqual([])
  })

  it.each([
    ['?per=week', 'per: '],
    ['?from=yesterday', 'from: '],
    ['?from=2026-11-22T12:00:00Z&until=2026-11-22T00:00:00Z', 'until: is not later than from'],
    ['?per=hour&from=2020-01-01T00:00:00Z', 'from: at most 744 hours are told at once'],
    ['?most=7', 'most'],
  ])('%s is refused', async (query, detail) => {
    const { status, body } = await ask(query)
    expect([status, body.code]).toEqual([400, 'malformed'])
    expect(body.detail).toContain(detail)
  })

  it('that cannot be read is a 503, and no fault of ours', async () => {
    admin.close()
    const keeper = { ...breakableKeeper(), read: () => Promise.reject(new Error('Redis: away')) }
    admin = await administration({ keeper })
    expect(await ask()).toMatchObject({ status: 503, body: { code: 'store_unavailable' } })
    expect(admin.faults).toEqual([])
  })
})
