/** The gate of a service with its first policy, over the stores that this asks for. */
import { randomBytes } from 'node:crypto'
import type { Policy } from '../../core/policy.ts'
import { type Following, type FollowingParts, followRecords } from '../../stores/redis/follow-directory.ts'
import { createGate, type Gate } from './gate.ts'
import type { ServiceParts, Surroundings } from './parts.ts'
import { createRedisStores, type HeldCredentials } from './redis/redis-stores.ts'
import { openSharedStore, type SharedStore } from './redis/shared-store.ts'
import { NO_STATE_FILE } from './service-options.ts'
import { createMemoryStores, type Stores } from './stores.ts'
import { within } from './within.ts'

export type OpenGate =
  | { readonly ok: true; readonly gate: Gate; readonly parts: ServiceParts }
  | { readonly ok: false; readonly problem: string }

/** So long a start waits for a Redis and for what was revoked there; then it serves by the rules for when it is away. */
const FIRST_WAIT_MS = 2000

/** For a policy of a file. Opens the stores once: what a later policy says of them is for the next start. */
export async function openGate(policy: Policy, around: Surroundings): Promise<OpenGate> {
  const { store: place } = policy.state
  if (place === 'memory') return gateOver(createMemoryStores(around.state?.state), policy, around)
  if (around.state) return { ok: false, problem: `--state: ${NO_STATE_FILE}` }
  const store = openSharedStore(place, around)
  const { following, records, counts, close } = followRecords({
    ...followingParts(store, around),
    rules: policy.state,
  })
  await store.tried(FIRST_WAIT_MS)
  return openOver(store, policy, around, following, {
    held: following.records,
    records,
    caches: () => ({ keys: counts }),
    hasAllKeys: false,
    close,
  })
}

/** For a policy of the same store, whose tenants and keys `following` keeps current. */
export function openGateInRedis(
  store: SharedStore,
  policy: Policy,
  around: Surroundings,
  following: Following,
  policyOf: Pick<HeldCredentials, 'caches' | 'outdated'>,
): Promise<OpenGate & { readonly ok: true }> {
  const { records: held } = following
  const close = () => {}
  return openOver(store, policy, around, following, {
    held,
    records: held.records(),
    ...policyOf,
    hasAllKeys: true,
    close,
  })
}

async function openOver(
  store: SharedStore,
  policy: Policy,
  around: Surroundings,
  { records }: Pick<Following, 'records'>,
  credentials: HeldCredentials,
): Promise<OpenGate & { readonly ok: true }> {
  const stores = createRedisStores(store, policy.state, credentials, around)
  // nobody is let in before; whoever calls then would be refused
  await within(records.refresh(), FIRST_WAIT_MS)
  return gateOver(stores, policy, around)
}

/** What is told of all that a process holds of a Redis. */
export function followingParts(
  store: SharedStore,
  { log, audit, elapsed }: Surroundings,
): Omit<FollowingParts, 'rules'> {
  const { connection } = store
  const onProblem = tellOnce(log.storeUnreadable, elapsed)
  return {
    ...{ connection, elapsed, onProblem, onLost: log.recordsLost },
    onWrittenBack(written, problem) {
      log.recordsWrittenBack(written, problem)
      audit.administered({
        action: 'revocations_written_back',
        outcome: problem === undefined ? 'done' : 'failed',
        requestId: randomBytes(16).toString('hex'),
        address: 'none',
        target: { written },
        ...(problem !== undefined && { reason: problem }),
      })
    },
    ...store.guardTold(),
  }
}

const AGAIN_MS = 60_000
const MOST_REMEMBERED = 100

/** The same is not told again for a minute: what cannot be read may be asked for by every request. */
function tellOnce(tell: (problem: string) => void, elapsed: () => number): (problem: string) => void {
  const told = new Map<string, number>()
  return (problem) => {
    const at = elapsed()
    if (at < (told.get(problem) ?? 0)) return
    if (told.size >= MOST_REMEMBERED) told.clear()
    told.set(problem, at + AGAIN_MS)
    tell(problem)
  }
}

function gateOver(stores: Stores, policy: Policy, around: Surroundings): OpenGate & { readonly ok: true } {
  const { ledger, uses, usage } = stores
  around.metrics.addUsage(() => usage.counts)
  usage.start()
  const credentials = { ...around.issuers, records: ledger.records, uses }
  const parts = { ...around, ...stores, credentials, switches: ledger.switches }
  return { ok: true, gate: createGate(policy, parts), parts }
}
