/** What became of a fuzzed request at one gateway, in words that belong to none. */

import { createCredentials } from '../../core/credentials/authenticate.ts'
import type { Stages } from '../../core/decide.ts'
import { decide, type Given } from '../../core/decide.ts'
import type { Decision } from '../../core/decision.ts'
import type { Flags } from '../../core/flags/evaluate.ts'
import { createFlags } from '../../core/flags/evaluate.ts'
import type { MaybePromise } from '../../core/maybe-promise.ts'
import type { GatewayRequest } from '../../core/request.ts'
import { createFailedCredentials } from '../../stores/failed-credentials.ts'
import { createMemoryLimits } from '../../stores/memory-limits.ts'
import type { Fields } from '../kong/harness/lua-host.ts'
import { NOON, partsOf } from '../support/gate.ts'
import { BLOCKED_ADDRESS, type FuzzRequest } from './request.ts'
import type { World } from './world.ts'

export interface Outcome {
  /** Undefined where the gateway has answered by itself, or its guard has. */
  readonly decision?: Decision
  readonly status: number
  /** Of a refusal, and what is added to an allowed answer; names in lower case. */
  readonly answer: Readonly<Record<string, string>>
  readonly body: string
  /** What a backend would be sent, where one is. Texts. */
  readonly backend?: Fields
}

/** A gateway of the fuzzer, with a memory of its own. */
export interface FuzzedGateway {
  readonly name: string
  /** Forgets all that it has counted and verified. */
  reset(): void
  /** Undefined where the gateway lets no such bytes in. Rejects when we are broken. */
  send(request: FuzzRequest): Promise<Outcome | undefined>
}

/** Decides at noon, keeps what it has decided last, and can forget everything. */
export interface Brain {
  decide(request: GatewayRequest, stages?: Stages): MaybePromise<Decision>
  /** The decision since the last call. */
  take(): Decision | undefined
  reset(): void
}

export function createBrain({ policy }: World): Brain {
  const flags = createFlags(policy.flags?.definition)
  let given = freshGiven(policy, flags)
  let last: Decision | undefined
  const keep = (decision: Decision) => {
    last = decision
    return decision
  }
  return {
    decide(request, stages) {
      const decision = decide(request, { ...given, ...(stages && { stages }) })
      return decision instanceof Promise ? decision.then(keep) : keep(decision)
    },
    take() {
      const taken = last
      last = undefined
      return taken
    },
    reset() {
      given = freshGiven(policy, flags)
    },
  }
}

function freshGiven(policy: World['policy'], flags: Flags): Given {
  const failures = createFailedCredentials()
  const rule = policy.identity.failedCredentials
  for (let left = rule?.burst ?? 0; rule && left > 0; left -= 1) failures.failed(BLOCKED_ADDRESS, rule, NOON)
  // small ones: the real ones set room aside when they are made, and these are made for each case
  const memory = { verified: new Map(), refused: new Map(), introspected: new Map() }
  const credentials = createCredentials(policy, partsOf({ failures, ...memory }))
  return { policy, credentials, limits: createMemoryLimits(), flags, now: NOON }
}
