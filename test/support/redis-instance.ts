/** What one instance decides by a policy in Redis, without a gateway before it; and somebody who writes there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Io } from '../../cli/io.ts'
import { type FollowedRedisPolicy, followRedisPolicy } from '../../cli/service/follow-redis-policy.ts'
import { newTenant, readPolicyToImport } from '../../cli/tenants/policy-file.ts'
import { type FailedCredentials, NO_FAILURE_LIMIT } from '../../core/credentials/attempt.ts'
import { createCredentials } from '../../core/credentials/authenticate.ts'
import type { AdminRecord } from '../../core/credentials/records.ts'
import { decide, type Given } from '../../core/decide.ts'
import type { Decision } from '../../core/decision.ts'
import { createFlags } from '../../core/flags/evaluate.ts'
import type { MaybePromise } from '../../core/maybe-promise.ts'
import type { Policy } from '../../core/policy.ts'
import type { GatewayRequest } from '../../core/request.ts'
import { parseTenant } from '../../policy/one-tenant.ts'
import { formatProblem } from '../../policy/problem.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import type { RedisConnection } from '../../stores/redis/connection.ts'
import { importPolicy } from '../../stores/redis/directory/import.ts'
import type { LiveDirectory } from '../../stores/redis/directory/read.ts'
import { setTenant } from '../../stores/redis/directory/write.ts'
import type { Following } from '../../stores/redis/follow-directory.ts'
import { createRedisLedger } from '../../stores/redis/ledger.ts'
import { createRedisRecords } from '../../stores/redis/records.ts'
import { partsOf, requestOf } from './gate.ts'

export interface RedisInstance {
  readonly followed: FollowedRedisPolicy
  readonly following: Following
  /** The live one. */
  readonly policy: Policy
  /** What `followRedisPolicy` told, in the order of telling. */
  readonly told: readonly string[]
  ask(request: Partial<GatewayRequest>): MaybePromise<Decision>
  /** Time goes by, for this instance alone. */
  skip(ms: number): void
  close(): void
}

export interface InstanceOptions {
  readonly env?: Io['env']
  readonly onAnswer?: () => void
  /** Between two looks that no message has asked for; never, where it is not said. */
  readonly pollMs?: number
  /** Nobody is blocked where it is not said. */
  readonly failures?: FailedCredentials
}

/** No message of an interval timer comes later. */
const NEVER = 2 ** 31 - 1

/** Resolves once it has a policy. The connection stays the caller's. */
export async function startInstance(
  connection: RedisConnection,
  { env = {}, onAnswer = () => {}, pollMs = NEVER, failures = NO_FAILURE_LIMIT }: InstanceOptions = {},
): Promise<RedisInstance> {
  const told: string[] = []
  let skipped = 0
  let given: Omit<Given, 'now'> | undefined
  let live: Policy | undefined
  let following: Following | undefined
  const use = () => {
    if (!live || !following) return
    const records = following.records.records()
    const credentials = createCredentials(live, partsOf({ records, failures }))
    given = {
      policy: live,
      credentials,
      limits: createMemoryLimits(),
      flags: createFlags(live.flags?.definition, following.records.index.switches),
      clock: Date.now,
    }
  }
  const followed = followRedisPolicy({
    connection,
    env,
    elapsed: () => performance.now() + skipped,
    onPolicy(policy) {
      told.push(`policy ${policy.version}`)
      live = policy
      use()
    },
    onProblems: (problems) => told.push(...problems.map(formatProblem)),
    onRecovered: () => told.push('recovered'),
    onProblem: (problem) => told.push(problem),
    onLost: (before, after) => told.push(`lost ${before} ${after}`),
    onAnswer,
    pollMs,
  })
  const first = await followed.first
  following = first.following
  use()
  await following.records.refresh()
  return {
    followed,
    following,
    told,
    get policy() {
      if (!live) throw new Error('unreachable: it was told of one')
      return live
    },
    ask(request) {
      if (!given) throw new Error('unreachable: it has a policy')
      return decide(requestOf(request), { ...given, now: Date.now() })
    },
    skip: (ms) => {
      skipped += ms
    },
    close: () => followed.close(),
  }
}

/** Somebody who administers. */
export interface Writer {
  /** The text of a policy and of the files that it names. */
  import(text: string, files?: Readonly<Record<string, string>>): Promise<void>
  /** One tenant, as JSON. */
  set(id: string, entry: Readonly<Record<string, unknown>>): Promise<void>
  record(...records: readonly AdminRecord[]): Promise<void>
}

/** Throws where Redis or the policy refuses. */
export function writerTo(connection: RedisConnection, env: Io['env'] = {}): Writer {
  const known = createRedisRecords({
    connection,
    staleForMs: 600_000,
    elapsed: () => performance.now(),
    onProblem() {},
    onLost() {},
  })
  const ledger = createRedisLedger({ connection, known, records: known.records(), now: Date.now })
  return {
    async import(text, files = {}) {
      const folder = mkdtempSync(join(tmpdir(), 'tg-import-'))
      try {
        for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
        const file = join(folder, 'policy.yaml')
        writeFileSync(file, text)
        const policy = readPolicyToImport(file, env)
        if (!policy.ok) throw new Error(policy.problems.map(formatProblem).join('\n'))
        const { kind } = await importPolicy(connection, policy.bundle, policy.tenants, { dryRun: false })
        if (kind !== 'imported') throw new Error(kind)
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
    async set(id, entry) {
      const make = async (live: LiveDirectory | undefined) => {
        if (!live) throw new Error('there is no policy')
        const { text: policy } = await live.bundle()
        const parsed = parseTenant({ id, text: JSON.stringify(entry), file: 'tenant.json', policy })
        if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
        return newTenant(parsed.tenant, parsed.divided)
      }
      const outcome = await setTenant(connection, make, { ifRevision: undefined })
      if (outcome.kind !== 'set') throw new Error(outcome.kind)
    },
    async record(...records) {
      const problem = await ledger.add(() => records)
      if (problem !== undefined) throw new Error(problem)
    },
  }
}
