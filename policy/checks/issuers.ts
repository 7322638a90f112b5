/** Whether issuers are distinct, speak for tenants that exist, and at most one is asked about opaque tokens. */
import type { Fault } from '../problem.ts'
import type { PolicyFile } from '../schema.ts'
import { unknownName } from './tenants.ts'

/** Looking for the nearest name among all tenants is dear; nobody reads more. */
const ENOUGH = 50

export function checkIssuers({ issuers, tenants }: PolicyFile, tenantsElsewhere: boolean): readonly Fault[] {
  const faults = [...checkIntrospection(issuers)]
  const first = new Map<string, number>()
  for (const [index, { issuer, tenants: named }] of issuers.entries()) {
    const earlier = first.get(issuer)
    if (earlier === undefined) first.set(issuer, index)
    else {
      const message = 'this issuer is there already'
      faults.push({
        path: ['issuers', index, 'issuer'],
        also: ['issuers', earlier, 'issuer'],
        message,
        fix: 'one entry per issuer',
      })
    }
    for (const [at, id] of (named ?? []).entries()) {
      if (tenantsElsewhere || Object.hasOwn(tenants, id)) continue
      if (faults.length >= ENOUGH) return faults
      faults.push(unknownName(['issuers', index, 'tenants', at], 'tenant', id, Object.keys(tenants)))
    }
  }
  return faults
}

/** An opaque token does not say whose it is, so that one endpoint at most can be asked. */
function checkIntrospection(issuers: PolicyFile['issuers']): readonly Fault[] {
  const first = issuers.findIndex(({ introspection }) => introspection !== undefined)
  const also = ['issuers', first, 'introspection']
  const message = 'an opaque token does not say whose it is, and another issuer is asked already'
  return [...issuers.entries()].flatMap(([index, { introspection }]) => {
    if (introspection === undefined || index === first) return []
    return [
      { path: ['issuers', index, 'introspection'], at: 'key', also, message, fix: 'one issuer with `introspection`' },
    ]
  })
}
