/** Stages and routes that only observe: what they would have refused is noted, and the request goes on. */

import type { Principal } from './credentials/principal.ts'
import { isRefusal, type Refusal } from './credentials/verdict.ts'
import type { ShadowDenial } from './decision.ts'
import { STAGE_OF } from './explain.ts'
import type { Policy, Route, ShadowStage } from './policy.ts'

/** What is known of a request, and what shadow has let through so far. */
interface Observed {
  readonly policy: Policy
  readonly route?: Route | undefined
  readonly principal?: Principal | undefined
  shadow?: readonly ShadowDenial[] | undefined
}

declare const ENFORCED: unique symbol
/** A refusal that is acted on. A type of its own: what is not acted on may be a refusal still. */
type Enforced = Refusal & { readonly [ENFORCED]: true }

/** Whether what a stage has found is a refusal, and is acted on. One that is only observed is noted. */
export function isEnforced(passed: Observed, stage: ShadowStage, found: object | undefined): found is Enforced {
  if (!found || !isRefusal(found)) return false
  const { policy, route } = passed
  if (!policy.shadow.has(stage) && !(stage === 'authorization' && route?.mode === 'shadow')) return true
  // who was let through without a credential lacks every right: that is the same refusal, and not a second one
  const isConsequence =
    stage === 'authorization' &&
    !passed.principal &&
    passed.shadow?.some(({ reason }) => STAGE_OF[reason] === 'credentials')
  if (!isConsequence) noteRefusal(passed, found)
  return false
}

/** Keeps what would have been refused, for logs, metrics and `explain`. */
export function noteRefusal(passed: Observed, { denied: reason, because }: Refusal): void {
  passed.shadow = [...(passed.shadow ?? []), { reason, because }]
}

/**
 * Where a request goes on that no route matches, while that is only observed: it costs one, and the gateway's own
 * routing applies.
 */
export const UNROUTED: Route = {
  name: '',
  match: { path: '', versions: [], methods: [], hosts: [] },
  anonymous: false,
  mode: 'enforce',
  require: { scopes: [], anyScope: [], roles: [], anyRole: [] },
  cost: 1,
  limits: [],
  upstream: undefined,
}
