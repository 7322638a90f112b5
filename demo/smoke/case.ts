/** What a check of the smoke test is, and how most of them are written: one request, and what must come back. */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { Stack } from '../stack.ts'
import { type Answer, type Ask, exchange } from './exchange.ts'

export interface Case {
  /** What is guaranteed, as a sentence. */
  readonly name: string
  /** Rejects, with words that say what was wrong, when it does not hold. */
  check(stack: Stack): Promise<void>
}

export interface Expected {
  readonly status: number
  /** The `code` of a refusal; such an answer must be problem+json of the same status with the request's id. */
  readonly code?: string
  /** Which backend answered; `none` when it must not be one. */
  readonly from?: string
  /** Headers that the backend must have got exactly once, with these values. */
  readonly atBackend?: Readonly<Record<string, string>>
  /** Headers that the backend must not have got, in any spelling. */
  readonly notAtBackend?: readonly string[]
  /** Headers of the answer: an exact value, a pattern, or `true` for any. */
  readonly headers?: Readonly<Record<string, string | RegExp | true>>
}

type FromStack<T> = T | ((stack: Stack) => T)

/** A case of one request. */
export function asks(name: string, ask: FromStack<Ask>, expected: Expected): Case {
  return {
    name,
    async check(stack) {
      const answer = await exchange(stack.port, typeof ask === 'function' ? ask(stack) : ask)
      expectAnswer(answer, expected)
    },
  }
}

/** Throws an AssertionError that says what differs. */
export function expectAnswer(answer: Answer, expected: Expected): void {
  const { status, code, from, atBackend = {}, notAtBackend = [], headers = {} } = expected
  equal(answer.status, status, `status ${answer.status} instead of ${status}: ${answer.body.slice(0, 200)}`)
  if (code !== undefined) expectProblem(answer, code)
  if (from !== undefined) equal(answer.backend?.backend ?? 'none', from, `answered by ${answer.backend?.backend}`)
  for (const [name, value] of Object.entries(atBackend)) {
    deepEqual(receivedHeaders(answer, name), [value], `the backend got ${name}: ${receivedHeaders(answer, name)}`)
  }
  for (const name of notAtBackend) deepEqual(receivedHeaders(answer, name), [], `the backend got ${name}`)
  for (const [name, wanted] of Object.entries(headers)) expectHeader(answer, name, wanted)
}

function expectProblem({ status, headers, json, body }: Answer, code: string): void {
  equal(json.code, code, `code ${json.code} instead of ${code}`)
  match(headers['content-type'] ?? '', /^application\/problem\+json/, `content-type ${headers['content-type']}`)
  equal(json.status, status, `the body says status ${json.status}`)
  equal(json.requestId, headers['x-request-id'], `the body's request id is not the header's: ${body.slice(0, 200)}`)
  equal(headers['cache-control'], 'no-store', `cache-control ${headers['cache-control']}`)
}

function expectHeader({ headers }: Answer, name: string, wanted: string | RegExp | true): void {
  const value = headers[name]
  ok(value !== undefined, `the answer has no ${name}`)
  if (typeof wanted === 'string') equal(value, wanted, `${name}: ${value}`)
  else if (wanted !== true) match(value, wanted, `${name}: ${value}`)
}

/** The values that the backend got under a name, in any spelling: case, and underscores for hyphens. */
export function receivedHeaders({ backend }: Answer, name: string): string[] {
  const folded = (text: string) => text.toLowerCase().replaceAll('_', '-')
  return (backend?.headers ?? []).filter(([own]) => folded(own) === folded(name)).map(([, value]) => value)
}

/** Asks again until `holds`, because what it waits for happens when it happens. Rejects after `timeoutMs`. */
export async function eventually(what: string, holds: () => Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await holds())) {
    ok(Date.now() < deadline, `${what}: not within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
