/** What rules are told of a request, and that nobody tells it but us. */
import { describe, expect, it } from 'vitest'
import { contextOf, type Subject, TIMESTAMP } from '../../../core/flags/context.ts'
import type { Policy, Route, Tenant } from '../../../core/policy.ts'
import { NOON, policyOf, requestOf } from '../../support/gate.ts'

const policy = { flags: { headers: ['x-app'] } } as unknown as Policy
const route = { name: 'orders' } as Route
const principal = { kind: 'jwt', credential: 'c', user: 'ann', roles: ['r'], scopes: [] } as const

const subject = (attributes: Tenant['attributes'], headers = {}): Subject => ({
  request: requestOf({ headers }),
  route,
  tenant: { id: 'acme', plan: 'pro', attributes } as Tenant,
  principal,
})

describe('the context', () => {
  it('is flat: attributes, headers that are named, and what the gateway itself knows', () => {
    expect(contextOf(subject({ beta: true }, { 'x-app': '2', 'x-other': '3' }), policy, 'user', NOON)).toEqual({
      beta: true,
      'header:x-app': '2',
      tenant: 'acme',
      plan: 'pro',
      user: 'ann',
      roles: ['r'],
      route: 'orders',
      targetingKey: 'ann',
      [TIMESTAMP]: NOON / 1000,
    })
  })

  it('no attribute stands in for what the gateway knows, for the time, or for a header that was not sent', () => {
    const lies = {
      tenant: 'x',
      plan: 'x',
      user: 'x',
      route: 'x',
      targetingKey: 'x',
      'header:x-app': 'x',
      [TIMESTAMP]: 0,
    }
    expect(contextOf(subject(lies), policy, 'tenant', NOON)).toEqual({
      ...contextOf(subject({}), policy, 'tenant', NOON),
    })
  })

  it('a policy whose tenants have such attributes is refused', () => {
    for (const name of ['header:x-app', TIMESTAMP]) {
      const text = `version: 1
plans: { free: { limits: [] } }
tenants: { acme: { plan: free, attributes: { "${name}": x } } }
routes: [{ name: all, match: { path: /** } }]`
      expect(() => policyOf(text)).toThrow('is what the gateway itself tells of a request')
    }
  })

  it('a user of more than 1,024 characters is nobody to flags, and the flag is kept to the tenant', () => {
    const seen = (length: number) => {
      const user = 'u'.repeat(length)
      const { user: told, targetingKey } = contextOf(
        { ...subject({}), principal: { ...principal, user } },
        policy,
        'user',
        NOON,
      )
      return [told === user, targetingKey === user, told, targetingKey]
    }
    expect(seen(1024).slice(0, 2)).toEqual([true, true])
    expect(seen(1025)).toEqual([false, false, '', 'acme'])
  })

  it('of nobody knows the route and the time; a header of more than 256 characters is not there', () => {
    const nobody = { ...subject({}, { 'x-app': 'v'.repeat(257) }), tenant: undefined, principal: undefined }
    expect(contextOf(nobody, policy, 'user', NOON)).toEqual({
      tenant: '',
      plan: '',
      user: '',
      roles: [],
      route: 'orders',
      targetingKey: '',
      [TIMESTAMP]: NOON / 1000,
    })
  })
})
