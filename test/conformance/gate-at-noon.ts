/** The real gate, standing still at the moment that the table is written for, with limits that can be forgotten. */
import { createGate, type Gate } from '../../cli/service/gate.ts'
import type { FailedCredentials } from '../../core/credentials/attempt.ts'
import type { CredentialParts } from '../../core/credentials/authenticate.ts'
import { NO_KEY_USES, NO_RECORDS } from '../../core/credentials/records.ts'
import { NOTHING_OFF, type Switches } from '../../core/flags/switches.ts'
import type { LimitStore } from '../../core/limits/limit.ts'
import type { Policy } from '../../core/policy.ts'
import { createFailedCredentials } from '../../stores/failed-credentials.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { createThrottle } from '../../stores/throttle.ts'
import { NO_AUDIT } from '../../telemetry/audit.ts'
import { NOON } from './credentials.ts'

export interface GateAtNoon {
  readonly gate: Gate
  /** Forgets what limits and failed credentials have counted. */
  reset(): void
}

/** What a table may give the gate besides its policy: who answers about opaque tokens, what was revoked and switched off. */
export interface GivenParts extends Partial<Pick<CredentialParts, 'introspect' | 'records'>> {
  readonly switches?: Switches
}

export function gateAtNoon(policy: Policy, { switches = NOTHING_OFF, ...parts }: GivenParts = {}): GateAtNoon {
  let limits = createMemoryLimits()
  let failures = createFailedCredentials()
  const latest: LimitStore = {
    take: (...asked) => limits.take(...asked),
    look: (...asked) => limits.look(...asked),
    adjust: (...asked) => limits.adjust(...asked),
    bucket: (...asked) => limits.bucket(...asked),
    buckets: (...asked) => limits.buckets(...asked),
    reset: (...asked) => limits.reset(...asked),
  }
  const latestFailures: FailedCredentials = {
    blockedForMs: (address, rule, now) => failures.blockedForMs(address, rule, now),
    failed: (address, rule, now) => failures.failed(address, rule, now),
    begin: (address, rule, now) => failures.begin(address, rule, now),
    end: (address) => failures.end(address),
    beginLookup: (address) => failures.beginLookup(address),
    endLookup: (address) => failures.endLookup(address),
  }
  return {
    gate: createGate(policy, {
      ...QUIET,
      limits: latest,
      throttle: createThrottle({ ...CLOCKS, onDelayed() {} }),
      credentials: { ...NO_PARTS, ...parts, failures: latestFailures },
      switches,
    }),
    reset: () => {
      limits = createMemoryLimits()
      failures = createFailedCredentials()
    },
  }
}

const NO_PARTS = {
  fetchKeys: () => Promise.reject(new Error('no case has an issuer that is asked over the network')),
  introspect: async () => ({ unavailable: 'no case has an endpoint that is asked over the network' }),
  records: NO_RECORDS,
  uses: NO_KEY_USES,
}

/** Time stands still for the limits; who is delayed waits in the time that passes. */
const CLOCKS = { now: () => NOON * 1000, elapsed: () => performance.now() }

const QUIET = {
  audit: NO_AUDIT,
  usage: { count() {} },
  metrics: { decided() {}, flagsAsked() {}, policyLive() {} },
  log: { decisions: { allow: false, deny: false }, decided() {} },
  signingKey: () => {
    throw new Error('the policy names a key')
  },
  ...CLOCKS,
}
