/** The limits of a candidate in Redis: the same engine, and no live bucket is touched. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openCandidateLimits } from '../../../../cli/service/candidate/candidate-limits.ts'
import type { Charge } from '../../../../core/limits/limit.ts'
import { UTC_CALENDAR } from '../../../../core/limits/limit.ts'
import { createRedisLimits } from '../../../../stores/redis/limits/redis-limits.ts'
import { policyOf } from '../../../support/gate.ts'
import { openTestRedis, type TestRedis } from '../../../support/test-redis.ts'
import { until } from '../../../support/until.ts'

let redis: TestRedis

beforeAll(async () => {
  redis = await openTestRedis()
})

afterAll(() => redis.close())

const CLOCKS = { now: Date.now, elapsed: () => performance.now() }
const AT_REST = policyOf(
  'version: 1\nplans: { p: { limits: [] } }\ntenants: { a: { plan: p } }\nroutes: [{ name: all, match: { path: /** } }]\n',
).state

const charge: Charge = {
  limit: { kind: 'quota', name: 'yearly', amount: 5, period: { count: 1, unit: 'year' }, by: ['tenant'], expose: true },
  series: 'yearly',
  key: 'yearly',
  tenant: 'acme',
  calendar: UTC_CALENDAR,
  cost: 1,
}

it.each([0, 1000])('are buckets of their own, also with units drawn ahead for %d ms', async (leaseMs) => {
  const { connection } = redis
  const state = { ...AT_REST, store: connection.place, leaseMs, timeoutMs: 1000 }
  const live = createRedisLimits(connection)
  const mine = { ...charge, key: `yearly-${leaseMs}`, series: `yearly-${leaseMs}` }
  await live.take([mine], Date.now())
  const own = openCandidateLimits(state, CLOCKS)
  const taken: boolean[] = []
  // until its connection is there, limits are decided without Redis
  await until(async () => {
    const [seen] = await own.limits.look([mine], Date.now())
    return seen && seen.withoutStore === undefined ? true : undefined
  })
  for (let i = 0; i < 6; i += 1) {
    const [answer] = await own.limits.take([mine], Date.now())
    taken.push(answer?.admitted === true)
  }
  expect(taken).toEqual([true, true, true, true, true, false])
  await own.close(1000)

  const [left] = await live.look([{ ...mine, cost: 0 }], Date.now())
  expect(left?.remaining).toBe(4)
  const { prefix } = connection.place
  const keys = await connection.client.keys(`${prefix}:*`)
  expect(keys.some((key) => key.startsWith(`${prefix}:candidate:{acme}:`))).toBe(true)
  expect(keys.filter((key) => key.startsWith(`${prefix}:{acme}:`)).every((key) => key.includes('yearly-'))).toBe(true)
})

it('are in memory where the live ones are', async () => {
  const own = openCandidateLimits(AT_REST, CLOCKS)
  expect(own.limits.take([charge], Date.now())).toMatchObject([{ admitted: true, remaining: 4 }])
  await own.close(0)
})
