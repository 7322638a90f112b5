/** A decision told in full: what each stage found, and what the gateway, the backend and the client would be told. */
import { clientHeaders, decisionFacts } from './answer.ts'
import { decide, type Given } from './decide.ts'
import { DENIALS, type Decision, type ShadowDenial } from './decision.ts'
import type { Stage } from './explain.ts'
import { backendHeaders } from './identity/headers.ts'
import type { IdentityTokens } from './identity/token.ts'
import type { GatewayRequest } from './request.ts'

/** What `explain` prints as JSON, after the facts of the decision. Never a credential. */
export interface Explained {
  readonly decision: Decision['decision']
  /** The HTTP status that the client would see; 200 for an allow. */
  readonly status: number
  readonly because?: string
  readonly shadow?: readonly ShadowDenial[]
  readonly stages: readonly { readonly stage: Stage; readonly found: string }[]
  /** Of which buckets the numbers are. */
  readonly limits: string
  readonly toBackend: Readonly<Record<string, string>>
  readonly toClient: Readonly<Record<string, string>>
}

/** Nobody is to be let in by what is told here. */
const UNSIGNED: IdentityTokens = { of: () => '(a signed token)', publicKeys: async () => ({ keys: [] }) }

/** Decides by what is given, which is charged and told what it would be by a request: give what only looks. */
export async function explained(
  request: GatewayRequest,
  given: Omit<Given, 'explain' | 'identityTokens'>,
  limits: string,
): Promise<Explained> {
  const stages: { stage: Stage; found: string }[] = []
  const decision = await decide(request, {
    ...given,
    identityTokens: given.policy.identity.token && UNSIGNED,
    explain: (stage, found) => void stages.push({ stage, found }),
  })
  return {
    ...decisionFacts(decision),
    decision: decision.decision,
    status: decision.decision === 'allow' ? 200 : DENIALS[decision.reason].status,
    ...(decision.decision === 'deny' && { because: decision.because }),
    ...(decision.shadow && { shadow: decision.shadow }),
    stages,
    limits,
    toBackend: decision.decision === 'allow' ? Object.fromEntries(backendHeaders(decision)) : {},
    toClient: Object.fromEntries(clientHeaders(decision)),
  }
}
