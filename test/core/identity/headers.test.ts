/** What a policy has backends told, what is fit to be told, and what is taken off a request before it reaches one. */

import { describe, expect, it } from 'vitest'
import { backendHeaders, headersToRemove, policyHeaders } from '../../../core/identity/headers.ts'
import { UTC_CALENDAR } from '../../../core/limits/limit.ts'
import type { HeaderSource, Identity, Tenant } from '../../../core/policy.ts'
import { allowOf, requestOf } from '../../ext-authz/decisions.ts'
import { gateOf, newKey, policyOf } from '../../support/gate.ts'

const tenant: Tenant = {
  id: 'acme',
  aliases: [],
  plan: 'pro',
  status: 'active',
  calendar: UTC_CALENDAR,
  attributes: { region: 'eu', beta: true, seats: 40 },
  limits: [],
}
const base = allowOf().identity

function valueIn(source: HeaderSource, claims?: Record<string, unknown>): string | undefined {
  const identity = { ...base, headers: new Map([['x-user-thing', source]]) }
  const principal = { kind: 'jwt', credential: 'c', roles: [], scopes: [], ...(claims && { claims }) } as const
  return policyHeaders(identity, tenant, principal)[0]?.[1]
}

const claim = (...path: string[]): HeaderSource => ({ kind: 'claim', path })
const attribute = (name: string): HeaderSource => ({ kind: 'attribute', name })

describe('a header of the policy', () => {
  it.each([
    ['region', 'eu'],
    ['beta', 'true'],
    ['seats', '40'],
    ['colour', undefined],
    ['constructor', undefined],
  ])('tells an attribute of the tenant: %s', (name, value) => {
    expect(valueIn(attribute(name))).toBe(value)
  })

  it.each<[claims: Record<string, unknown>, value: string | undefined]>([
    [{ v: 'ann@acme.example' }, 'ann@acme.example'],
    [{ v: 'Acme Inc, Berlin' }, 'Acme Inc, Berlin'],
    [{ v: 7.5 }, '7.5'],
    [{ v: false }, 'false'],
    [{ v: ['a', 'b c'] }, 'a,b c'],
    [{ v: 'x'.repeat(1024) }, 'x'.repeat(1024)],
    [{ v: 'x'.repeat(1025) }, undefined],
    [{ v: ['a', 'b,admin'] }, undefined],
    [{ v: ['a', 7] }, undefined],
    [{ v: [] }, undefined],
    [{ v: '' }, undefined],
    [{ v: ' a' }, undefined],
    [{ v: 'a\r\nx-user-id: root' }, undefined],
    [{ v: 'a\tb' }, undefined],
    [{ v: 'Jürgen' }, undefined],
    [{ v: { a: 1 } }, undefined],
    [{ v: null }, undefined],
    [{}, undefined],
  ])('tells a claim, where it is fit for a header: %j', (claims, value) => {
    expect(valueIn(claim('v'), claims)).toBe(value)
  })

  it('finds a claim by its path, and none in a prototype', () => {
    expect(valueIn(claim('org', 'name'), { org: { name: 'acme' } })).toBe('acme')
    expect(valueIn(claim('constructor', 'name'), {})).toBeUndefined()
    expect(valueIn(claim('v'))).toBeUndefined()
  })
})

describe('in a decision', () => {
  const acme = newKey()
  const text = `
version: 1
identity:
  host: { suffix: .api.test }
  headers: { X-Tenant-Region: "attribute:region", x-user-email: "claim:email" }
plans: { none: { limits: [] } }
tenants: { acme: { plan: none, attributes: { region: eu }, apiKeys: [{ id: ci, hash: "${acme.hash}" }] } }
routes:
  - { name: all, match: { path: /** } }
  - { name: guests, match: { path: /guests }, anonymous: optional }
`
  const lies = { 'x-tenant-region': 'us', x_tenant_region: 'us', 'x-user_email': 'root@acme.example' }

  it('only a proven caller brings them, and a client’s own are taken away in every spelling', async () => {
    const { ask } = gateOf(policyOf(text))
    const told = async (request: Parameters<typeof ask>[0]) => {
      const decision = await ask(request)
      if (decision.decision !== 'allow') throw new Error(decision.because)
      const set = backendHeaders(decision)
      return { set: Object.fromEntries(set), removed: headersToRemove(decision, set) }
    }
    const known = await told({ path: '/a', headers: { ...lies, 'x-api-key': acme.key } })
    expect(known.set).toEqual({ 'x-tenant-id': 'acme', 'x-tenant-plan': 'none', 'x-tenant-region': 'eu' })
    expect(known.removed).toEqual(expect.arrayContaining(['x_tenant_region', 'x-user-email', 'x-user_email']))
    expect(known.removed).not.toContain('x-tenant-region')
    const guest = await told({ path: '/guests', host: 'acme.api.test', headers: lies })
    expect(guest.set).toEqual({ 'x-tenant-id': 'acme' })
    expect(guest.removed).toEqual(expect.arrayContaining([...Object.keys(lies), 'x-user-email']))
  })
})

describe('removeCredentials', () => {
  const headers = {
    'x-api-key': 'k',
    x_api_key: 'k',
    authorization: 'Bearer t',
    'x-forwarded-client-cert': 'By=a',
    x_forwarded_client_cert: 'By=a',
    cookie: 'c',
  }
  const removedBy = (more: Partial<Identity>, sent: Record<string, string> = headers) => {
    const identity = { ...base, removeCredentials: true, ...more }
    return headersToRemove(allowOf({ identity, request: requestOf(sent) }), [])
      .filter((name) => !/^x-(?:tenant|user)/.test(name))
      .sort()
  }
  const certificate = ['x-forwarded-client-cert', 'x_forwarded_client_cert']

  it('takes off what the policy looks at, in every spelling, and nothing else', () => {
    const keys = { header: 'x-api-key', bearer: false }
    expect(removedBy({ sources: ['apiKey'], apiKey: keys })).toEqual(['x-api-key', 'x_api_key'])
    expect(removedBy({ sources: ['jwt'] })).toEqual(['authorization'])
    expect(removedBy({ sources: ['opaqueToken'] })).toEqual(['authorization'])
    expect(removedBy({ sources: ['clientCertificate'], apiKey: keys })).toEqual(certificate)
    expect(removedBy({ sources: ['host'] })).toEqual([])
  })

  it('leaves an Authorization that is the backend’s own', () => {
    expect(removedBy({ sources: ['jwt'] }, { authorization: 'Basic YTpi' })).toEqual([])
  })

  it('takes off a header of another name, also one with underscores', () => {
    const apiKey = { header: 'my_key', bearer: false }
    expect(removedBy({ sources: ['apiKey'], apiKey }, { my_key: 'k', 'my-key': 'k' })).toEqual(['my-key', 'my_key'])
  })

  it('does so unseen too, in case the gateway hides headers from us', () => {
    expect(removedBy({ sources: ['apiKey', 'clientCertificate'] }, {})).toEqual([
      'x-api-key',
      'x-forwarded-client-cert',
    ])
  })

  it('is off unless the policy says so', () => {
    const names = headersToRemove(allowOf({ request: requestOf(headers) }), [])
    expect(names.filter((name) => name in headers)).toEqual([])
  })
})
