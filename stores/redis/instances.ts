/** How many instances share this Redis: each says every second that it is there. */
import type { RedisConnection } from './connection.ts'
import { instancesKey } from './keys.ts'
import { script } from './script.ts'

export interface Instances {
  /** The most that were seen in the last three beats, this one among them; at least 1. Stays what it was while Redis is away. */
  count(): number
  /** Says once that this instance is there. It writes: what is read-only or full refuses it, and then it rejects. */
  beat(): Promise<unknown>
  /** Beats every second from now on, and keeps no process alive by that. */
  start(): void
  /** Beats no more, and says so; resolves also where that fails: it is missed after 3 s then. */
  leave(): Promise<void>
}

const EVERY_MS = 1000
/** Who was not seen for so long is not counted. */
const COUNTS_MS = 3000
/** After Redis was away the first that come back do not count those alone that were as quick. */
const BEATS_KEPT = 3

const BEAT = script(['instances.lua'], (reply) => {
  if (typeof reply === 'number') return reply
  throw new TypeError('a count is a number')
})

/** `id` is no other instance's. */
export function createInstances(connection: RedisConnection, id: string): Instances {
  const keys = [instancesKey(connection.place.prefix)]
  let lately: number[] = []
  let alarm: NodeJS.Timeout | undefined
  let isBeating = false

  async function beat(): Promise<void> {
    const seen = await BEAT(connection, keys, [id, COUNTS_MS, 0])
    lately = [...lately, seen].slice(-BEATS_KEPT)
  }

  /** One that hangs is not followed by others. */
  async function beatAgain(): Promise<void> {
    if (isBeating) return
    isBeating = true
    // the breaker of the limits tells that Redis is away
    await beat().catch(() => {})
    isBeating = false
  }

  return {
    count: () => Math.max(1, ...lately),
    beat,
    start() {
      void beatAgain()
      alarm ??= setInterval(beatAgain, EVERY_MS).unref()
    },
    async leave() {
      clearInterval(alarm)
      alarm = undefined
      await BEAT(connection, keys, [id, COUNTS_MS, 1]).catch(() => {})
    },
  }
}
