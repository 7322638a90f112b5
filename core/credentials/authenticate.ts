/** Is each credential that the request shows genuine, current and not revoked? */
import { after, lastly, type MaybePromise } from '../maybe-promise.ts'
import { type Issuer, type Policy, type Route, type Tenant, UNAVAILABLE } from '../policy.ts'
import type { GatewayRequest } from '../request.ts'
import { verifyApiKey } from './api-key.ts'
import { type Attempt, attemptOf, type FailedCredentials } from './attempt.ts'
import { verifyCertificate } from './certificates/client-certificate.ts'
import { presentedCredentials, type Shown } from './present.ts'
import { ownTenant, type Principal } from './principal.ts'
import type { CredentialRecords, KeyUses } from './records.ts'
import { createFlights } from './tokens/flights.ts'
import { verifyGatewayClaims } from './tokens/gateway-claims.ts'
import { type JwtParts, type TrustedIssuer, verifyJwt } from './tokens/jwt.ts'
import { createKeySet, type FetchKeys, type KeySet } from './tokens/key-set.ts'
import {
  createOpaqueTokens,
  type IntrospectedIssuer,
  type OpaqueTokenParts,
  type VerifyOpaqueToken,
  verifyUnaskable,
} from './tokens/opaque-token.ts'
import { isRefusal, type Refusal, type Verdict } from './verdict.ts'

/** A credential that is genuine, current and not revoked. */
export interface Proven {
  readonly principal: Principal
  /**
   * The tenant that it names, if it may speak for that one, as it was found when revocation was asked: a later look-up may find
   * another.
   */
  readonly tenant: Tenant | undefined
}

/** Everything a request has proven, in the order of the policy's `sources`: the first is the principal. */
export type Proof = readonly Proven[]

/** Verifies credentials of every kind under one policy. */
export interface Credentials {
  verify(shown: Shown, attempt: Attempt): MaybePromise<Verdict>
  readonly failures: FailedCredentials
  readonly records: CredentialRecords
  readonly uses: KeyUses
  /** The fetched key sets by URL and rule of addresses: the next policy goes on with those that it still names. */
  readonly keySets: ReadonlyMap<string, KeySet>
}

/**
 * What verification rests on besides the policy. What is remembered of tokens (`verified`, `introspected`, `refused`) belongs to
 * this policy alone: what an older one accepted is not known to the new one.
 */
export interface CredentialParts extends Omit<JwtParts, 'issuers'>, OpaqueTokenParts {
  readonly fetchKeys: FetchKeys
  readonly failures: FailedCredentials
  readonly records: CredentialRecords
  readonly uses: KeyUses
}

/** Keys of `previous` are kept, so that a new policy does not depend on the issuer being there at that moment. */
export function createCredentials(
  policy: Policy,
  parts: CredentialParts,
  previous?: Pick<Credentials, 'keySets'>,
): Credentials {
  const { fetchKeys, failures, records, uses } = parts
  const issuers = new Map<string, TrustedIssuer>()
  const keySets = new Map<string, KeySet>()
  for (const [name, issuer] of policy.issuers) {
    const source = sourceOf(issuer)
    const known = source === undefined ? undefined : (keySets.get(source) ?? previous?.keySets.get(source))
    const keySet = known ?? createKeySet(issuer.keys, fetchKeys)
    if (source !== undefined) keySets.set(source, keySet)
    issuers.set(name, { ...issuer, keySet, flights: createFlights() })
  }
  const tokens: JwtParts = { ...parts, issuers }
  const verifyOpaqueToken = opaqueTokensOf(policy, parts)
  return {
    keySets,
    failures,
    records,
    uses,
    verify(shown, attempt) {
      switch (shown.kind) {
        case 'clientCertificate':
          return verifyCertificate(shown.certificate, policy.certificates, attempt)
        case 'apiKey':
          return verifyApiKey(shown.key, policy, parts, attempt)
        case 'jwt':
          if (shown.claims) return verifyGatewayClaims(shown.claims, shown.token, issuers, attempt)
          return verifyJwt(shown.token ?? '', tokens, attempt)
        case 'opaqueToken':
          return verifyOpaqueToken(shown.token, attempt)
      }
    },
  }
}

