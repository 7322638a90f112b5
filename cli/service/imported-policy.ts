/** The policy of one import into Redis: what holds for all is parsed here, tenants and keys are looked up as they are needed. */
import type { Identity, Policy } from '../../core/policy.ts'
import { startParsing } from '../../policy/parse-thread.ts'
import type { Problem } from '../../policy/problem.ts'
import { problemOf } from '../../policy/reloading.ts'
import { createTenantReader } from '../../policy/stored-tenant.ts'
import { type CachedDirectory, createCachedDirectory, DIRECTORY_BOUNDS } from '../../stores/directory/directory.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { createHeldCertificates, type HeldCertificates } from '../../stores/redis/directory/certificates.ts'
import { commonKey, generationKey } from '../../stores/redis/directory/keyspace.ts'
import { createLookups } from '../../stores/redis/directory/lookups.ts'
import { asked } from '../../stores/redis/directory/read.ts'
import { readBundle, readHead } from '../../stores/redis/directory/stored.ts'
import type { Following } from '../../stores/redis/follow-directory.ts'
import type { Io } from '../io.ts'

/** An import as it stands in Redis. */
export interface StoredImport {
  readonly generation: number
  /** Everything but tenants and keys, as it was written. */
  readonly text: string
}

/** What problems of Redis itself, and not of the file that was imported, are told by. */
const IN_REDIS = 'redis'

/** There is no text in which they would have a place. */
export const problemInRedis = (message: string): Problem => ({ ...problemOf(IN_REDIS, message), line: 0, column: 0 })

/** The one that is live now; a problem where there is none that can be read. Rejects where Redis does not answer. */
export async function readStoredImport({ client, place }: RedisConnection): Promise<StoredImport | Problem> {
  const head = readHead(await asked(client.hgetall(commonKey(place.prefix, 'head'))))
  if (head === undefined) {
    return problemInRedis(`there is no policy below \`${place.prefix}\` yet: \`tenantgate tenants import\` writes one`)
  }
  if (!head.ok) return problemInRedis(`the head of the policy ${head.problem}`)
  const { generation } = head.value
  const text = await asked(client.get(generationKey(place.prefix, generation, 'policy')))
  return text === null ? problemInRedis('the policy that is live is not there') : { generation, text }
}

export interface ImportedPolicy {
  readonly stored: StoredImport
  readonly policy: Policy
  readonly notes: readonly Problem[]
  readonly directory: CachedDirectory
  readonly certificates: HeldCertificates
  /** Ends being told of changes. */
  unfollow(): void
}

export interface ImportParts {
  readonly connection: RedisConnection
  readonly env: Io['env']
  readonly elapsed: () => number
  readonly onProblem: (problem: string) => void
  /** For a policy with these rules; the same one each time. */
  readonly following: (state: Policy['state']) => Following
  /** Whether the import is known to be the one that is live in Redis. */
  readonly isLive: (stored: StoredImport) => boolean
}

/** Parsed off the serving thread; problems are told by the file that was imported. Rejects where Redis does not answer. */
export async function openImport(
  stored: StoredImport,
  parts: ImportParts,
): Promise<ImportedPolicy | readonly Problem[]> {
  const { connection, env, elapsed, onProblem } = parts
  const { generation } = stored
  const bundle = readBundle(stored.text)
  if (!bundle.ok) return [problemInRedis(`the policy ${bundle.problem}`)]
  const { source: file } = bundle.value
  const parsed = await startParsing({ file, env, known: undefined, bundle: bundle.value }).result
  if (parsed.kind === 'refused') return parsed.problems
  if (parsed.kind === 'unchanged') throw new Error('unreachable: nothing was known before')

  const following = parts.following(parsed.policy.state)
  const { guard, isAway, patience } = following
  const certificates = createHeldCertificates({
    ...{ connection, generation, elapsed, onProblem },
    staleForMs: parsed.policy.state.staleForMs,
  })
  const units = new Set(parsed.policy.units)
  const resolve = createTenantReader(parsed.plans, units)
  const { identity, state } = parsed.policy
  const directory = createCachedDirectory(createLookups({ connection, guard, generation, resolve, onProblem }), {
    ...DIRECTORY_BOUNDS,
    cacheMs: state.cacheMs,
    staleForMs: state.staleForMs,
    isAway,
    elapsed,
    patience,
    isCustomHost: (host) => !isUnderSuffix(host, identity),
    certificates: certificates.entries,
  })
  const ends = [
    following.follow(certificates),
    // an import that another has replaced is not changed any more: that nothing is told of it says nothing
    following.follow({ ...directory, confirm: (at) => parts.isLive(stored) && directory.confirm(at) }),
  ]
  const unfollow = () => {
    for (const end of ends) end()
  }
  try {
    await certificates.load()
  } catch (error) {
    unfollow()
    throw error
  }
  const policy: Policy = Object.freeze({
    ...parsed.policy,
    directory,
    certificates,
    units,
    state: Object.freeze({ ...state, store: connection.place }),
  })
  return { stored, policy, notes: parsed.notes, directory, certificates, unfollow }
}

/** There the label is a tenant's id, and no host can be a tenant's own. */
function isUnderSuffix(host: string, { host: rule }: Identity): boolean {
  return rule !== undefined && (host.endsWith(rule.suffix) || host === rule.suffix.slice(1))
}
