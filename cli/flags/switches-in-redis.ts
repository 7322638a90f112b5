/** What switching a flag works with in a Redis that nobody serves at this moment. */
import { performance } from 'node:perf_hooks'
import type { SwitchParts } from '../../admin/flags.ts'
import { readDocument } from '../../policy/document.ts'
import { fileOf } from '../../policy/flags/flag-file.ts'
import { isRecord, parseJson } from '../../policy/outside.ts'
import { checkShape } from '../../policy/shape.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { readLive } from '../../stores/redis/directory/read.ts'
import type { Bundle } from '../../stores/redis/directory/stored.ts'
import { createRedisLedger } from '../../stores/redis/ledger.ts'
import { createRedisRecords } from '../../stores/redis/records.ts'

/** A text says why there are none. Rejects with a `storeFailure`. */
export async function switchesInRedis(connection: RedisConnection): Promise<SwitchParts | string> {
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
  const live = await readLive(connection)
  const names = live && flagNamesIn(await live.bundle())
  if (!(await known.refresh())) return problem
  return {
    ledger: createRedisLedger({ connection, known, records: known.records(), now: Date.now }),
    knows: (flag) => names?.has(flag),
    now: Date.now,
  }
}

/** Undefined where a provider outside knows them alone. */
function flagNamesIn({ text, files }: Bundle): ReadonlySet<string> | undefined {
  const yaml = readDocument(text)
  const shape = yaml.ok ? checkShape(yaml.document.value, 1) : yaml
  if (!shape.ok) return undefined
  if (shape.file.flags === undefined) return new Set()
  const file = fileOf(shape.file)
  const document = file === undefined ? undefined : parseJson(files[file] ?? '')
  return isRecord(document) && isRecord(document.flags) ? new Set(Object.keys(document.flags)) : undefined
}
