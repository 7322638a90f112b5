/** The real gate, standing still at the moment that the table is written for, with limits that can be forgotten. */
import { createGate, type Gate } from '../../cli/gate.ts'
import type { LimitStore } from '../../core/limits/limit.ts'
import type { Policy } from '../../core/policy.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import { NOON } from './credentials.ts'

export interface GateAtNoon {
  readonly gate: Gate
  /** Forgets what the limits have counted. */
  reset(): void
}

export function gateAtNoon(policy: Policy): GateAtNoon {
  let limits = createMemoryLimits()
  const latest: LimitStore = { take: (charges, now) => limits.take(charges, now) }
  return {
    gate: createGate(policy, { ...QUIET, limits: latest }),
    reset: () => {
      limits = createMemoryLimits()
    },
  }
}

const QUIET = {
  fetchKeys: () => Promise.reject(new Error('no case has an issuer that is asked over the network')),
  metrics: { decided() {}, policyLive() {} },
  log: { decisions: { allow: false, deny: false }, decided() {} },
  now: () => NOON * 1000,
  elapsed: () => performance.now(),
}
