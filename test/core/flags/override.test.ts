/** Who may choose a variant by a header, and what of it is followed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Principal } from '../../../core/credentials/principal.ts'
import { overrideOf } from '../../../core/flags/override.ts'
import type { OverrideRules, Route, Tenant } from '../../../core/policy.ts'
import { requestOf } from '../../support/gate.ts'

const rules: OverrideRules = { header: 'x-choose', anyRole: ['tester', 'lead'], credentials: new Set(['acme/ci']) }
const route = { name: 'orders' } as Route
const acme = { id: 'acme' } as Tenant
const key = (more: Partial<Principal> = {}): Principal => ({
  kind: 'apiKey',
  credential: 'app',
  roles: [],
  scopes: [],
  ...more,
})

interface Asked {
  readonly text?: string
  readonly headers?: Record<string, string>
  readonly tenant?: Tenant | undefined
  readonly principal?: Principal | undefined
}

function chosen({ text = 'orders=canary', headers, tenant = acme, principal }: Asked) {
  const request = requestOf({ headers: headers ?? { 'x-choose': text } })
  return overrideOf({ request, route, tenant, principal }, rules)
}

const followed = (by: string) => ({ by, variants: new Map([['orders', 'canary']]) })
const NOT_HIS = { ignored: 'is not for this caller' }

describe('who may choose', () => {
  it('is who has one of the roles', () => {
    expect(chosen({ principal: key({ roles: ['reader', 'lead'] }) })).toEqual(followed('role lead'))
  })

  it.each(['apiKey', 'clientCertificate'] as const)('is the credential that the policy names, by %s', (kind) => {
    expect(chosen({ principal: key({ kind, credential: 'ci' }) })).toEqual(followed('credential acme/ci'))
  })

  it.each(['jwt', 'opaqueToken'] as const)('is not a %s that calls itself so', (kind) => {
    expect(chosen({ principal: key({ kind, credential: 'ci' }) })).toEqual(NOT_HIS)
  })

  it("is not another tenant's credential of that name, nor one that hides a slash", () => {
    expect(chosen({ tenant: { id: 'globex' } as Tenant, principal: key({ credential: 'ci' }) })).toEqual(NOT_HIS)
    expect(chosen({ tenant: { id: '' } as Tenant, principal: key({ credential: 'acme/ci' }) })).toEqual(NOT_HIS)
  })

  it('is nobody who has proven nothing', () => {
    expect(chosen({})).toEqual(NOT_HIS)
    expect(
      overrideOf(
        {
          request: requestOf({ headers: { 'x-choose': 'orders=canary' } }),
          route,
          tenant: undefined,
          principal: key({ roles: ['tester'] }),
        },
        rules,
      ),
    ).toEqual(NOT_HIS)
  })
})

describe('what is followed', () => {
  const of = (text: string) => chosen({ text, principal: key({ roles: ['tester'] }) })
  const entries = (count: number) => Array.from({ length: count }, (_, i) => `f${i}=v`).join(',')

  it('nothing, where the header is not there by its own name', () => {
    const principal = key({ roles: ['tester'] })
    for (const name of ['x_choose', 'X-Choose', 'x-choose-2']) {
      expect(chosen({ headers: { [name]: 'orders=canary' }, principal })).toBeUndefined()
    }
  })

  it('each flag of a list, with or without spaces', () => {
    expect(of('orders=canary,a=b')).toMatchObject({
      variants: new Map([
        ['orders', 'canary'],
        ['a', 'b'],
      ]),
    })
    expect(of('\torders=canary ,  a=b=c ')).toMatchObject({
      variants: new Map([
        ['orders', 'canary'],
        ['a', 'b=c'],
      ]),
    })
  })

  it.each([
    ['', 'is not `flag=variant, flag=variant`'],
    ['canary', 'is not `flag=variant, flag=variant`'],
    ['orders=', 'is not `flag=variant, flag=variant`'],
    ['=canary', 'is not `flag=variant, flag=variant`'],
    ['orders = canary', 'is not `flag=variant, flag=variant`'],
    ['orders=canary,', 'is not `flag=variant, flag=variant`'],
    ['orders=canary; a=b', 'is not `flag=variant, flag=variant`'],
    ['orders=can\u00e4ry', 'is not `flag=variant, flag=variant`'],
    ['orders=\u001b[31m', 'is not `flag=variant, flag=variant`'],
    ['orders=canary,orders=canary', 'names flag orders twice'],
  ])('nothing of %j', (text, ignored) => {
    expect(of(text)).toEqual({ ignored })
  })

  it('20 entries and 1 kB, and no more', () => {
    expect(of(entries(20))).toMatchObject({ by: 'role tester' })
    expect(of(entries(21))).toEqual({ ignored: 'has more than 20 entries' })
    expect(of(`a=${'v'.repeat(1022)}`)).toMatchObject({ by: 'role tester' })
    expect(of(`a=${'v'.repeat(1023)}`)).toEqual({ ignored: 'is longer than 1024 bytes' })
  })

  it('whatever is sent, it is read or refused in words, and only those who may are read', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1100 }), (text) => {
        expect(chosen({ text })).toEqual(NOT_HIS)
        const own = of(text)
        expect(own && ('ignored' in own || own.variants.size > 0)).toBe(true)
      }),
    )
  })
})
