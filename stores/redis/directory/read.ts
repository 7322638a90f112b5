/** What stands in Redis now, for those who administer: read anew each time, a page at a time. */
import type { ApiKey, CertificateEntry } from '../../../core/policy.ts'
import type { RedisConnection } from '../connection.ts'
import { storeFailure } from '../failure.ts'
import { commonKey, type GenerationPart, generationKey, hashOf, rangeOf } from './keyspace.ts'
import {
  type Bundle,
  type Head,
  type Read,
  readBundle,
  readCertificates,
  readHead,
  readKey,
  readTenant,
  type StoredTenant,
} from './stored.ts'

/** Asked for at a time. */
export const PAGE = 1000

/** Rejects with a `storeFailure` where Redis does not answer, or where what it answers cannot be read. */
export interface LiveDirectory {
  readonly head: Head
  bundle(): Promise<Bundle>
  tenant(id: string): Promise<StoredTenant | undefined>
  /** In no order; one that was changed meanwhile may come twice. */
  tenantTexts(): AsyncIterable<readonly [id: string, text: string]>
  /** Of the policy, without those that were issued since; of one tenant or of all, in no order. */
  keys(tenant?: string): AsyncIterable<readonly [hash: string, key: ApiKey]>
  keyTexts(hashes: readonly string[]): Promise<readonly (string | null)[]>
  keyCount(tenant: string): Promise<number>
  certificates(tenant: string): Promise<readonly CertificateEntry[]>
}

/** Undefined where no policy was imported yet. */
export async function readLive(connection: RedisConnection): Promise<LiveDirectory | undefined> {
  const { client, place } = connection
  const fields = await asked(client.hgetall(commonKey(place.prefix, 'head')))
  const read = readHead(fields)
  if (read === undefined) return undefined
  const head = readable(read, 'head')
  const keyOf = (part: GenerationPart) => generationKey(place.prefix, head.generation, part)

  async function keysOf(hashes: readonly string[]): Promise<readonly (string | null)[]> {
    return hashes.length === 0 ? [] : asked(client.hmget(keyOf('keys'), ...hashes))
  }

  async function* keysOfTenant(tenant: string): AsyncIterable<readonly [string, ApiKey]> {
    const [from, to] = rangeOf(tenant)
    const members = await asked(client.zrangebylex(keyOf('keys-of'), from, to))
    for (let at = 0; at < members.length; at += PAGE) {
      const hashes = members.slice(at, at + PAGE).map(hashOf)
      for (const [index, text] of (await keysOf(hashes)).entries()) {
        if (text !== null) yield [hashes[index] ?? '', readable(readKey(text), 'API key')]
      }
    }
  }

  return {
    head,
    async bundle() {
      const text = await asked(client.get(keyOf('policy')))
      if (text === null) throw storeFailure(new Error('the policy that the head names is not there'))
      return readable(readBundle(text), 'policy')
    },
    async tenant(id) {
      const text = await asked(client.hget(keyOf('tenants'), id))
      return text === null ? undefined : readable(readTenant(text), `tenant '${id}'`)
    },
    tenantTexts: () => fieldsOf(connection, keyOf('tenants')),
    async *keys(tenant) {
      if (tenant !== undefined) return yield* keysOfTenant(tenant)
      for await (const [hash, text] of fieldsOf(connection, keyOf('keys')))
        yield [hash, readable(readKey(text), 'API key')]
    },
    keyTexts: keysOf,
    keyCount: (tenant) => asked(client.zlexcount(keyOf('keys-of'), ...rangeOf(tenant))),
    async certificates(tenant) {
      const text = await asked(client.hget(keyOf('certificates'), tenant))
      return text === null ? [] : readable(readCertificates(text), 'certificates')
    },
  }
}

/** All fields of a hash. */
export async function* fieldsOf(
  { client }: RedisConnection,
  key: string,
): AsyncIterable<readonly [field: string, value: string]> {
  let cursor = '0'
  do {
    const [next, entries] = await asked(client.hscan(key, cursor, 'COUNT', PAGE))
    for (let at = 0; at < entries.length; at += 2) yield [entries[at] ?? '', entries[at + 1] ?? '']
    cursor = next
  } while (cursor !== '0')
}

/** The library's errors may quote what was sent. */
export async function asked<T>(command: Promise<T>): Promise<T> {
  try {
    return await command
  } catch (error) {
    throw storeFailure(error)
  }
}

function readable<T>(read: Read<T>, what: string): T {
  if (read.ok) return read.value
  throw storeFailure(new Error(`${what} ${read.problem}`))
}
