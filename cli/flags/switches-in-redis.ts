/** What switching a flag works with in a Redis that nobody serves at this moment. */
import type { SwitchParts } from '../../admin/flags.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { readLive } from '../../stores/redis/directory/read.ts'
import { createRedisLedger } from '../../stores/redis/ledger.ts'
import { recordsOnce } from '../records-once.ts'
import { flagNamesIn } from './stored-flags.ts'

/** A text says why there are none. Rejects with a `storeFailure`. */
export async function switchesInRedis(connection: RedisConnection): Promise<SwitchParts | string> {
  const { known, problem } = recordsOnce(connection)
  const live = await readLive(connection)
  const names = live && flagNamesIn(await live.bundle())
  if (!(await known.refresh())) return problem()
  return {
    ledger: createRedisLedger({ connection, known, records: known.records(), now: Date.now }),
    knows: (flag) => names?.has(flag),
    now: Date.now,
  }
}
