/** What a tenant is found by now and was not before, and the other way round. */
import { certificateName, type NewTenant } from './facts.ts'
import type { LiveDirectory } from './read.ts'
import { type StoredTenant, writeKey } from './stored.ts'

/** The names of one tenant, by what they name it to. */
export interface Names {
  readonly names: readonly string[]
  readonly hosts: readonly string[]
  readonly certificates: readonly string[]
  /** The text of each key by its hash. */
  readonly keys: Readonly<Record<string, string>>
}

export interface NameChange {
  readonly claimed: Names
  readonly released: Names
}

/** Nobody has changed the tenant in between, or `set.lua` refuses what comes of this. */
export async function changeOf(
  live: LiveDirectory,
  tenant: NewTenant,
  before: StoredTenant | undefined,
): Promise<NameChange> {
  const after = namesOf(tenant)
  const former = before ? await namesBefore(live, tenant.id, before) : NO_NAMES
  return { claimed: less(after, former), released: less(former, after, true) }
}

const NO_NAMES: Names = { names: [], hosts: [], certificates: [], keys: {} }

function namesOf({ aliases, hosts, certificates, keys }: NewTenant): Names {
  return {
    names: aliases,
    hosts,
    certificates: certificates.map(certificateName),
    keys: Object.fromEntries(keys.map((key) => [key.hash, writeKey(key)])),
  }
}

async function namesBefore(live: LiveDirectory, id: string, { entry }: StoredTenant): Promise<Names> {
  const keys: Record<string, string> = {}
  for await (const [hash, key] of live.keys(id)) keys[hash] = writeKey(key)
  const certificates = (await live.certificates(id)).map(certificateName)
  return { names: textsIn(entry.aliases), hosts: textsIn(entry.hosts), certificates, keys }
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

/** What is in the first and not in the second; a key with another text counts as another, unless only hashes matter. */
function less(these: Names, those: Names, byHash = false): Names {
  const without = (some: readonly string[], others: readonly string[]) => some.filter((name) => !others.includes(name))
  const isOther = ([hash, text]: [string, string]) => (byHash ? !(hash in those.keys) : those.keys[hash] !== text)
  return {
    names: without(these.names, those.names),
    hosts: without(these.hosts, those.hosts),
    certificates: without(these.certificates, those.certificates),
    keys: Object.fromEntries(Object.entries(these.keys).filter(isOther)),
  }
}
