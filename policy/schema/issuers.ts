/** `issuers:` whose tokens are believed, and for whom. */
import { z } from 'zod'
import { DURATION, durationMs } from '../units.ts'
import { claimPath } from './claims.ts'
import { secretReference } from './secrets.ts'
import { distinct, durationWithin, refusal, tenantId } from './words.ts'

const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

const claims = z
  .strictObject({
    tenant: claimPath
      .optional()
      .describe('Names the tenant, by id or alias. May be left out when `tenants` has one entry.'),
    user: claimPath.default('sub').describe('Names the user.'),
    roles: claimPath.optional().describe('A list of roles, or a text of roles separated by spaces.'),
    scopes: claimPath.default('scope').describe('A list of scopes, or a text of scopes separated by spaces.'),
  })
  .prefault({})
  .describe('Where in the claims things stand.')

const clockSkew = z
  .string()
  .regex(DURATION, refusal('is not a duration', 'a duration such as `5s`'))
  .refine((text) => !DURATION.test(text) || durationMs(text) <= 300_000, {
    error: refusal('is more than five minutes', '`5m` at most'),
  })
  .default('5s')
  .describe("How far the issuer's clock may be off, at most `5m`.")

const introspection = z
  .strictObject({
    url: z.string().min(1).describe('The endpoint that is asked about tokens: an https URL (http only on loopback).'),
    clientId: z.string().min(1).describe('Whom we ask as.'),
    clientSecret: secretReference.describe('The secret of `clientId`: `{ env: NAME }` or `{ file: path }`.'),
    clientAuth: z
      .enum(['basic', 'post'])
      .default('basic')
      .describe('Whether id and secret are sent in the Authorization header or in the body; default `basic`.'),
    cacheFor: durationWithin('1s', '5m')
      .default('10s')
      .describe('For how long an answer is believed, `1s` to `5m`; default `10s`. So long a revoked token may go on.'),
  })
  .optional()
  .describe('Opaque tokens: the endpoint of RFC 7662 that is asked about each.')

const fields = z.strictObject({
  issuer: z
    .string()
    .regex(/^\S+$/, refusal('is not an issuer', 'the exact `iss` of its tokens'))
    .describe('The `iss` of its tokens.'),
  jwks: z
    .string()
    .min(1)
    .optional()
    .describe('Its public keys: an https URL (http only on loopback), or a JWKS file relative to the policy.'),
  secret: secretReference.optional().describe('The shared secret of HS256 tokens, at least 32 bytes.'),
  introspection,
  verifiedBy: z
    .literal('gateway')
    .optional()
    .describe("`gateway`: Envoy's jwt_authn verifies its tokens and hands on their claims."),
  allowPrivateAddresses: z
    .boolean()
    .optional()
    .describe('Whether its URL may lead to an address of a private network; link-local ones never.'),
  audiences: distinct(z.string().min(1))
    .min(1)
    .optional()
    .describe('A token must name one of them in `aud`. Optional with `introspection`.'),
  algorithms: distinct(z.enum([...ASYMMETRIC, 'HS256']))
    .min(1)
    .optional()
    .describe('What its tokens may be signed with. With `jwks` or `secret` only.'),
  tokenType: z
    .string()
    .regex(
      /^[!#$%&'*+.^_`|~0-9A-Za-z/-]+$/,
      refusal('is not a type of tokens', 'the `typ` of its tokens, such as `at+jwt`,'),
    )
    .optional()
    .describe('The `typ` that its tokens must carry, such as `at+jwt`; default any.'),
  clockSkew,
  claims,
  tenants: distinct(tenantId()).min(1).optional().describe('Whom it may speak for; default all.'),
})

type Fields = z.output<typeof fields>
type Refuse = (path: string[], message: string, fix: string) => void

/** How an issuer's tokens are verified. */
const KINDS = ['jwks', 'secret', 'introspection', 'verifiedBy'] as const

/**
 * Public keys go with asymmetric algorithms and a secret with HS256; a mixture would let a public key act as a secret.
 */
function checkAlgorithms({ jwks, secret, algorithms }: Fields, refuse: Refuse): void {
  if (jwks === undefined && secret === undefined) {
    const message = 'belongs to `jwks` and `secret`: here we verify no signature'
    if (algorithms !== undefined) refuse(['algorithms'], message, 'the issuer without it')
  } else if (algorithms === undefined) {
    refuse(['algorithms'], 'is missing', jwks === undefined ? '`algorithms: [HS256]`' : '`algorithms: [RS256]`')
  } else if (jwks !== undefined && algorithms.includes('HS256')) {
    refuse(['algorithms'], 'HS256 needs a `secret`, not public keys', 'algorithms such as `[RS256, ES256]`')
  } else if (secret !== undefined && algorithms.some((algorithm) => algorithm !== 'HS256')) {
    refuse(['algorithms'], 'a `secret` verifies HS256 only', '`[HS256]`')
  }
}

/** What would have no effect is not accepted silently. */
function checkBelonging(
  { jwks, secret, introspection, audiences, tokenType, allowPrivateAddresses }: Fields,
  refuse: Refuse,
) {
  if (introspection === undefined && audiences === undefined) {
    refuse(['audiences'], 'is missing', '`audiences: [orders-api]`, what its tokens name in `aud`,')
  }
  if (tokenType !== undefined && jwks === undefined && secret === undefined) {
    refuse(['tokenType'], 'belongs to `jwks` and `secret`: here we read no `typ`', 'the issuer without it')
  }
  const hasUrl = introspection !== undefined || (jwks !== undefined && isUrl(jwks))
  if (allowPrivateAddresses !== undefined && !hasUrl) {
    refuse(['allowPrivateAddresses'], 'belongs to a URL, and this issuer has none', 'the issuer without it')
  }
}

/** Whether `jwks` was meant as a URL; a path of a file has no scheme. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
}

const SIGNED = ['audiences', 'algorithms']

export const issuer = fields
  .superRefine((value, context) => {
    const refuse: Refuse = (path, message, fix) =>
      context.addIssue({ code: 'custom', path, message: refusal(message, fix) })
    if (KINDS.filter((kind) => value[kind] !== undefined).length !== 1) {
      const fix = '`jwks:` for public keys, `secret:` for HS256, `introspection:` or `verifiedBy: gateway`'
      refuse([], 'needs exactly one of `jwks`, `secret`, `introspection` and `verifiedBy`', fix)
    } else {
      checkAlgorithms(value, refuse)
      checkBelonging(value, refuse)
    }
    if (value.claims.tenant === undefined && value.tenants?.length !== 1) {
      refuse(['claims'], 'no claim names the tenant', '`tenant: org_id` (your claim), or one entry in `tenants`,')
    }
  })
  .meta({
    oneOf: [
      { required: ['jwks', ...SIGNED] },
      { required: ['secret', ...SIGNED] },
      { required: ['introspection'] },
      { required: ['verifiedBy', 'audiences'] },
    ],
  })
