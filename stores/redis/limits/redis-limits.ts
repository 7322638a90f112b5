/** Limits in Redis: each call is one script, and so one atomic step; several instances count together. */
import type { Charge } from '../../../core/limits/limit.ts'
import type { RemoteLimits } from '../../../core/limits/remote.ts'
import type { RedisConnection } from '../connection.ts'
import { storeFailure } from '../failure.ts'
import { type Script, script } from '../script.ts'
import { forgottenOf, grantsOf, isOfAnotherTime, type Reply, readReply, statesOf, timeOf } from './answer.ts'
import { type Asked, FLAGS, type Flag, questionOf } from './question.ts'
import { createViews } from './views.ts'

export interface RedisLimitsOptions {
  /** `redis`: that of the server, one for all instances. `given`: the caller's `now`, for tests. */
  readonly clock?: 'redis' | 'given'
  /** How many buckets one series may have. */
  readonly perSeries?: number
  /** Told of buckets that could not be read: they were forgotten, and begin anew. */
  readonly onForgotten?: (buckets: number) => void
}

const COUNTER = 'limits/counter.lua'
const TAKE = script([COUNTER, 'limits/take.lua'], readReply, 'bytes')
const ADJUST = script([COUNTER, 'limits/adjust.lua'], readReply, 'bytes')
const GIVE_BACK = script([COUNTER, 'limits/give-back.lua'], readReply, 'bytes')

/** Buckets live so much longer than need be. With a given clock nothing ends while a test runs. */
const SLACK_MS = { redis: 1000, given: 3_600_000 } as const
/** A script that answers more numbers than Lua's stack has room for would fail after it has written. */
const MOST_AT_ONCE = 1000
/** Redis' clock may leave the windows that were passed; that it does so again and again means that it runs away. */
const TRIES = 3

/**
 * All charges of one call have to be of one tenant where Redis is a cluster: then its keys share a slot. Rejects with a
 * `storeFailure` where Redis does not answer, and at once where the connection is down.
 */
export function createRedisLimits(
  connection: RedisConnection,
  { clock = 'redis', perSeries = 100_000, onForgotten }: RedisLimitsOptions = {},
): RemoteLimits {
  const { prefix } = connection.place
  /** By how much Redis' clock is ahead of ours, ms; as its last answer told. */
  let ahead = 0

  async function ask(operation: Script<Reply>, asked: readonly Asked[], now: number, flag: Flag): Promise<Reply> {
    if (asked.length > MOST_AT_ONCE) throw new RangeError(`more than ${MOST_AT_ONCE} charges in one call`)
    const isGiven = clock === 'given'
    const head = { time: isGiven ? now : -1, perSeries, slackMs: SLACK_MS[clock], flag }
    for (let left = TRIES; left > 0; left -= 1) {
      const { keys, numbers } = questionOf(prefix, head, asked, isGiven ? now : now + ahead)
      const reply = await operation(connection, keys, [numbers])
      if (!isGiven) ahead = timeOf(reply) - now
      if (isOfAnotherTime(reply)) continue
      const forgotten = forgottenOf(reply)
      if (forgotten > 0) onForgotten?.(forgotten)
      return reply
    }
    throw storeFailure(new Error('its clock does not stand still long enough to count by'))
  }

  async function redisTime(now: number): Promise<number> {
    if (clock === 'given') return now
    const [seconds, micros] = await connection.client.time()
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
  }

  async function take(charges: readonly Charge[], now: number, patienceMs = Number.POSITIVE_INFINITY, flag: Flag) {
    if (charges.length === 0) return []
    const asked = charges.map((charge) => ({ charge, cost: charge.cost, need: needOf(charge), patienceMs }))
    return statesOf(await ask(TAKE, asked, now, flag), charges, patienceMs)
  }

  return {
    ...createViews(connection, redisTime),
    take: (charges, now, patienceMs) => take(charges, now, patienceMs, FLAGS.none),
    look: (charges, now, patienceMs) => take(charges, now, patienceMs, FLAGS.look),
    async draw(charges, wishes, now, patienceMs = Number.POSITIVE_INFINITY) {
      if (charges.length === 0) return { states: [], grants: [] }
      const asked = charges.map((charge, i) => ({
        charge,
        cost: charge.cost,
        need: needOf(charge),
        patienceMs,
        wish: wishes[i],
      }))
      const reply = await ask(TAKE, asked, now, FLAGS.draw)
      return { states: statesOf(reply, charges, patienceMs), grants: grantsOf(reply, charges) }
    },
    async adjust(charges, now) {
      if (charges.length === 0) return []
      const asked = charges.map((charge) => ({ charge, cost: charge.cost, need: 1, patienceMs: 0 }))
      const ofOne = charges.map((charge) => ({ ...charge, cost: 1 }))
      return statesOf(await ask(ADJUST, asked, now, FLAGS.none), ofOne, 0)
    },
    async giveBack(unused, now) {
      if (unused.length === 0) return
      const asked = unused.map(({ charge, from }) => ({ charge, cost: charge.cost, need: 0, patienceMs: 0, from }))
      await ask(GIVE_BACK, asked, now, FLAGS.none)
    },
  }
}

/** A peek at what is counted in something else than requests wants one whole unit to be left, as in `core/limits/counter.ts`. */
function needOf({ limit, cost }: Charge): number {
  return cost === 0 && limit.unit !== undefined ? 1 : cost
}
