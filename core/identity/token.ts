/** Who the caller is, as a signed token that backends can verify by themselves (RFC 7519). */
import { createPublicKey } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, importPKCS8, type JWK, SignJWT } from 'jose'
import type { Principal } from '../credentials/principal.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { IdentityTokenRules, Tenant } from '../policy.ts'

/** RFC 7517 §5: a JWK set of public keys. */
export interface PublicKeys {
  readonly keys: readonly JWK[]
}

/** Signs identities under one policy. */
export interface IdentityTokens {
  /**
   * The token of a proven caller; in the same tick while an earlier one of his has more than half its life before it.
   */
  of(principal: Principal, tenant: Tenant, now: number): MaybePromise<string>
  /** For backends; the first is the one that signs. */
  publicKeys(): Promise<PublicKeys>
}

type Algorithm = IdentityTokenRules['algorithm']

interface SigningKey {
  readonly key: Awaited<ReturnType<typeof importPKCS8>>
  readonly kid: string
}

/** A token, or the signing that is under way: whoever asks meanwhile waits for the same. */
interface Signed {
  token: MaybePromise<string>
  readonly at: number
}

/**
 * `keys` are private, PKCS #8 in PEM, at least one: the first signs, all are published. Rejects later what is no such
 * key.
 */
export function createIdentityTokens(rules: IdentityTokenRules, keys: readonly string[]): IdentityTokens {
  const { algorithm, lifetimeMs } = rules
  const published = Promise.all(keys.map((pem) => publicKeyOf(pem, algorithm)))
  const signing = signingKey(keys[0] ?? '', algorithm)
  // told to whoever asks for a token or the keys; until then nobody is there to hear of it
  for (const prepared of [published, signing]) prepared.catch(() => {})
  // by the principal, which lives as long as the policy remembers that it was proven
  const signed = new WeakMap<Principal, Signed>()

  function isFresh({ at }: Signed, now: number): boolean {
    return now >= at && now < at + lifetimeMs / 2
  }

  return {
    of(principal, tenant, now) {
      const known = signed.get(principal)
      if (known && isFresh(known, now)) return known.token
      const token = signing.then((key) => sign(key, rules, principal, tenant, now))
      const fresh: Signed = { token, at: now }
      signed.set(principal, fresh)
      token.then(
        (text) => {
          fresh.token = text
        },
        () => signed.delete(principal),
      )
      return token
    },
    publicKeys: async () => ({ keys: await published }),
  }
}

/**
 * `sub` is the user, or the credential and its kind of a caller without one: a text alone, in which a user could be
 * called what a key is called. `kind` and `user` tell them apart. Times in seconds.
 */
function sign(
  { key, kid }: SigningKey,
  { issuer, audience, lifetimeMs, algorithm }: IdentityTokenRules,
  { kind, credential, user, roles, scopes }: Principal,
  { id: tenant, plan }: Tenant,
  now: number,
): Promise<string> {
  const issuedAt = Math.floor(now / 1000)
  const caller = { kind, credential, ...(user !== undefined && { user }) }
  return new SignJWT({ tenant, plan, roles: [...roles], scope: scopes.join(' '), ...caller })
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(user ?? `${kind}:${credential}`)
    .setIssuedAt(issuedAt)
    .setExpirationTime(Math.floor(issuedAt + lifetimeMs / 1000))
    .sign(key)
}

async function signingKey(pem: string, algorithm: Algorithm): Promise<SigningKey> {
  const [key, { kid = '' }] = await Promise.all([importPKCS8(pem, algorithm), publicKeyOf(pem, algorithm)])
  return { key, kid }
}

/** Only the public members; `kid` is the key's thumbprint (RFC 7638). */
async function publicKeyOf(pem: string, algorithm: Algorithm): Promise<JWK> {
  const jwk = await exportJWK(createPublicKey(pem))
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: algorithm, use: 'sig' }
}
