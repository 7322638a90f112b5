/** A candidate policy beside the live one: decides the same requests, a moment later, and nobody acts on what it decides. */
import { differencesOf } from '../../../core/candidate/compare.ts'
import { type Comparison, createReport, type Example, exampleOf } from '../../../core/candidate/report.ts'
import { NO_KEY_USES } from '../../../core/credentials/records.ts'
import type { KeySet } from '../../../core/credentials/tokens/key-set.ts'
import { decide, type Stages } from '../../../core/decide.ts'
import type { Decision } from '../../../core/decision.ts'
import type { IdentityTokens } from '../../../core/identity/token.ts'
import { after, type MaybePromise } from '../../../core/maybe-promise.ts'
import type { Policy } from '../../../core/policy.ts'
import type { GatewayRequest } from '../../../core/request.ts'
import { createFailedCredentials } from '../../../stores/failed-credentials.ts'
import { createTokenMemory } from '../../../stores/token-memory.ts'
import type { CandidateMetrics, SkippedBecause } from '../../../telemetry/candidate-metrics.ts'
import type { Log } from '../../../telemetry/log.ts'
import { type GateParts, type Snapshot, type SnapshotParts, snapshotOf } from '../gate.ts'
import { evaluationsOfOne, MOST_UNDER_WAY } from '../provider-flags.ts'
import { createStagesOfOne } from './stages-of-one.ts'
import { tellDifferences } from './tell-differences.ts'

/** What the live policy has decided. */
interface Offered {
  readonly request: GatewayRequest
  readonly stages: Stages | undefined
  readonly decided: Decision
  /** The version of the policy that has decided it. */
  readonly by: string
  /** When the request came, ms since the epoch: the candidate decides it as of then. */
  readonly at: number
}

export interface Candidate {
  /** Returns at once and never throws. It is decided and compared soon, unless too many wait for that. */
  offer(offered: Offered): void
  /** Compares with this policy from now on. Its buckets stay, the comparison begins anew. */
  replace(policy: Policy): void
  /** The version that is compared; undefined while there is none. */
  readonly version: string | undefined
  compared(): Comparison & { readonly skipped: Readonly<Record<SkippedBecause, number>> }
}

export interface CandidateParts extends SnapshotParts {
  /** The live policy. What it fetches anyway of the keys of issuers is fetched once. */
  readonly live: { readonly policy: Pick<Policy, 'version'>; keySets(): ReadonlyMap<string, KeySet> }
  readonly metrics: Pick<CandidateMetrics, 'decided' | 'differs' | 'skipped'>
  readonly log: Pick<Log, 'candidateDiffers' | 'fault'>
  readonly elapsed: GateParts['elapsed']
  /** Calls back when the answers that are ready have been sent; `setImmediate` by default. */
  readonly later?: (work: () => void) => void
  readonly bounds?: Partial<Bounds>
}

export interface Bounds {
  /** Decisions that wait for their turn. */
  readonly waiting: number
  /** Decisions that wait for something outside, such as an issuer. */
  readonly underWay: number
}

const BOUNDS: Bounds = { waiting: 1024, underWay: 256 }

/** As many at a time as nobody notices who asks the live policy meanwhile: some hundred microseconds, as a rule. */
const AT_A_TIME = 64
/** ms after which no other one is begun, where they take longer. */
const TURN_MS = 5

/** Nobody is told who the candidate thinks somebody is. */
const UNSIGNED: IdentityTokens = { of: () => 'unsigned', publicKeys: async () => ({ keys: [] }) }

