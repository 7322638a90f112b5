/** What a client is answered when no plugin could decide about its request. */
import { DENIALS } from '../../core/decision.ts'

/** The arguments of `kong.response.exit`. */
export type Refusal = readonly [status: number, body: string, headers: Readonly<Record<string, string>>]

const HEADERS = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }

const { status, title, detail } = DENIALS.dependency_unavailable

/** The request's id is not ours to know here; Kong sends it as a header. */
export const UNAVAILABLE: Refusal = [
  status,
  JSON.stringify({ type: 'about:blank', title, status, detail, code: 'dependency_unavailable' }),
  HEADERS,
]

/** RFC 6585 §5. */
export const TOO_LARGE: Refusal = [
  431,
  JSON.stringify({
    type: 'about:blank',
    title: 'Request Header Fields Too Large',
    status: 431,
    detail: 'The request says more than can be read.',
    code: 'malformed_request',
  }),
  HEADERS,
]
