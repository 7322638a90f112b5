/** Whether an answer is what a case expects, and whether it keeps the laws that hold for every answer. */
import { type Item, parseList } from 'structured-headers'
import { expect } from 'vitest'
import { IDENTITY_HEADERS } from '../../core/identity/headers.ts'
import type { Reached } from './backends.ts'
import type { AtBackend, Expected, Wanted } from './case.ts'
import type { Answer } from './gateway.ts'

/** Throws an assertion's error that says what differs. */
export function checkAnswer(answer: Answer, expected: Expected, secrets: readonly string[]): void {
  if (expected.orRefused?.includes(answer.status)) expect(answer.reached, 'what reached a backend').toEqual([])
  else checkExpected(answer, expected)
  checkLaws(answer, secrets)
}

function checkExpected(answer: Answer, { status, code, headers = {}, body, backend }: Expected): void {
  const statuses = typeof status === 'number' ? [status] : status
  expect(statuses, `status: ${answer.body.slice(0, 300)}`).toContain(answer.status)
  if (code !== undefined) checkProblem(answer, code)
  for (const [name, wanted] of Object.entries(headers)) {
    checkValue(`header ${name} of the answer`, answer.headers[name], wanted)
  }
  if (body) expect(JSON.parse(answer.body), 'body').toMatchObject(body)
  if (backend === 'not reached') expect(answer.reached, 'what reached a backend').toEqual([])
  else checkBackend(answer.reached, backend)
}

/** RFC 9457, and what we promise beside it: the id by which the gateway's log knows the request, and that nobody stores it. */
function checkProblem({ status, headers, body }: Answer, code: string): void {
  expect(headers, 'header of a refusal').toMatchObject({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  })
  const problem: unknown = JSON.parse(body)
  expect(problem, 'problem').toMatchObject({ code, status, requestId: headers['x-request-id'] })
  for (const name of ['type', 'title', 'detail', 'requestId']) expect(problem).toHaveProperty(name, expect.any(String))
}

function checkBackend(reached: readonly Reached[], { upstream, path, trusted, headers = {} }: AtBackend): void {
  expect(
    reached.map((request) => request.upstream),
    'upstreams that were reached',
  ).toEqual([upstream])
  const [request] = reached
  if (!request) return
  if (path !== undefined) expect(request.path, 'path at the backend').toBe(path)
  if (trusted) expect(callerAt(request), 'what the backend is told of the caller').toEqual(trusted)
  for (const [name, wanted] of Object.entries(headers)) {
    const values = valuesAt(request, name)
    expect(values.length, `copies of ${name} at the backend`).toBeLessThanOrEqual(1)
    checkValue(`header ${name} at the backend`, values[0], wanted)
  }
}

function checkValue(what: string, value: string | undefined, wanted: Wanted): void {
  if (wanted === null) expect(value, what).toBeUndefined()
  else if (typeof wanted === 'string') expect(value, what).toBe(wanted)
  else expect(value, what).toMatch(wanted)
}

/** `X_Tenant-ID` → `x-tenant-id`: how servers with CGI-like variables read it. */
const folded = (name: string) => name.toLowerCase().replaceAll('_', '-')
const IDENTITY = new Set<string>(IDENTITY_HEADERS)

function valuesAt({ headers }: Reached, name: string): string[] {
  return headers.filter(([own]) => folded(own) === name).map(([, value]) => value)
}

function callerAt({ headers }: Reached): Record<string, string> {
  return Object.fromEntries(
    headers
      .map(([name, value]) => [folded(name), value] as const)
      .filter(([name]) => /^x-(?:tenant|user)-/.test(name) && IDENTITY.has(name)),
  )
}

function checkLaws(answer: Answer, secrets: readonly string[]): void {
  const { headers, body, reached } = answer
  for (const name of Object.keys(headers)) expect(IDENTITY.has(folded(name)), `${name} in the answer`).toBe(false)
  // the backends of the tests repeat what they were told; everything else was written by the gateway
  const written = JSON.stringify(reached.length === 0 ? [headers, body] : headers)
  for (const secret of secrets) expect(written.includes(secret), 'a credential stands in the answer').toBe(false)
  for (const field of ['ratelimit', 'ratelimit-policy']) checkLimitField(field, headers[field])
  for (const request of reached) checkIdentityHeaders(request)
}

/** Each at most once, in the one spelling that is ours, the upstream is the one that was reached, and what is for gateways is not there. */
function checkIdentityHeaders(request: Reached): void {
  const arrived = request.headers.map(([name]) => name).filter((name) => IDENTITY.has(folded(name)))
  expect(
    arrived.map((name) => name.toLowerCase()),
    'spellings at the backend',
  ).toEqual(arrived.map(folded))
  expect(new Set(arrived.map(folded)).size, `copies at the backend: ${arrived}`).toBe(arrived.length)
  const [upstream = request.upstream] = valuesAt(request, 'x-tenantgate-upstream')
  expect(upstream, 'x-tenantgate-upstream').toBe(request.upstream)
  expect(valuesAt(request, 'x-tenantgate-fallback'), 'x-tenantgate-fallback at the backend').toEqual([])
}

/** draft-ietf-httpapi-ratelimit-headers-10: a List of Strings (RFC 9651) with whole numbers for parameters. */
function checkLimitField(name: string, value: string | undefined): void {
  if (value === undefined) return
  const items = parseList(value) as Item[]
  expect(items.length, name).toBeGreaterThan(0)
  for (const [policy, parameters] of items) {
    expect(typeof policy, `${name}: ${value}`).toBe('string')
    expect([...parameters.keys()], name).toEqual(name === 'ratelimit' ? ['r', 't'] : ['q', 'w'])
    for (const amount of parameters.values()) expect(Number.isSafeInteger(amount), `${name}: ${value}`).toBe(true)
  }
}
