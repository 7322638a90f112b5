/** Answers one Check. It knows no transport: a decoded message comes in, a message goes out. */
import type { Decision } from '../core/decision.ts'
import { after, type MaybePromise } from '../core/maybe-promise.ts'
import type { GatewayRequest } from '../core/request.ts'
import { applyDecision } from './apply-decision.ts'
import type { CheckRequest, CheckResponse } from './messages.ts'
import { readRequest } from './read-request.ts'

/** `abandoned` tells whether the peer still waits. */
export type Check = (message: CheckRequest, abandoned?: () => boolean) => MaybePromise<CheckResponse>

/** A Check without attributes is decided like a request that says nothing: its path is not canonical, so that it is refused. */
const NOTHING: GatewayRequest = { id: '', method: '', host: '', path: '', headers: {}, clientAddress: '' }

/** A handler for Checks. It answers in the same tick when `decide` does; what it throws means that we are broken. */
export function createCheck(decide: (request: GatewayRequest) => MaybePromise<Decision>): Check {
  return (message, abandoned) => after(decide(readRequest(message, abandoned) ?? NOTHING), applyDecision)
}
