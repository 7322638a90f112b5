/** One tenant takes the place of what it was, or is taken away, in one atomic step. */
import type { RedisConnection } from '../connection.ts'
import { changedChannel } from '../keys.ts'
import { script } from '../script.ts'
import { changeOf } from './differences.ts'
import type { NewTenant } from './facts.ts'
import { commonKey, generationKey, rangeOf } from './keyspace.ts'
import { asked, type LiveDirectory, readLive } from './read.ts'
import { type StoredTenant, writeCertificates, writeTenant } from './stored.ts'

/** Something that another tenant has. */
export interface Taken {
  /** `certificates` by kind and name, `keys` by hash, `id` as an alias. */
  readonly kind: 'id' | 'names' | 'hosts' | 'certificates' | 'keys'
  readonly name: string
  readonly by: string
}

export type SetOutcome =
  | { readonly kind: 'set'; readonly revision: number; readonly isNew: boolean }
  | { readonly kind: 'taken'; readonly taken: readonly Taken[] }
  | WriteRefusal

export type RemoveOutcome =
  /** Keys of it that were issued while running stay, and are nobody's. */
  { readonly kind: 'removed'; readonly issuedKeys: number } | { readonly kind: 'no policy' } | WriteRefusal

export type WriteRefusal =
  /** It was not at the revision that was wanted; 0 where there is no such tenant. */
  | { readonly kind: 'other revision'; readonly revision: number }
  /** Others have changed it again and again. */
  | { readonly kind: 'contended' }

/** `taken`: kind, name and tenant of each, one after the other. */
function takenIn(taken: readonly string[]): readonly Taken[] {
  const found: Taken[] = []
  for (let at = 0; at < taken.length; at += 3) {
    const [kind, name = '', by = ''] = taken.slice(at, at + 3)
    found.push({ kind: kind as Taken['kind'], name, by })
  }
  return found
}

const set = script(['directory/change.lua', 'directory/set.lua'], (reply) => {
  const [kind, answer] = reply as ['done', number | string] | ['changed'] | ['taken', string[]]
  if (kind === 'done') return { kind, revision: Number(answer) } as const
  return kind === 'taken' ? ({ kind, taken: takenIn(answer as string[]) } as const) : ({ kind } as const)
})

const MOST_TRIES = 5

export interface SetOptions {
  /** The revision that it must have, 0 for a tenant that is not there; undefined for any. */
  readonly ifRevision: number | undefined
}

/**
 * Sets the tenant. `make` gets the live policy and checks the tenant against it; it is asked again where that was changed
 * meanwhile. Where it answers something else, nothing is done and that is the answer. Rejects with a `storeFailure`.
 */
export async function setTenant<T extends { readonly kind: string }>(
  connection: RedisConnection,
  make: (live: LiveDirectory | undefined) => Promise<NewTenant | T>,
  { ifRevision }: SetOptions,
): Promise<SetOutcome | T> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const live = await readLive(connection)
    const tenant = await make(live)
    if ('kind' in tenant) return tenant
    if (!live) throw new Error('unreachable: a tenant was made without a policy')
    const before = await live.tenant(tenant.id)
    const revision = before?.revision ?? 0
    if (ifRevision !== undefined && ifRevision !== revision) return { kind: 'other revision', revision }
    const outcome = await tryWrite(connection, live, tenant, before, writeTenant(tenant.facts))
    if (outcome.kind === 'done') return { kind: 'set', revision: outcome.revision, isNew: before === undefined }
    if (outcome.kind === 'taken') return outcome
  }
  return { kind: 'contended' }
}

/**
 * Takes the tenant away, with all that it is found by; what was recorded of it stays. Rejects with a `storeFailure`.
 */
export async function removeTenant(
  connection: RedisConnection,
  id: string,
  { ifRevision }: SetOptions,
): Promise<RemoveOutcome> {
  const nothing: NewTenant = { id, facts: { entry: {} }, aliases: [], hosts: [], keys: [], certificates: [] }
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const live = await readLive(connection)
    if (!live) return { kind: 'no policy' }
    const before = await live.tenant(id)
    if (!before || (ifRevision ?? before.revision) !== before.revision) {
      return { kind: 'other revision', revision: before?.revision ?? 0 }
    }
    const { kind } = await tryWrite(connection, live, nothing, before, '')
    if (kind !== 'done') continue
    const { client, place } = connection
    const issuedKeys = await asked(client.zlexcount(commonKey(place.prefix, 'issued-of'), ...rangeOf(id)))
    return { kind: 'removed', issuedKeys }
  }
  return { kind: 'contended' }
}

const PARTS = ['tenants', 'keys', 'keys-of', 'names', 'hosts', 'certificates', 'certificate-names'] as const

/** `text` is what is stored of it; empty where it is taken away. */
async function tryWrite(
  connection: RedisConnection,
  live: LiveDirectory,
  tenant: NewTenant,
  before: StoredTenant | undefined,
  text: string,
) {
  const { prefix } = connection.place
  const { generation } = live.head
  const { id, certificates } = tenant
  return set(
    connection,
    [
      ...(['head', 'changes', 'issued'] as const).map((name) => commonKey(prefix, name)),
      ...PARTS.map((part) => generationKey(prefix, generation, part)),
    ],
    [
      changedChannel(prefix),
      generation,
      id,
      before?.revision ?? 0,
      text,
      certificates.length === 0 ? '' : writeCertificates(certificates),
      JSON.stringify(await changeOf(live, tenant, before)),
    ],
  )
}
