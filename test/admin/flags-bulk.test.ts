/** A question about all flags keeps nobody else waiting. */
import { afterEach, describe, expect, it } from 'vitest'
import { NOON } from '../support/gate.ts'
import { type Administration, administration } from './administration.ts'
import { FLAGS, flaggedPolicy } from './flagged.ts'

let admin: Administration | undefined
afterEach(() => admin?.close())

/** A thousand flags, by a clock that goes on by five milliseconds whenever it is looked at. */
async function open(): Promise<Administration> {
  const { 'orders-backend': backend, plain } = FLAGS.flags
  const others = Array.from({ length: 999 }, (_, index) => [`flag-${index}`, plain])
  const flags = { 'orders-backend': backend, ...Object.fromEntries(others) }
  admin = await administration({ policy: flaggedPolicy, flags: { flags } })
  let now = NOON
  Object.defineProperty(admin.clock, 'now', {
    get() {
      now += 5
      return now
    },
  })
  return admin
}

describe('all flags at once', () => {
  it.each([
    ['/ofrep/v1/evaluate/flags', { context: { tenant: 'acme' } }],
    ['/v1/flags/evaluate', { tenant: 'acme' }],
  ])('by %s are evaluated bit by bit: others are answered before it', async (path, body) => {
    const { ask } = await open()
    const order: string[] = []
    const bulk = ask('POST', path, body).then((told) => {
      order.push('bulk')
      return told
    })
    await ask('POST', '/ofrep/v1/evaluate/flags/flag-998', { context: { tenant: 'acme' } })
    order.push('one')
    expect((await bulk).body.flags).toHaveLength(1000)
    expect(order).toEqual(['one', 'bulk'])
  })

  it.each([
    ['/ofrep/v1/evaluate/flags', { context: { tenant: 'acme' } }],
    ['/v1/flags/evaluate', { tenant: 'acme' }],
  ])('by %s are asked for twice at once, others wait, and beyond 64 are told to come again', async (path, body) => {
    const { ask } = await open()
    const told = await Promise.all(Array.from({ length: 80 }, () => ask('POST', path, body)))
    const busy = told.filter(({ status }) => status !== 200)
    expect(busy.length).toBeGreaterThan(0)
    expect(busy.length).toBeLessThanOrEqual(80 - 66)
    expect(busy[0]).toMatchObject({ status: 429, body: { code: 'busy' }, headers: { 'retry-after': '1' } })
  })
})
