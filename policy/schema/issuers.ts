/** `issuers:` whose tokens are believed, and for whom. */
import { z } from 'zod'
import { DURATION, durationMs } from '../units.ts'
import { distinct, refusal, tenantId } from './words.ts'

const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

const noLiteral = refusal('a secret is never written in a policy', '`{ env: NAME }` or `{ file: path }`')

const secret = z
  .strictObject(
    {
      env: z
        .string()
        .regex(/^[A-Za-z_]\w*$/, refusal('is not the name of an environment variable', 'a name such as `ACME_SECRET`'))
        .optional()
        .describe('The environment variable that holds the secret.'),
      file: z.string().min(1).optional().describe('The file that holds the secret; one newline at its end is ignored.'),
    },
    { error: ({ code }) => (code === 'invalid_type' ? noLiteral : undefined) },
  )
  .superRefine((value, context) => {
    if ((value.env === undefined) === (value.file === undefined)) {
      const message = refusal('names where the secret is in exactly one way', '`{ env: NAME }` or `{ file: path }`')
      context.addIssue({ code: 'custom', message })
    }
  })
  .meta({ oneOf: [{ required: ['env'] }, { required: ['file'] }] })

const claimPath = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
    error: refusal('is not a claim', 'the name of a claim, or a path such as `[realm_access, roles]`'),
  })
  .describe('A string is one key of the claims, a list is a path into them.')

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
  secret: secret.optional().describe('The shared secret of HS256 tokens, at least 32 bytes.'),
  audiences: distinct(z.string().min(1)).min(1).describe('A token must name one of them in `aud`.'),
  algorithms: distinct(z.enum([...ASYMMETRIC, 'HS256']))
    .min(1)
    .describe('What its tokens may be signed with.'),
  clockSkew,
  claims,
  tenants: distinct(tenantId()).min(1).optional().describe('Whom it may speak for; default all.'),
})

/** Public keys go with asymmetric algorithms and a secret with HS256; a mixture would let a public key act as a secret. */
export const issuer = fields
  .superRefine((value, context) => {
    const refuse = (path: string[], message: string, fix: string) =>
      context.addIssue({ code: 'custom', path, message: refusal(message, fix) })
    const { jwks, secret, algorithms, claims, tenants } = value
    if ((jwks === undefined) === (secret === undefined)) {
      refuse([], 'needs exactly one of `jwks` and `secret`', '`jwks:` for public keys or `secret:` for HS256')
    } else if (jwks !== undefined && algorithms.includes('HS256')) {
      refuse(['algorithms'], 'HS256 needs a `secret`, not public keys', 'algorithms such as `[RS256, ES256]`')
    } else if (secret !== undefined && algorithms.some((algorithm) => algorithm !== 'HS256')) {
      refuse(['algorithms'], 'a `secret` verifies HS256 only', '`[HS256]`')
    }
    if (claims.tenant === undefined && tenants?.length !== 1) {
      refuse(['claims'], 'no claim names the tenant', '`tenant: org_id` (your claim), or one entry in `tenants`,')
    }
  })
  .meta({ oneOf: [{ required: ['jwks'] }, { required: ['secret'] }] })
