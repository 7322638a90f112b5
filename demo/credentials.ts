/** Fresh credentials for one run of the demo: API keys, and tokens of an issuer that lives in this process alone. */
import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { createApiKey, storedHash } from '../core/credentials/api-key.ts'

export const DEMO_ISSUER = 'https://id.example.com'
const AUDIENCE = 'orders-api'
const TOKEN_LIFETIME = '12h'

/** A key as the policy wants it. */
export interface PolicyKey {
  readonly id: string
  readonly hash: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
}

export interface DemoCredentials {
  readonly keys: Readonly<Record<DemoKey, string>>
  readonly tokens: Readonly<Record<DemoToken, string>>
  /** What goes into the policy, by tenant. */
  readonly policyKeys: Readonly<Record<string, readonly PolicyKey[]>>
  /** The issuer's public keys. */
  readonly jwks: { readonly keys: readonly object[] }
}

const READ = ['orders:read']
const READ_AND_WRITE = ['orders:read', 'orders:write']

const KEYS = {
  acme: { tenant: 'acme', id: 'acme-app', scopes: READ_AND_WRITE, roles: [] },
  acmeReader: { tenant: 'acme', id: 'acme-reader', scopes: READ, roles: [] },
  globex: { tenant: 'globex', id: 'globex-app', scopes: READ_AND_WRITE, roles: [] },
  initech: { tenant: 'initech', id: 'initech-app', scopes: READ_AND_WRITE, roles: ['admin'] },
} as const

export type DemoKey = keyof typeof KEYS

/** `acme` is named by what the issuer calls it. */
const TOKENS = {
  acme: { org_id: 'org_7f3a', sub: 'user-1', scope: 'orders:read', realm_access: { roles: ['viewer'] } },
  initech: { org_id: 'initech', sub: 'user-2', scope: 'orders:read', realm_access: { roles: ['admin', 'viewer'] } },
  expired: { org_id: 'org_7f3a', sub: 'user-1', scope: 'orders:read', exp: 1_700_000_000 },
} as const satisfies Record<string, JWTPayload>

export type DemoToken = keyof typeof TOKENS | 'forged'

/** Makes all of them. Nothing is written anywhere. */
export async function createCredentials(): Promise<DemoCredentials> {
  const keys = {} as Record<DemoKey, string>
  const policyKeys: Record<string, PolicyKey[]> = {}
  for (const name of Object.keys(KEYS) as DemoKey[]) {
    const { tenant, id, scopes, roles } = KEYS[name]
    keys[name] = createApiKey('demo', randomBytes)
    policyKeys[tenant] = [...(policyKeys[tenant] ?? []), { id, hash: storedHash(keys[name]), scopes, roles }]
  }
  const issuer = await createIssuer()
  const stranger = await createIssuer()
  const tokens = {} as Record<DemoToken, string>
  for (const name of Object.keys(TOKENS) as (keyof typeof TOKENS)[]) tokens[name] = await issuer.sign(TOKENS[name])
  tokens.forged = await stranger.sign(TOKENS.acme)
  return { keys, tokens, policyKeys, jwks: issuer.jwks }
}

async function createIssuer() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const header = { alg: 'ES256', kid: 'demo' }
  const jwk = { ...(await exportJWK(publicKey)), ...header, use: 'sig' }
  const sign = (claims: JWTPayload) => {
    const token = new SignJWT(claims).setProtectedHeader(header).setIssuer(DEMO_ISSUER).setAudience(AUDIENCE)
    return (claims.exp === undefined ? token.setExpirationTime(TOKEN_LIFETIME) : token).setIssuedAt().sign(privateKey)
  }
  return { sign, jwks: { keys: [jwk] } }
}
