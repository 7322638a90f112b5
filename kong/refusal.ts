/** What a client is answered when its request is refused: the arguments of `kong.response.exit`. */
import { clientHeaders, denialBody, type Refused } from '../core/answer.ts'
import { DENIALS, type DenyReason } from '../core/decision.ts'
import { assertValues } from './header-values.ts'

export interface Refusal {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** gRPC over HTTP/2, "Trailers-Only": 200, with the truth in `grpc-status`. Kong leaves both alone when the type says gRPC. */
const GRPC_ANSWER = { status: 200, type: 'application/grpc' } as const

/** Throws when a header could not be sent as it is: then we are broken. */
export function refusalOf(refused: Refused): Refusal {
  const headers = Object.fromEntries(clientHeaders(refused))
  assertValues(headers)
  if (refused.grpc)
    return { status: GRPC_ANSWER.status, body: '', headers: { ...headers, 'content-type': GRPC_ANSWER.type } }
  return { status: DENIALS[refused.reason].status, body: denialBody(refused), headers }
}

/** A refusal where no decision was made. What is away may be back in a moment. */
export function undecided(reason: DenyReason, requestId: string): Refusal {
  const { headers, ...refusal } = refusalOf({ decision: 'deny', reason, grpc: false, request: { id: requestId } })
  const isAway = reason === 'dependency_unavailable'
  return { ...refusal, headers: isAway ? { ...headers, 'retry-after': '1' } : headers }
}

/** RFC 6585 §5. What cannot be read whole cannot be judged. */
export function tooLarge(requestId: string): Refusal {
  const { body, headers } = undecided('malformed_request', requestId)
  const title = 'Request Header Fields Too Large'
  const problem = { ...JSON.parse(body), title, status: 431, detail: 'The header fields are too many or too long.' }
  return { status: 431, body: JSON.stringify(problem), headers }
}

/** The same refusal of a request whose id was not known before. */
export function withRequestId(refusal: Refusal, requestId: string): Refusal {
  if (refusal.body === '') return refusal
  return { ...refusal, body: JSON.stringify({ ...JSON.parse(refusal.body), requestId }) }
}