/** What one key set is fetched from; undefined where none is. */
function sourceOf({ keys }: Issuer): string | undefined {
  return keys.kind === 'url' ? `${keys.allowPrivateAddresses ? 'private' : 'public'} ${keys.url}` : undefined
}

/** At most one issuer of a policy is asked about opaque tokens: nothing in such a token says whose it is. */
function opaqueTokensOf({ issuers }: Policy, parts: OpaqueTokenParts): VerifyOpaqueToken {
  for (const issuer of issuers.values()) if (isIntrospected(issuer)) return createOpaqueTokens(issuer, parts)
  return verifyUnaskable
}

function isIntrospected(issuer: Issuer): issuer is IntrospectedIssuer {
  return issuer.keys.kind === 'introspection'
}

/**
 * Proves every credential shown, or says why one cannot be: a bad one is refused even beside a good one. An anonymous
 * route leaves credentials alone; an optional one accepts that none is shown; no route at all needs one like any other.
 */
export function authenticate(
  request: GatewayRequest,
  route: Route | undefined,
  policy: Policy,
  credentials: Credentials,
  now: number,
): MaybePromise<Proof | Refusal> {
  if (route?.anonymous === true) return []
  const shown = presentedCredentials(request, policy)
  if (isRefusal(shown)) return shown
  if (shown.length === 0) {
    return route?.anonymous === 'optional' ? [] : { denied: 'missing_credential', because: 'no credential was shown' }
  }
  const attempt = attemptOf(request, policy.identity, credentials.failures, now)
  return lastly(() => after(proveAll(shown, policy, credentials, attempt), judge), attempt.end)

  function judge(proof: Proof | Refusal): Proof | Refusal {
    if (!isRefusal(proof)) return proof.length === 1 ? proof : inOrder(proof, policy)
    // what was genuine once is no guess
    if (proof.countsAsFailure ?? proof.denied === 'invalid_credential') attempt.failed()
    return proof
  }
}

/** One after the other, the cheap ones first: a bad key costs no signature. */
function proveAll(
  shown: readonly Shown[],
  policy: Policy,
  credentials: Credentials,
  attempt: Attempt,
  proven: Proof = [],
): MaybePromise<Proof | Refusal> {
  const next = shown[proven.length]
  if (!next) return proven
  return after(credentials.verify(next, attempt), (verdict) => {
    if (isRefusal(verdict)) return verdict
    return after(ownTenant(verdict, policy.directory, attempt.asker), (tenant) => {
      if (tenant === UNAVAILABLE) return unavailable('the store of tenants does not answer')
      const { records, uses } = credentials
      if (records.isUsable?.(attempt.now) === false)
        return unavailable('what is revoked has not been known for too long')
      if (isRevoked(verdict, tenant, records)) return revoked(verdict, tenant)
      if (verdict.keyHash !== undefined) uses.used(verdict.keyHash, attempt.now)
      return proveAll(shown, policy, credentials, attempt, [...proven, { principal: verdict, tenant }])
    })
  })
}

function unavailable(because: string): Refusal {
  return { denied: 'dependency_unavailable', because }
}

/**
 * Records name a tenant as it was called then: a tenant that was renamed, and keeps its old name as an alias, is still meant. An
 * issuer learns nothing of the records of a tenant that it may not speak for.
 */
function isRevoked(principal: Principal, tenant: Tenant | undefined, records: CredentialRecords): boolean {
  if (records.isRevoked(principal, tenant?.id)) return true
  return tenant?.aliases.some((alias) => records.isRevoked(principal, alias)) === true
}

function revoked({ kind, credential }: Principal, tenant: Tenant | undefined): Refusal {
  const about = { credential, ...(tenant && { tenant: tenant.id }) }
  return { denied: 'revoked_credential', because: `${kind} '${credential}': revoked`, about }
}

function inOrder(proof: Proof, { identity: { sources } }: Policy): Proof {
  return [...proof].sort((a, b) => sources.indexOf(a.principal.kind) - sources.indexOf(b.principal.kind))
}
