/** What one import of the policy holds, asked one question at a time: each is one script call, within a time budget. */
import { hash as digest } from 'node:crypto'
import { type ApiKey, type CertificateEntry, UNAVAILABLE } from '../../../core/policy.ts'
import type { DirectorySource, StoredTenant as Found, ReadTenant, StoredKey } from '../../directory/source.ts'
import { AWAY, type Guard } from '../../guard/guard.ts'
import type { RedisConnection } from '../connection.ts'
import { storeFailure } from '../failure.ts'
import { script } from '../script.ts'
import { commonKey, generationKey } from './keyspace.ts'
import { asked, fieldsOf, readLive } from './read.ts'
import { type Read, readCertificates, readIssued, readKey, readTenant, type StoredTenant } from './stored.ts'

export interface LookupParts {
  readonly connection: RedisConnection
  readonly guard: Pick<Guard, 'ask'>
  /** The import. */
  readonly generation: number
  /** Reads a tenant as a policy file writes it; a text says why it cannot be read. */
  readonly resolve: (id: string, stored: StoredTenant) => ReadTenant | string
  /** Told of what stands in Redis and cannot be read, in words: it is used by nobody. */
  readonly onProblem: (problem: string) => void
}

const HALF = /\p{Surrogate}/u

interface Reply {
  readonly id: string
  readonly tenant: string
  readonly from: string
  readonly key: string
}

const lookup = script(['directory/lookup.lua'], (reply): Reply | undefined => {
  if (!Array.isArray(reply)) return undefined
  const [id = '', tenant = '', from = '', key = ''] = reply as string[]
  return { id, tenant, from, key }
})

/** What cannot be read, or stands in an import that is no longer there, is unavailable: to say that there is none would be a guess. */
export function createLookups({ connection, guard, generation, resolve, onProblem }: LookupParts): DirectorySource {
  const { prefix } = connection.place
  const parts = ['policy', 'tenants', 'keys', 'names', 'hosts'] as const
  const keys = [...parts.map((part) => generationKey(prefix, generation, part)), commonKey(prefix, 'issued')]

  async function ask(by: 'name' | 'host' | 'key', text: string): Promise<Reply | undefined> {
    const reply = await guard.ask(() => lookup(connection, keys, [by, text]), 'lookup')
    return reply === AWAY ? undefined : reply
  }

  function tenantIn({ id, tenant: text }: Reply): Found | undefined {
    if (text === '') return undefined
    return {
      id,
      // numbers of revisions may come again once data was lost
      revision: digest('sha256', text, 'base64url'),
      read() {
        const stored = readTenant(text)
        const read = stored.ok ? resolve(id, stored.value) : stored.problem
        if (typeof read !== 'string') return read
        onProblem(`tenant '${id}' ${read}`)
        throw storeFailure(new Error(`tenant '${id}' ${read}`))
      },
    }
  }

  return {
    async tenant(by, text) {
      // half of a surrogate pair is sent as another character, which somebody else may be called by
      if (HALF.test(text)) return undefined
      const reply = await ask(by, text)
      return reply ? tenantIn(reply) : UNAVAILABLE
    },
    async key(hash) {
      const reply = await ask('key', hash)
      if (!reply) return UNAVAILABLE
      if (reply.from === '') return undefined
      const read = reply.from === 'issued' ? keyOfLine(reply.key) : readKey(reply.key)
      if (read.ok) return { key: read.value, tenant: tenantIn(reply) } satisfies StoredKey
      onProblem(`an API key ${read.problem}`)
      return UNAVAILABLE
    },
    async apiKeys(tenant) {
      const live = await readLive(connection)
      const found: [string, ApiKey][] = []
      for await (const [hash, key] of live?.keys(tenant) ?? []) found.push([hash, key])
      return found
    },
  }
}

/** A key that was issued while running, with nothing that only its record has. */
function keyOfLine(line: string): Read<ApiKey> {
  const read = readIssued(line)
  if (!read.ok) return read
  const { kind: _, hash: _hash, ...key } = read.value
  return { ok: true, value: key }
}

export interface IssuedLookupParts extends Pick<LookupParts, 'connection' | 'guard' | 'onProblem'> {}

/** Issued keys alone, where the policy and its tenants stand in a file. */
export function createIssuedLookups({ connection, guard, onProblem }: IssuedLookupParts): Pick<DirectorySource, 'key'> {
  const issued = commonKey(connection.place.prefix, 'issued')
  return {
    async key(hash) {
      const line = await guard.ask(() => hget(connection, issued, hash), 'lookup')
      if (line === AWAY) return UNAVAILABLE
      if (line === null) return undefined
      const read = keyOfLine(line)
      if (read.ok) return { key: read.value, tenant: undefined }
      onProblem(`an API key ${read.problem}`)
      return UNAVAILABLE
    },
  }
}

async function hget({ client, isUp }: RedisConnection, key: string, field: string): Promise<string | null> {
  if (!isUp()) throw storeFailure(new Error('not connected'))
  try {
    return await client.hget(key, field)
  } catch (error) {
    throw storeFailure(error)
  }
}

/**
 * Of all tenants of one import, by tenant; undefined where it is not there any more. A tenant whose certificates are not understood
 * has none, which is told; nobody else is concerned. Rejects where Redis does not answer.
 */
export async function readAllCertificates(
  connection: RedisConnection,
  generation: number,
  onProblem: (problem: string) => void,
): Promise<Map<string, readonly CertificateEntry[]> | undefined> {
  const all = new Map<string, readonly CertificateEntry[]>()
  const key = generationKey(connection.place.prefix, generation, 'certificates')
  for await (const [id, text] of fieldsOf(connection, key)) all.set(id, certificatesIn(id, text, onProblem))
  return (await isThere(connection, generation)) ? all : undefined
}

/** The same of one tenant, empty where it has none. */
export async function readCertificatesOf(
  connection: RedisConnection,
  generation: number,
  tenant: string,
  onProblem: (problem: string) => void,
): Promise<readonly CertificateEntry[] | undefined> {
  const text = await hget(connection, generationKey(connection.place.prefix, generation, 'certificates'), tenant)
  if (text !== null) return certificatesIn(tenant, text, onProblem)
  return (await isThere(connection, generation)) ? [] : undefined
}

/** Asked after reading: that there was nothing says something of an import only while it stands. */
async function isThere({ client, place }: RedisConnection, generation: number): Promise<boolean> {
  return (await asked(client.exists(generationKey(place.prefix, generation, 'policy')))) === 1
}

function certificatesIn(
  tenant: string,
  text: string,
  onProblem: (problem: string) => void,
): readonly CertificateEntry[] {
  const read = readCertificates(text)
  if (read.ok) return read.value
  onProblem(`the certificates of tenant '${tenant}' ${read.problem}`)
  return []
}
