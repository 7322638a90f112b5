/** Claims of tokens that the gateway itself has verified: most are good, and say what they say. */
import fc from 'fast-check'
import { NOON } from '../support/gate.ts'
import type { VerifiedToken } from './request.ts'
import { VERIFIED } from './world.ts'

const SECONDS = NOON / 1000

type Claims = Readonly<Record<string, unknown>>

const ann: Claims = {
  iss: VERIFIED,
  aud: 'orders-api',
  iat: SECONDS - 5,
  exp: SECONDS + 600,
  sub: 'ann',
  org: 'acme',
  scope: 'orders:read',
}

const GOOD: readonly (readonly [claims: Claims, tenant: string])[] = [
  [ann, 'acme'],
  [{ ...ann, org: 'org_7f3a', jti: 'one' }, 'acme'],
  [{ ...ann, org: 'globex', sub: 'eve' }, 'globex'],
  [{ ...ann, aud: ['other', 'orders-api'], scope: ['orders:read', 'orders:write'] }, 'acme'],
  [{ ...ann, more: { deep: [1, null, true, { a: 'b' }] } }, 'acme'],
]

const BAD: readonly Claims[] = [
  { ...ann, exp: SECONDS - 60 },
  { ...ann, exp: undefined },
  { ...ann, exp: '9999999999' },
  { ...ann, nbf: SECONDS + 60 },
  { ...ann, iat: SECONDS + 60 },
  { ...ann, aud: 'invoices-api' },
  { ...ann, aud: { 0: 'orders-api' } },
  { ...ann, org: 'initech' },
  { ...ann, org: 'nobody' },
  { ...ann, org: '__proto__' },
  { ...ann, org: ['acme'] },
  { ...ann, org: undefined },
  { ...ann, sub: 'a\nb' },
  { ...ann, sub: 7 },
  { ...ann, scope: { a: 1 } },
]

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Nobody but the gateway asks for its signature. */
const textOf = (claims: Claims) => `${encoded({ alg: 'ES256', kid: 'gateway' })}.${encoded(claims)}.${'A'.repeat(86)}`

/** As jwt_authn tells them: what the token does not say is not there. */
const told = (claims: Claims): Claims => JSON.parse(JSON.stringify(claims))

export const verifiedArbitrary: fc.Arbitrary<VerifiedToken> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...GOOD), fc.boolean())
      .map(([[claims, tenant], isShown]) => ({ claims, text: textOf(claims), isShown, tenant })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...BAD), fc.boolean())
      .map(([claims, isShown]) => ({ claims: told(claims), text: textOf(claims), isShown })),
  },
  {
    weight: 1,
    // the claims of one beside another one: whichever speaks, the other does not
    arbitrary: fc
      .tuple(fc.constantFrom(...GOOD), fc.constantFrom(...GOOD.map(([claims]) => claims), ...BAD))
      .filter(([[claims], other]) => claims !== other)
      .map(([[claims], other]) => ({ claims, text: textOf(other), isShown: true })),
  },
)
