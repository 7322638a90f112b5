/** The Redis of a service: one connection, and one line in the log when it goes and when it is back, whoever has missed it first. */
import type { OnStoreFailure } from '../../../core/limits/limit.ts'
import type { RedisPlace } from '../../../core/policy.ts'
import type { GuardParts } from '../../../stores/guard/guard.ts'
import { openRedis, type RedisConnection } from '../../../stores/redis/connection.ts'
import type { Log } from '../../../telemetry/log.ts'
import type { StoreCalled } from '../../../telemetry/store-metrics.ts'
import { redisWords } from '../../redis-session.ts'
import { within } from '../within.ts'

type Told = Required<Pick<GuardParts, 'onChange' | 'onAnswer'>>

export interface SharedStore {
  readonly connection: RedisConnection
  /** What another guard before it is to tell. */
  guardTold(): Told
  /** Tells of buckets that could not be read. */
  forgotten(buckets: number): void
  /** Why it is away, in words that hold no credential; undefined while it answers. */
  away(): string | undefined
  /** Settles when it is connected, or could not be, or after so many ms. */
  tried(mostMs: number): Promise<unknown>
  /** From now on calls are told, and how many takes were answered without it is asked. */
  tell(called: StoreCalled, fallbacks: () => Fallbacks): void
  /** Lets go; that it is away then is told to nobody. */
  close(): Promise<void>
}

type Fallbacks = Readonly<Record<OnStoreFailure, number>>

export interface SharedStoreParts {
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  readonly log: Pick<Log, 'storeAway' | 'storeBack' | 'limitsForgotten'>
}

const NO_FALLBACKS: Fallbacks = { local: 0, allow: 0, deny: 0 }

/** Connects, now and whenever it has to. */
export function openSharedStore(place: RedisPlace, { elapsed, log }: SharedStoreParts): SharedStore {
  /** Why it is missed, by who misses it: the connection, and each guard that has given it up. */
  const missing = new Map<object, string>()
  let went = { at: 0, fallbacks: NO_FALLBACKS }
  let fallbacks = () => NO_FALLBACKS
  let called: StoreCalled = () => {}
  let isClosed = false
  let settle = () => {}
  const settled = new Promise<void>((resolve) => {
    settle = resolve
  })

  function note(who: object, why: string | undefined): void {
    if (isClosed) return
    const wasAway = missing.size > 0
    if (why === undefined) missing.delete(who)
    else missing.set(who, redisWords(place, why))
    const isAway = missing.size > 0
    if (isAway && !wasAway) {
      went = { at: elapsed(), fallbacks: fallbacks() }
      log.storeAway(missing.get(who) ?? '')
    }
    if (wasAway && !isAway) log.storeBack(elapsed() - went.at, lessOf(fallbacks(), went.fallbacks))
  }

  const connection = openRedis(place, {
    onState(state, why = 'not connected') {
      note(missing, state === 'up' ? undefined : why)
      settle()
    },
  })
  return {
    connection,
    guardTold() {
      const self = {}
      return {
        onChange: (isOpen, why) => note(self, isOpen ? why : undefined),
        onAnswer: (operation, outcome, ms) => called(operation, outcome, ms),
      }
    },
    forgotten: log.limitsForgotten,
    away: () => missing.values().next().value,
    tried: (mostMs) => within(settled, mostMs),
    tell(toCalled, askFallbacks) {
      called = toCalled
      fallbacks = askFallbacks
    },
    close() {
      isClosed = true
      return connection.close()
    },
  }
}

function lessOf(now: Fallbacks, before: Fallbacks): Fallbacks {
  return { local: now.local - before.local, allow: now.allow - before.allow, deny: now.deny - before.deny }
}
