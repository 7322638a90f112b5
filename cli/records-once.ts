/** What is recorded in a Redis, for a command that reads it once and is done. */
import { performance } from 'node:perf_hooks'
import type { RedisConnection } from '../stores/redis/connection.ts'
import { createRedisRecords, type RedisRecords } from '../stores/redis/records.ts'

export interface RecordsOnce {
  /** To be read by its `refresh`. */
  readonly known: RedisRecords
  /** Why that has failed. */
  problem(): string
}

export function recordsOnce(connection: RedisConnection): RecordsOnce {
  let problem = 'what is recorded there cannot be read now'
  const known = createRedisRecords({
    connection,
    staleForMs: Number.POSITIVE_INFINITY,
    elapsed: () => performance.now(),
    onProblem: (found = problem) => {
      problem = found
    },
    onLost() {},
  })
  return { known, problem: () => problem }
}
