/** A thousand tenants of five users each, before a flag that gives a share of them the canary: one by the tenant, one by the user. */

import type { MemoryPolicy } from '../../policy/compile.ts'
import { newKey, policyOf } from '../support/gate.ts'
import { goodClaims, newSigner } from '../support/tokens.ts'

export const TENANTS = 1000
const USERS_EACH = 5
export const USERS = TENANTS * USERS_EACH

/** Paths whose flag is sticky by the tenant, and by the user. */
export const BY_TENANT = '/v1/orders'
export const BY_USER = '/v1/search'

export interface Crowd {
  /** API keys by the tenants that have them. */
  readonly keys: ReadonlyMap<string, string>
  /** Tokens by their users, each of some tenant. */
  readonly tokens: ReadonlyMap<string, string>
  /** The policy's text, and the files that it names. */
  readonly text: string
  files(percent: number): Readonly<Record<'jwks.json' | 'flags.json', string>>
  policy(percent: number): MemoryPolicy
}

/** Tokens are good for a while from `now` on (ms since the epoch); `withUsers: false` saves the time that 5,000 of them take. */
export async function createCrowd(now: number, { withUsers = true } = {}): Promise<Crowd> {
  const signer = await newSigner('ES256')
  const tenants = Array.from({ length: TENANTS }, (_, index) => ({ id: `tenant-${index}`, ...newKey() }))
  const tokens = new Map<string, string>()
  for (let index = 0; withUsers && index < USERS; index++) {
    const sub = `user-${index}`
    const claims = { sub, org: `tenant-${index % TENANTS}`, exp: now / 1000 + 3600 }
    tokens.set(sub, await signer.sign(goodClaims(claims, now)))
  }
  const text = textOf(tenants)
  const files = (percent: number) => ({
    'jwks.json': JSON.stringify({ keys: [signer.jwk] }),
    'flags.json': JSON.stringify(flagsWith(percent)),
  })
  return {
    keys: new Map(tenants.map(({ id, key }) => [id, key])),
    tokens,
    text,
    files,
    policy: (percent) => policyOf(text, files(percent)),
  }
}

function textOf(tenants: readonly { readonly id: string; readonly hash: string }[]): string {
  const entries = tenants.map(({ id, hash }) => `  ${id}: { plan: free, apiKeys: [{ id: ci, hash: "${hash}" }] }\n`)
  return `version: 1
identity: { sources: [apiKey, jwt] }
issuers:
  - issuer: https://id.example.com
    jwks: jwks.json
    audiences: [orders-api]
    algorithms: [ES256]
    claims: { tenant: org, user: sub }
plans: { free: { limits: [] } }
tenants:
${entries.join('')}upstreams: [orders-stable, orders-canary]
routes:
  - { name: by-tenant, match: { path: ${BY_TENANT} }, upstream: { default: orders-stable, flag: orders-backend } }
  - { name: by-user, match: { path: ${BY_USER} }, upstream: { default: orders-stable, flag: search-backend } }
flags: flags.json
`
}

/** The canary stands first: a larger share of it begins where the smaller one began. */
function flagsWith(percent: number) {
  const flag = {
    state: 'ENABLED',
    variants: { stable: 'orders-stable', canary: 'orders-canary' },
    defaultVariant: 'stable',
    targeting: {
      fractional: [
        ['canary', percent],
        ['stable', 100 - percent],
      ],
    },
  }
  return { flags: { 'orders-backend': flag, 'search-backend': { ...flag, metadata: { targetingKey: 'user' } } } }
}

/**
 * How many of `trials` that are each taken with probability `share` there are, but for half a percent of all cases below and half a
 * percent above. Of 1,000 at 5 %: 50 are expected, the deviation is √(1000 · 0.05 · 0.95) = 6.9, and it is 33 to 69.
 */
export function likelyCount(trials: number, share: number): readonly [least: number, most: number] {
  let exactly = (1 - share) ** trials
  let atMost = exactly
  let least = 0
  let most = 0
  for (let count = 0; atMost < 0.995; ) {
    exactly *= ((trials - count) / (count + 1)) * (share / (1 - share))
    count += 1
    if (atMost < 0.005) least = count
    atMost += exactly
    most = count
  }
  return [least, most]
}

/** Those of them that get the canary. */
export function canaries(upstreams: ReadonlyMap<string, string | undefined>): readonly string[] {
  return [...upstreams].flatMap(([who, upstream]) => (upstream === 'orders-canary' ? [who] : []))
}
