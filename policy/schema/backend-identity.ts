/**
 * `identity.headers` and `identity.token`: what backends are told of the caller beyond the headers that are always
 * there.
 */
import { z } from 'zod'
import { IDENTITY_HEADERS } from '../../core/identity/headers.ts'
import { FLAG_NAME } from '../../core/names.ts'
import { claimPath } from './claims.ts'
import { secretReference } from './secrets.ts'
import { durationWithin, refusal } from './words.ts'

/** What gateways take away from clients, in every spelling. */
const TRUSTED = /^x-(?:tenant|user|tenantgate)-/
/** Letters, digits and dashes, so that no other spelling of a name is the same name to a backend. */
const TRUSTED_NAME = /^x-(?:tenant|user|tenantgate)-[a-z0-9-]{0,62}[a-z0-9]$/

const OWN: ReadonlySet<string> = new Set(IDENTITY_HEADERS)

/** How backends may read a name: CGI and its heirs do not tell `_` from `-`. */
export function folded(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}

/** Whether a header, in any spelling, is one that only we may write. */
export function isTrustedHeader(name: string): boolean {
  return TRUSTED.test(folded(name))
}

const headerName = z
  .string()
  .refine((name) => !OWN.has(folded(name)), {
    error: refusal('is a header that the gateway sets itself', 'another name'),
  })
  .refine((name) => OWN.has(folded(name)) || TRUSTED_NAME.test(name.toLowerCase()), {
    error: refusal(
      'is not the name of a trusted header',
      '`x-tenant-…`, `x-user-…` or `x-tenantgate-…`, of letters, digits and dashes,',
    ),
  })

const HEADER_VALUE = new RegExp(`^(?:flag:${FLAG_NAME.source.slice(1, -1)}|(?:attribute|claim):\\S(?:.*\\S)?)$`)

const noValue = refusal(
  'is not where a value comes from',
  '`attribute:region`, `flag:new-checkout`, `claim:email` or `{ claim: [org, name] }`',
)

const headerValue = z.union(
  [
    z.string().regex(HEADER_VALUE, noValue),
    z.strictObject({ claim: claimPath.describe("A claim of the principal's token.") }),
  ],
  { error: noValue },
)

export const headers = z
  .record(headerName, headerValue)
  .superRefine((named, context) => {
    const seen = new Set<string>()
    for (const name of Object.keys(named)) {
      const message = refusal('stands there already in another case', 'it once')
      if (seen.has(name.toLowerCase())) context.addIssue({ code: 'custom', path: [name], message })
      seen.add(name.toLowerCase())
    }
  })
  .default({})
  .describe(
    'More trusted headers for backends, by name: `attribute:region`, `flag:new-checkout`, `claim:email` or `{ claim: [org, name] }`.',
  )

export const token = z
  .strictObject({
    issuer: z
      .string()
      .regex(/^\S+$/, refusal('is not an issuer', 'the `iss` that backends expect, such as `https://gateway.example`,'))
      .describe('`iss` of the identity token.'),
    audience: z.string().min(1).describe('`aud` of the identity token.'),
    lifetime: durationWithin('10s', '10m')
      .default('60s')
      .describe('How long it is valid, `10s` to `10m`; default `60s`.'),
    algorithm: z.enum(['ES256', 'EdDSA']).default('ES256').describe('What it is signed with; default ES256.'),
    keys: z
      .array(secretReference)
      .max(10)
      .default([])
      .describe('Private keys, PKCS #8 in PEM: the first signs, all are published. Default: one is made at start.'),
  })
  .optional()
  .describe('Tells backends the identity in a signed JWT as well, in `x-tenantgate-identity`.')
