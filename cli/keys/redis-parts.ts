/** What the administration of keys works with, in a Redis that nobody serves at this moment. */
import { randomBytes } from 'node:crypto'
import type { CredentialParts, CredentialPolicy } from '../../admin/parts.ts'
import type { ApiKey, CertificateEntry } from '../../core/policy.ts'
import { readDocument } from '../../policy/document.ts'
import { issuerOf } from '../../policy/resolve.ts'
import { checkShape } from '../../policy/shape.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { type LiveDirectory, readLive } from '../../stores/redis/directory/read.ts'
import { createRedisLedger } from '../../stores/redis/ledger.ts'
import { createSharedUses } from '../../stores/redis/usage/shared-uses.ts'
import { recordsOnce } from '../records-once.ts'

/** A text says why there are none. `tenant` is the one that will be changed. Rejects with a `storeFailure`. */
export async function redisParts(
  connection: RedisConnection,
  tenant: string | undefined,
): Promise<CredentialParts | string> {
  const { known, problem } = recordsOnce(connection)
  const policy = await openPolicy(connection, tenant)
  if (!policy) return NO_POLICY
  if (!(await known.refresh())) return problem()
  const ledger = createRedisLedger({ connection, known, records: known.records(), now: Date.now })
  return {
    policy: policy.current,
    ledger: {
      ...ledger,
      add: (plan) =>
        ledger.add(async () => {
          await policy.refresh()
          return plan()
        }),
    },
    lastUsed: createSharedUses(connection, { knowsKeys: true }).lastUsed,
    randomBytes,
    now: Date.now,
  }
}

const NO_POLICY =
  'there is no policy in this Redis, so that nobody knows here which tenants there are. Where services have theirs from a file, ask one of them: `--server URL`, its --admin listener. Where they shall have it from here (serve --policy redis://…), put it there first: `tenantgate tenants import FILE --redis URL`'

interface OpenPolicy {
  readonly current: () => CredentialPolicy
  /** Another may be live since. */
  refresh(): Promise<void>
}

async function openPolicy(connection: RedisConnection, tenant: string | undefined): Promise<OpenPolicy | undefined> {
  let current = await readPolicy(connection, tenant)
  if (!current) return undefined
  return {
    current: () => current ?? NOBODY,
    async refresh() {
      current = await readPolicy(connection, tenant)
    },
  }
}

const NOBODY: CredentialPolicy = {
  directory: { byId: () => undefined, apiKeys: () => [], certificates: () => [] },
  issuers: new Map(),
}

async function readPolicy(
  connection: RedisConnection,
  tenant: string | undefined,
): Promise<CredentialPolicy | undefined> {
  const live = await readLive(connection)
  if (!live) return undefined
  const { text } = await live.bundle()
  const certificates = tenant === undefined ? [] : await live.certificates(tenant)
  return { directory: directoryOf(live, certificates), issuers: issuersIn(text) }
}

function directoryOf(live: LiveDirectory, certificates: readonly CertificateEntry[]): CredentialPolicy['directory'] {
  type Named = { readonly id: string; readonly aliases: readonly string[] }
  const named = new Map<string, Promise<Named | undefined>>()
  const read = async (id: string): Promise<Named | undefined> => {
    const { entry } = (await live.tenant(id)) ?? {}
    return entry && { id, aliases: Array.isArray(entry.aliases) ? entry.aliases.map(String) : [] }
  }
  return {
    byId(id) {
      const found = named.get(id) ?? read(id)
      named.set(id, found)
      return found
    },
    async apiKeys(tenant) {
      const keys: (readonly [string, ApiKey])[] = []
      for await (const entry of live.keys(tenant)) keys.push(entry)
      return keys
    },
    certificates: () => certificates,
  }
}

/** What is asked of them needs neither their keys nor their secrets. */
function issuersIn(text: string): CredentialPolicy['issuers'] {
  const yaml = readDocument(text)
  const shape = yaml.ok ? checkShape(yaml.document.value, 1) : yaml
  const entries = shape.ok ? shape.file.issuers : []
  return new Map(entries.map((entry) => [entry.issuer, issuerOf(entry, { kind: 'gateway' })]))
}
