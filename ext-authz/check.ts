/** Answers one Check. It knows no transport: a decoded message comes in, a message goes out. */
import type { Decision } from '../core/decision.ts'
import { after, type MaybePromise } from '../core/maybe-promise.ts'
import type { Asker, GatewayRequest } from '../core/request.ts'
import { applyDecision } from './apply-decision.ts'
import type { CheckRequest, CheckResponse } from './messages.ts'
import { readRequest } from './read-request.ts'

/** `asker` tells whether the peer still waits, and for how long. */
export type Check = (message: CheckRequest, asker?: Asker) => MaybePromise<CheckResponse>

/** A Check without attributes is decided like a request that says nothing: its path is not canonical, so that it is refused. */
const NOTHING: GatewayRequest = { id: '', method: '', host: '', path: '', headers: {}, clientAddress: '' }

/** A handler for Checks. It answers in the same tick when `decide` does; what it throws means that we are broken. */
export function createCheck(decide: (request: GatewayRequest) => MaybePromise<Decision>): Check {
  return (message, asker) => after(decide(readRequest(message, asker) ?? NOTHING), applyDecision)
}
