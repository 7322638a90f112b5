/** Answers of the administration: JSON, and problems (RFC 9457) with a stable code. */
import type { ServerResponse } from 'node:http'

export interface Done {
  readonly ok: true
  /** Beyond 299 where another protocol says in its own words what is wrong. */
  readonly status: 200 | 201 | 304 | 400 | 404 | 500
  readonly body: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

export interface Problem {
  readonly ok: false
  readonly code: Code
  /** For people; quotes nothing but names. */
  readonly detail: string
}

export type Answer = Done | Problem

const PROBLEMS = {
  malformed: [400, 'Bad Request'],
  ambiguous_limit: [400, 'Bad Request'],
  ambiguous_bucket: [400, 'Bad Request'],
  invalid_token: [401, 'Unauthorized'],
  forbidden_host: [403, 'Forbidden'],
  forbidden_origin: [403, 'Forbidden'],
  not_found: [404, 'Not Found'],
  unknown_tenant: [404, 'Not Found'],
  unknown_credential: [404, 'Not Found'],
  unknown_issuer: [404, 'Not Found'],
  unknown_limit: [404, 'Not Found'],
  unknown_flag: [404, 'Not Found'],
  unknown_route: [404, 'Not Found'],
  method_not_allowed: [405, 'Method Not Allowed'],
  id_taken: [409, 'Conflict'],
  too_many_switches: [409, 'Conflict'],
  credential_revoked: [409, 'Conflict'],
  credential_expired: [409, 'Conflict'],
  rotation_under_way: [409, 'Conflict'],
  too_large: [413, 'Content Too Large'],
  unsupported_media_type: [415, 'Unsupported Media Type'],
  too_many_failures: [429, 'Too Many Requests'],
  busy: [429, 'Too Many Requests'],
  broken: [500, 'Internal Server Error'],
  not_recorded: [503, 'Service Unavailable'],
  store_unavailable: [503, 'Service Unavailable'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type Code = keyof typeof PROBLEMS

export const done = (status: Done['status'], body: Done['body'], headers: Done['headers'] = {}): Done => {
  return { ok: true, status, body, headers }
}
export const problem = (code: Code, detail: string): Problem => ({ ok: false, code, detail })

/** Headers by code, where RFC 9110 or RFC 6750 wants one. */
const HEADERS: Partial<Record<Code, Readonly<Record<string, string>>>> = {
  invalid_token: { 'www-authenticate': 'Bearer realm="administration"' },
  too_many_failures: { 'retry-after': '1' },
  busy: { 'retry-after': '1' },
}

/** Ends the response. After a problem the connection ends too: a body that nobody has read would stand before the next request. */
export function send(
  response: ServerResponse,
  answer: Answer,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const [status, type, body] = answer.ok
    ? ([answer.status, 'json', answer.body] as const)
    : problemParts(answer, requestId)
  const text = JSON.stringify(body)
  // RFC 9110 §15.4.5: a 304 has no content
  const content = status === 304 ? '' : text
  response.writeHead(status, {
    ...(status !== 304 && { 'content-type': `application/${type}`, 'content-length': Buffer.byteLength(content) }),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
    ...(answer.ok ? answer.headers : { connection: 'close', ...HEADERS[answer.code] }),
    ...headers,
  })
  response.end(content)
}

function problemParts({ code, detail }: Problem, requestId: string) {
  const [status, title] = PROBLEMS[code]
  return [status, 'problem+json', { type: 'about:blank', title, status, detail, code, requestId }] as const
}
