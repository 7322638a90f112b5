/** What holds for all tenants takes the place of what did, in one step; tenants and keys stay as they are. */
import type { RedisConnection } from '../connection.ts'
import { changedChannel } from '../keys.ts'
import { script } from '../script.ts'
import { commonKey, generationKey } from './keyspace.ts'
import type { LiveDirectory } from './read.ts'
import { type Bundle, writeBundle } from './stored.ts'

const replace = script(['directory/change.lua', 'directory/replace.lua'], String)

/** False where policy or tenants were changed since `live` was read: then nothing is done. Rejects with a `storeFailure`. */
export async function replaceBundle(
  connection: RedisConnection,
  { head: { generation, edition } }: LiveDirectory,
  bundle: Bundle,
): Promise<boolean> {
  const { prefix } = connection.place
  const outcome = await replace(
    connection,
    [commonKey(prefix, 'head'), commonKey(prefix, 'changes'), generationKey(prefix, generation, 'policy')],
    [changedChannel(prefix), generation, edition, bundle.version, writeBundle(bundle)],
  )
  return outcome === 'done'
}
