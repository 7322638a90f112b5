/** The checks of the table notice what they are there for: one good answer, and every way of spoiling it. */
import { describe, expect, it } from 'vitest'
import { ACME_KEY, ORDER } from './callers.ts'
import { reaches, refused } from './case.ts'
import { checkAnswer } from './check.ts'
import type { Answer } from './gateway.ts'

const SECRET = 'tg_test_secret'

const told = [
  ['X-Tenant-Id', 'acme'],
  ['x-tenant-plan', 'enterprise'],
  ['x-user-scopes', 'orders:read,orders:write'],
  ['x-tenantgate-upstream', 'orders-beta'],
] as const
const reached = { upstream: 'orders-beta', method: 'GET', path: ORDER, headers: told }
const limits = { ratelimit: '"burst";r=2;t=1', 'ratelimit-policy': '"burst";q=3;w=3, "daily";q=10;w=86400' }
const allowed: Answer = { status: 200, headers: limits, body: `{"x-api-key":"${SECRET}"}`, reached: [reached] }
const expected = reaches('orders-beta', ACME_KEY, { path: ORDER, headers: { 'x-other': null } })

const withHeaders = (...more: (readonly [string, string])[]): Partial<Answer> => ({
  reached: [{ ...reached, headers: [...told, ...more] }],
})

describe('an answer of a backend', () => {
  it('passes when all is as it should be', () => {
    expect(() => checkAnswer(allowed, expected, [SECRET])).not.toThrow()
  })

  const spoilt: [fault: string, Partial<Answer>][] = [
    ['another status', { status: 204 }],
    ['another upstream', { reached: [{ ...reached, upstream: 'orders-stable' }] }],
    ['no backend', { reached: [] }],
    ['two requests at the backend', { reached: [reached, reached] }],
    ['another path', { reached: [{ ...reached, path: '/v1/orders/2' }] }],
    ['an identity header too few', { reached: [{ ...reached, headers: told.slice(1) }] }],
    ['an identity header too many', withHeaders(['x-user-id', 'liar'])],
    ['an identity header twice', withHeaders(['x-tenant-id', 'acme'])],
    ['an identity header with underscores beside ours', withHeaders(['x_tenant_id', 'acme'])],
    ['an identity header with another value', withHeaders(['X_TENANT_PLAN', 'liar'])],
    ['a routing header that somebody else set', withHeaders(['x-tenantgate_upstream', 'orders-canary'])],
    ['what gateways alone are told', withHeaders(['x-tenantgate-fallback', 'orders-stable'])],
    ['a header that must not be there', withHeaders(['X_Other', '1'])],
    ['an identity header in the answer', { headers: { ...limits, 'x-tenant-id': 'acme' } }],
    ['its underscore twin in the answer', { headers: { ...limits, x_tenant_id: 'acme' } }],
    ['a credential in a header of the answer', { headers: { ...limits, location: `/?key=${SECRET}` } }],
    ['a limit field that is no structured field', { headers: { ...limits, ratelimit: 'burst;r=2;t=1;;' } }],
    ['a limit whose name is no String', { headers: { ...limits, ratelimit: 'burst;r=2;t=1' } }],
    ['a limit without its time', { headers: { ...limits, ratelimit: '"burst";r=2' } }],
    ['a limit with a fraction', { headers: { ...limits, ratelimit: '"burst";r=2;t=1.5' } }],
  ]
  it.each(spoilt)('does not pass with %s', (_, fault) => {
    expect(() => checkAnswer({ ...allowed, ...fault }, expected, [SECRET])).toThrow()
  })
})

describe('a request that a gateway need not understand', () => {
  const wanted = { ...expected, orRefused: [400] }

  it('may be refused, and may reach the backend as any other', () => {
    expect(() => checkAnswer({ ...allowed, status: 400, body: '', reached: [] }, wanted, [SECRET])).not.toThrow()
    expect(() => checkAnswer(allowed, wanted, [SECRET])).not.toThrow()
  })

  it('does not pass when it is refused in another way, or reaches a backend all the same', () => {
    expect(() => checkAnswer({ ...allowed, status: 404, body: '', reached: [] }, wanted, [SECRET])).toThrow()
    expect(() => checkAnswer({ ...allowed, status: 400 }, wanted, [SECRET])).toThrow()
    expect(() => checkAnswer({ ...allowed, body: '', reached: [] }, wanted, [SECRET])).toThrow()
  })
})

const problem = {
  type: 'about:blank',
  title: 'T',
  status: 401,
  detail: 'D',
  code: 'missing_credential',
  requestId: 'r',
}
const headers = {
  'content-type': 'application/problem+json',
  'cache-control': 'no-store',
  'x-request-id': 'r',
  'www-authenticate': 'Bearer',
}
const denied: Answer = { status: 401, headers, body: JSON.stringify(problem), reached: [] }

describe('a refusal', () => {
  const wanted = refused(401, 'missing_credential', {
    headers: { 'www-authenticate': /^Bearer/, 'retry-after': null },
    body: { detail: 'D' },
  })

  it('passes when all is as it should be', () => {
    expect(() => checkAnswer(denied, wanted, [SECRET])).not.toThrow()
  })

  const without = (name: string) => Object.fromEntries(Object.entries(problem).filter(([own]) => own !== name))
  const body = (members: object) => ({ body: JSON.stringify(members) })
  const spoilt: [fault: string, Partial<Answer>][] = [
    ['a backend that was reached all the same', { reached: [reached] }],
    ['another status', { status: 403 }],
    ['another status in the body', body({ ...problem, status: 403 })],
    ['another code', body({ ...problem, code: 'invalid_credential' })],
    ['another request id', body({ ...problem, requestId: 'other' })],
    ['another detail', body({ ...problem, detail: 'E' })],
    ['no title', body(without('title'))],
    ['no type', body(without('type'))],
    ['a body that is no JSON', { body: 'Unauthorized' }],
    ['a credential in its body', body({ ...problem, title: `not ${SECRET}` })],
    ['another type of content', { headers: { ...headers, 'content-type': 'application/json' } }],
    ['leave to store it', { headers: { ...headers, 'cache-control': 'private' } }],
    ['another challenge', { headers: { ...headers, 'www-authenticate': 'Basic' } }],
    ['a header that must not be there', { headers: { ...headers, 'retry-after': '1' } }],
  ]
  it.each(spoilt)('does not pass with %s', (_, fault) => {
    expect(() => checkAnswer({ ...denied, ...fault }, wanted, [SECRET])).toThrow()
  })
})
