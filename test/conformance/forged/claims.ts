/** Tokens with a genuine signature, whose issuer was made to say something odd. */
import { es256, jws, type KeyRing } from './jws.ts'

type Make = (ring: KeyRing) => string

const HEADER = { alg: 'ES256', kid: 'ec' }

const saying =
  (change: Readonly<Record<string, unknown>> | ((ring: KeyRing) => Readonly<Record<string, unknown>>)): Make =>
  (ring) => {
    const more = typeof change === 'function' ? change(ring) : change
    return jws(HEADER, { ...ring.claims, ...more }, es256(ring.ec))
  }

/** The claims as a text, with members that JSON.stringify would not write. */
const written =
  (members: string, without: readonly string[] = []): Make =>
  ({ claims, ec }) => {
    const kept = Object.fromEntries(Object.entries(claims).filter(([name]) => !without.includes(name)))
    return jws(HEADER, `${JSON.stringify(kept).slice(0, -1)},${members}}`, es256(ec))
  }

/** Refused for what stands in it: 401. */
export const REFUSED_CLAIMS = {
  'tenant twice token': written('"org_id":"globex"'),
  'tenant twice by an escape token': written('"\\u006frg_id":"globex"'),
  'roles twice token': written('"realm_access":{"roles":["viewer"],"roles":["admin"]}', ['realm_access']),
  'exp twice token': written('"exp":9999999999'),
  'alg twice token': ({ claims, ec }) => jws('{"alg":"none","alg":"ES256","kid":"ec"}', claims, es256(ec)),

  'exp as text token': saying(({ now }) => ({ exp: `${now + 600}` })),
  'exp as list token': saying(({ now }) => ({ exp: [now + 600] })),
  'exp true token': saying({ exp: true }),
  'exp null token': saying({ exp: null }),
  'exp 1e400 token': written('"exp":1e400', ['exp']),
  'nbf as text token': saying(({ now }) => ({ nbf: `${now}` })),
  'nbf 1e400 token': written('"nbf":1e400'),
  'iat as text token': saying(({ now }) => ({ iat: `${now}` })),
  'iat tomorrow token': saying(({ now }) => ({ iat: now + 86_400, exp: now + 90_000 })),

  'no aud token': saying({ aud: undefined }),
  'no aud in a list token': saying({ aud: [] }),
  'other auds token': saying({ aud: ['invoices-api', 'orders'] }),
  'aud as object token': saying({ aud: { 'orders-api': true } }),
  'aud in capitals token': saying({ aud: 'Orders-API' }),
  'aud that goes on token': saying({ aud: 'orders-api.evil.example' }),

  'iss with a slash token': saying(({ issuers }) => ({ iss: `${issuers.main}/` })),
  'iss in capitals token': saying(({ issuers }) => ({ iss: issuers.main.toUpperCase() })),
  'list of issuers token': saying(({ issuers }) => ({ iss: [issuers.main] })),
  'no iss token': saying({ iss: undefined }),
  'iss of every object token': saying({ iss: '__proto__' }),
  'iss of a constructor token': saying({ iss: 'constructor' }),

  'tenant as list token': saying({ org_id: ['acme'] }),
  'tenant as object token': saying({ org_id: { acme: true } }),
  'tenant null token': saying({ org_id: null }),
  'tenant true token': saying({ org_id: true }),
  'empty tenant token': saying({ org_id: '' }),
  'tenant with a space token': saying({ org_id: 'acme ' }),
  'tenant with a NUL token': saying({ org_id: 'acme\u0000' }),
  'tenant with a line break token': saying({ org_id: 'acme\r\nx-user-roles: admin' }),
  'tenant with a hidden character token': saying({ org_id: 'ac\u200bme' }),
  'endless tenant token': saying({ org_id: 'a'.repeat(600) }),

  'user with a line break token': saying({ sub: 'ann\r\nX-User-Roles: admin' }),
  'user written backwards token': saying({ sub: 'ann\u202enimda' }),
  'user as list token': saying({ sub: ['ann'] }),
  'role with a comma token': saying({ realm_access: { roles: ['viewer,admin'] } }),
  'role with a line break token': saying({ realm_access: { roles: ['viewer\nadmin'] } }),
  'roles as object token': saying({ realm_access: { roles: { admin: true } } }),
  'scope with a tab token': saying({ scope: 'orders:read\torders:write' }),
  'scope with a comma token': saying({ scope: 'orders:read,orders:write' }),
  'roles without end token': saying({ realm_access: { roles: Array.from({ length: 300 }, (_, n) => `r${n}`) } }),
} as const satisfies Record<string, Make>

/** Names a tenant that does not exist, or none: 403. */
export const NO_TENANT = {
  'tenant in capitals token': saying({ org_id: 'ACME' }),
  'tenant by a look-alike token': saying({ org_id: '\u0430cme' }),
  'tenant in wide letters token': saying({ org_id: '\uff41\uff43\uff4d\uff45' }),
  'two tenants in one token': saying({ org_id: 'acme,globex' }),
  'tenant by a path token': saying({ org_id: '../acme' }),
  'tenant of every object token': saying({ org_id: '__proto__' }),
  'tenant of a constructor token': saying({ org_id: 'constructor' }),
  'tenant by a prototype token': written('"__proto__":{"org_id":"acme"}', ['org_id']),
} as const satisfies Record<string, Make>

/** Genuine, and no more than it says: it proves ann at acme, a reader. */
export const NO_MORE = {
  'roles by a prototype token': written('"realm_access":{"__proto__":{"roles":["admin"]}}'),
  'roles of every object token': written('"__proto__":{"realm_access":{"roles":["admin"]}}'),
  'admin somewhere else token': saying({ roles: ['admin'], 'realm_access.roles': ['admin'], groups: 'admin' }),
  'aud among others token': saying({ aud: ['invoices-api', 'orders-api'] }),
} as const satisfies Record<string, Make>
