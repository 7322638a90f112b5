/** From the core's decision to Envoy's CheckResponse. It translates and decides nothing. */
import { clientHeaders, decisionFacts, denialBody } from '../core/answer.ts'
import { type Allow, DENIALS, type Decision, type Deny } from '../core/decision.ts'
import { backendHeaders, headersToRemove } from '../core/identity/headers.ts'
import type { HeaderEntry } from '../core/limits/headers.ts'
import type { CheckResponse, HeaderValueOption, StructValue } from './messages.ts'

/** Envoy appends a response header unless told otherwise, and the client would read the backend's `ratelimit` beside ours. */
const OVERWRITE_IF_EXISTS_OR_ADD = 2

const PASS = { code: 0 } as const

/**
 * Anything that is not text of one header line (RFC 9110 §5.5). Without `validate_mutations` Envoy would write a line break
 * through to the client, as a header more.
 */
const NOT_A_VALUE = /[^\t\x20-\x7e\x80-\uffff]/

/** Translates a decision. Throws when a header of ours could not be sent as it is: then we are broken, and Envoy fails closed. */
export function applyDecision(decision: Decision): CheckResponse {
  return decision.decision === 'allow' ? pass(decision) : refuse(decision)
}

function pass(allow: Allow): CheckResponse {
  const trusted = headersOf(allow)
  return {
    status: PASS,
    okResponse: {
      headers: headerOptions(trusted),
      headersToRemove: headersToRemove(allow, trusted),
      responseHeadersToAdd: headerOptions(clientHeaders(allow)),
    },
    dynamicMetadata: metadataOf(allow),
  }
}

/** For backends, and one for Envoy's routes, which go by it where Envoy lacks the upstream; its virtual host takes that one away. */
function headersOf(allow: Allow): readonly HeaderEntry[] {
  const told = backendHeaders(allow)
  return allow.fallback === undefined ? told : [...told, ['x-tenantgate-fallback', allow.fallback]]
}

function refuse(deny: Deny): CheckResponse {
  const { status, grpcStatus } = DENIALS[deny.reason]
  return {
    status: { code: grpcStatus },
    deniedResponse: { status: { code: status }, headers: headerOptions(clientHeaders(deny)), body: denialBody(deny) },
    dynamicMetadata: metadataOf(deny),
  }
}

function headerOptions(headers: readonly HeaderEntry[]): HeaderValueOption[] {
  const options: HeaderValueOption[] = []
  for (const [key, value] of headers) {
    if (NOT_A_VALUE.test(value)) throw new Error(`the value for the header ${key} is not one line of text`)
    options.push({ header: { key, value }, appendAction: OVERWRITE_IF_EXISTS_OR_ADD })
  }
  return options
}

function metadataOf(decision: Decision): CheckResponse['dynamicMetadata'] {
  const fields: Record<string, StructValue> = {}
  const facts = decisionFacts(decision)
  for (const name in facts) {
    const fact = facts[name]
    if (fact !== undefined) fields[name] = typeof fact === 'number' ? { numberValue: fact } : { stringValue: fact }
  }
  return { fields }
}
