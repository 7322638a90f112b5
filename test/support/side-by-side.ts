/** A live gate with a candidate beside it, in memory: the clock stands where the test puts it, and waiting work waits for the test. */
import {
  type Bounds,
  type Candidate,
  type CandidateParts,
  createCandidate,
} from '../../cli/service/candidate/candidate.ts'
import { offering } from '../../cli/service/candidate/offering.ts'
import { createGate, type Gate, type GateParts } from '../../cli/service/gate.ts'
import type { Example } from '../../core/candidate/report.ts'
import type { CredentialParts } from '../../core/credentials/authenticate.ts'
import { NOTHING_OFF } from '../../core/flags/switches.ts'
import type { Policy } from '../../core/policy.ts'
import { createFailedCredentials } from '../../stores/failed-credentials.ts'
import { createKeyUses } from '../../stores/key-uses.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { createThrottle } from '../../stores/throttle.ts'
import { createAudit } from '../../telemetry/audit.ts'
import { createLog } from '../../telemetry/log.ts'
import { createMetrics, type Metrics } from '../../telemetry/metrics.ts'
import { NOON, partsOf } from './gate.ts'

export interface Clock {
  now: number
}

export interface Alone {
  readonly gate: Gate
  readonly metrics: Metrics
  /** What was logged, audited and counted as usage. */
  readonly told: string[]
  readonly uses: ReturnType<typeof createKeyUses>
  readonly limits: GateParts['limits']
  readonly parts: GateParts
}

export interface SideBySide extends Alone {
  readonly candidate: Candidate
  /** Each difference, in the order in which they were found. */
  readonly examples: Example[]
  readonly faults: unknown[]
  /** How many offers wait for the next turn. */
  readonly turns: (() => void)[]
  /** Lets the candidate do what waits. */
  catchUp(): Promise<void>
}

export type More = Partial<Omit<CredentialParts, 'failures' | 'uses'>>

/** What a service has, with every trace that a decision may leave. */
export function aloneWith(policy: Policy, clock: Clock, more: More = {}): Alone {
  const told: string[] = []
  const sink = { write: (line: string) => void told.push(line), lost: 0, reopen() {}, close: async () => {} }
  const [metrics, uses, limits] = [createMetrics(() => clock.now), createKeyUses(), createMemoryLimits()]
  const parts: GateParts = {
    limits,
    throttle: createThrottle({ now: () => clock.now, elapsed: () => clock.now, onDelayed: () => {} }),
    credentials: partsOf({ ...more, failures: createFailedCredentials(), uses }),
    metrics,
    log: createLog('debug', { write: (line: string) => void told.push(line.replace(/"time":"[^"]*",/, '')) }),
    audit: createAudit(sink, () => clock.now),
    usage: { count: (use) => void told.push(JSON.stringify(use)) },
    signingKey: () => {
      throw new Error('the policy names a key')
    },
    switches: NOTHING_OFF,
    now: () => clock.now,
    elapsed: () => clock.now,
  }
  return { gate: createGate(policy, parts), metrics, told, uses, limits, parts }
}

export function sideBySide(
  live: Policy,
  candidatePolicy: Policy | undefined,
  clock: Clock = { now: NOON },
  { bounds, more, parts }: { bounds?: Partial<Bounds>; more?: More; parts?: Partial<CandidateParts> } = {},
): SideBySide {
  const alone = aloneWith(live, clock, more)
  let second = 0
  const [turns, examples, faults]: [(() => void)[], Example[], unknown[]] = [[], [], []]
  const candidate = createCandidate({
    ...alone.parts,
    live: alone.gate,
    limits: createMemoryLimits(),
    metrics: alone.metrics.addCandidate(),
    log: {
      candidateDiffers: (example) => void examples.push(example),
      fault: (_what, fault) => void faults.push(fault),
    },
    // each line is written: how many are is another matter
    elapsed: () => {
      second += 1000
      return second
    },
    later: (work) => void turns.push(work),
    ...(bounds && { bounds }),
    ...parts,
  })
  if (candidatePolicy) candidate.replace(candidatePolicy)
  return {
    ...alone,
    gate: offering(alone.gate, candidate, () => clock.now),
    candidate,
    examples,
    faults,
    turns,
    async catchUp() {
      for (const turn of turns) turn()
      turns.length = 0
      // what waits for promises that are settled goes on
      await new Promise(setImmediate)
      if (turns.length > 0) await this.catchUp()
    },
  }
}

/** The samples of a scrape whose names begin so, those that are not 0, by name and labels. */
export async function samples(metrics: Metrics, prefix: string): Promise<Readonly<Record<string, number>>> {
  const { text } = await metrics.scrape()
  const lines = text.split('\n').filter((line) => line.startsWith(prefix))
  const read = lines.map(
    (line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))] as const,
  )
  return Object.fromEntries(read.filter(([, value]) => value !== 0))
}