export function createCandidate(parts: CandidateParts): Candidate {
  const { live, metrics, log, elapsed, later = (work) => void setImmediate(work) } = parts
  const bounds = { ...BOUNDS, ...parts.bounds }
  const report = createReport()
  const differed = reporting(report, metrics, tellDifferences(log, elapsed))
  const stagesOfOne = createStagesOfOne()
  const { skipped, skip } = countingSkips(metrics)
  const waiting = createTurns<Offered>(later, elapsed, consider)
  // failed credentials are counted for the candidate alone, and uses of keys by the live policy
  const credentials = { ...parts.credentials, uses: NO_KEY_USES, failures: createFailedCredentials() }
  let snapshot: (Snapshot & { readonly mostUnderWay: number }) | undefined
  let comparedWith: string | undefined
  const tellFault = tellingFaults(log, elapsed)
  const underWay = countingUnderWay()

  function failed(fault: unknown): void {
    skip('fault')
    tellFault(fault)
  }

  function consider(offered: Offered): void {
    const { stages } = offered
    try {
      const before = stagesOfOne.before(stages)
      const work = before ? before.then(() => decideOne(offered)) : decideOne(offered)
      if (work instanceof Promise) stagesOfOne.underWay(stages, underWay.wait(work.catch(failed)))
    } catch (fault) {
      failed(fault)
    }
  }

  function decideOne(offered: Offered): MaybePromise<void> {
    const { stages, at } = offered
    if (!snapshot || stagesOfOne.isOver(stages)) return
    // nobody can tell ahead which would have been answered at once
    if (underWay.count() >= snapshot.mostUnderWay) return skip('busy')
    const { version } = snapshot.policy
    const decided = decide(stayingRequest(offered.request), { ...snapshot, now: at, ...(stages && { stages }) })
    return after(decided, (candidate) => compare(offered, candidate, version))
  }

  function compare({ decided, stages, at, by }: Offered, candidate: Decision, version: string): void {
    metrics.decided(candidate)
    if (candidate.decision === 'deny') stagesOfOne.refused(stages)
    const now = live.policy.version
    if (comparedWith !== now) report.restart()
    comparedWith = now
    // either may have been replaced meanwhile, and what is reported is of one pair
    if (version !== snapshot?.policy.version || by !== now) return
    const found = stagesOfOne.untold(stages, differencesOf(decided, candidate))
    if (found.length === 0) report.agreed()
    else differed(exampleOf(at, decided, candidate, found))
  }

  return {
    offer(offered) {
      if (!snapshot) return
      // what was decided for nobody says something of the gateway, not of the policy
      if (offered.request.abandoned?.()) return skip('abandoned')
      if (waiting.size() >= bounds.waiting) return skip('busy')
      waiting.add(offered)
    },
    replace(policy) {
      const keySets = new Map([...(snapshot?.credentials.keySets ?? []), ...live.keySets()])
      const next = snapshotOf(policy, { ...parts, credentials }, createTokenMemory(), snapshot, { keySets })
      // a provider that is asked too much answers with defaults, which would look like differences
      const mostUnderWay = Math.min(bounds.underWay, Math.floor(MOST_UNDER_WAY / evaluationsOfOne(policy)))
      snapshot = { ...next, identityTokens: policy.identity.token && UNSIGNED, mostUnderWay }
      report.restart()
    },
    get version() {
      return snapshot?.policy.version
    },
    compared: () => ({ ...report.read(), skipped: { ...skipped } }),
  }
}

/** What waits is worked on a few at a time; whatever has come to the process meanwhile goes before the rest. */
function createTurns<T>(later: (work: () => void) => void, elapsed: () => number, work: (one: T) => void) {
  const waiting: T[] = []
  function goOn(): void {
    const until = elapsed() + TURN_MS
    let done = 0
    for (const one of waiting.slice(0, AT_A_TIME)) {
      work(one)
      done += 1
      if (elapsed() >= until) break
    }
    waiting.splice(0, done)
    if (waiting.length > 0) later(goOn)
  }
  return {
    size: () => waiting.length,
    add(one: T): void {
      waiting.push(one)
      if (waiting.length === 1) later(goOn)
    },
  }
}

function countingUnderWay() {
  let count = 0
  return {
    count: () => count,
    /** `work` never rejects. */
    async wait(work: Promise<void>): Promise<void> {
      count += 1
      await work
      count -= 1
    },
  }
}

function countingSkips(metrics: Pick<CandidateMetrics, 'skipped'>) {
  const skipped = { busy: 0, abandoned: 0, fault: 0 }
  return {
    skipped,
    skip(because: SkippedBecause): void {
      skipped[because] += 1
      metrics.skipped(because)
    },
  }
}

/** Each difference is counted, kept among the latest and logged. */
function reporting(
  report: Pick<ReturnType<typeof createReport>, 'differed'>,
  metrics: Pick<CandidateMetrics, 'differs'>,
  tell: (example: Example) => void,
): (example: Example) => void {
  return (example) => {
    const { differences, live, candidate } = example
    for (const { kind } of differences) metrics.differs(kind, live.reason, candidate.reason)
    report.differed(example)
    tell(example)
  }
}

const FAULT_PAUSE_MS = 10_000

/** Whatever fails at each request is told once in a while. */
function tellingFaults(log: Pick<Log, 'fault'>, elapsed: () => number): (fault: unknown) => void {
  let quietUntil = Number.NEGATIVE_INFINITY
  return (fault) => {
    if (elapsed() < quietUntil) return
    quietUntil = elapsed() + FAULT_PAUSE_MS
    log.fault('the candidate policy could not decide', fault)
  }
}

/** The gateway has its answer, and may well be gone. */
function stayingRequest({ abandoned: _, timeLeftMs: __, ...request }: GatewayRequest): GatewayRequest {
  return request
}
