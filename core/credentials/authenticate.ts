/** Is each credential that the request shows genuine and current? */
import { after, type MaybePromise } from '../maybe-promise.ts'
import type { Policy, Route } from '../policy.ts'
import type { GatewayRequest } from '../request.ts'
import { verifyApiKey } from './api-key.ts'
import type { TrustedIssuer, VerifiedTokens } from './jwt.ts'
import { verifyJwt } from './jwt.ts'
import { createKeySet, type FetchKeys, type KeySet } from './key-set.ts'
import { presentedCredentials } from './present.ts'
import type { CredentialKind, Principal } from './principal.ts'
import { isRefusal, type Refusal, type Verdict } from './verdict.ts'

/** Everything a request has proven, in the order of the policy's `sources`: the first is the principal. */
export type Proof = readonly Principal[]

/** Verifies credentials of every kind under one policy. */
export interface Credentials {
  verify(kind: CredentialKind, credential: string, now: number): MaybePromise<Verdict>
  /** The fetched key sets by URL: the next policy goes on with those that it still names. */
  readonly keySets: ReadonlyMap<string, KeySet>
}

/**
 * `verified` belongs to this policy alone: what an older policy accepted is not known to the new one. Keys of `previous`
 * are kept, so that a new policy does not depend on the issuer being there at that moment.
 */
export function createCredentials(
  policy: Policy,
  verified: VerifiedTokens,
  fetchKeys: FetchKeys,
  previous?: Credentials,
): Credentials {
  const issuers = new Map<string, TrustedIssuer>()
  const keySets = new Map<string, KeySet>()
  for (const [name, issuer] of policy.issuers) {
    const url = issuer.keys.kind === 'url' ? issuer.keys.url : undefined
    const known = url === undefined ? undefined : (keySets.get(url) ?? previous?.keySets.get(url))
    const keySet = known ?? createKeySet(issuer.keys, fetchKeys)
    if (url !== undefined) keySets.set(url, keySet)
    issuers.set(name, { ...issuer, keySet })
  }
  const byKind: Record<CredentialKind, (credential: string, now: number) => MaybePromise<Verdict>> = {
    apiKey: (key, now) => verifyApiKey(key, policy, now),
    jwt: (token, now) => verifyJwt(token, issuers, verified, now),
  }
  return { keySets, verify: (kind, credential, now) => byKind[kind](credential, now) }
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
  const presented = presentedCredentials(request, policy.identity)
  if (isRefusal(presented)) return presented
  const { apiKey, jwt } = presented
  if (apiKey === undefined && jwt === undefined) {
    return route?.anonymous === 'optional' ? [] : { denied: 'missing_credential', because: 'no credential was shown' }
  }
  const keyVerdict = apiKey === undefined ? undefined : credentials.verify('apiKey', apiKey, now)
  return after(keyVerdict, (key) => {
    // the cheap check first: a bad key costs no signature
    if (key && isRefusal(key)) return key
    if (jwt === undefined) return key ? [key] : []
    return after(credentials.verify('jwt', jwt, now), (token) => {
      if (isRefusal(token)) return token
      return key ? inOrder(policy, key, token) : [token]
    })
  })
}

function inOrder({ identity: { sources } }: Policy, key: Principal, token: Principal): Proof {
  return sources.indexOf('apiKey') < sources.indexOf('jwt') ? [key, token] : [token, key]
}
