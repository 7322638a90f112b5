/** Stages and routes that only observe: what they would have refused is noted, and the request goes on. */
import type { Refusal } from './credentials/verdict.ts'
import type { ShadowDenial } from './decision.ts'
import { STAGE_OF } from './explain.ts'
import type { Policy, Route, ShadowStage } from './policy.ts'

/** What is known of a request, and what shadow has let through so far. */
interface Observed {
  readonly policy: Policy
  readonly route?: Route | undefined
  shadow?: readonly ShadowDenial[] | undefined
}

/** Whether `refusal` of this stage is only observed; then it is noted. */
export function isObserved(passed: Observed, stage: ShadowStage, refusal: Refusal): boolean {
  const { policy, route } = passed
  if (!policy.shadow.has(stage) && !(stage === 'authorization' && route?.mode === 'shadow')) return false
  const { denied: reason, because } = refusal
  const noted = passed.shadow ?? []
  // who was let through without a credential lacks every right: that is the same refusal, and not a second one
  const isConsequence = stage === 'authorization' && noted.some((earlier) => STAGE_OF[earlier.reason] === 'credentials')
  if (!isConsequence) passed.shadow = [...noted, { reason, because }]
  return true
}

/** Where a request goes on that no route matches, while that is only observed: it costs one, and the gateway's own routing applies. */
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
