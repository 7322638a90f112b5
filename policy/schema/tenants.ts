/** `tenants:`, their names, and the credentials that stand for them. */
import { z } from 'zod'
import { instantMs, isTimeZone } from '../units.ts'
import { certificate } from './certificates.ts'
import { limits, tenantLimits } from './limits.ts'
import { distinct, host, instant, name, refusal, rights, role, scope } from './words.ts'

/** What the evaluation context of flags holds besides a tenant's attributes. */
const OWN_ATTRIBUTES: ReadonlySet<string> = new Set([
  'tenant',
  'plan',
  'user',
  'roles',
  'route',
  'targetingKey',
  '$flagd',
])

/** Headers of the request, and what is ours alone. */
const OWN_PREFIX = /^(?:header|tenantgate):/

const apiKey = z
  .strictObject({
    id: name('an API key').describe('Names the key in logs and metrics.'),
    hash: z
      .string()
      .regex(
        /^sha256:[0-9a-f]{64}$/,
        refusal('is not the hash of a key', '`sha256:` and the 64 hex digits that `tenantgate keys create` prints'),
      )
      .describe('`sha256:` and the SHA-256 of the whole key in hex; the key itself is written nowhere.'),
    scopes: rights(scope()).describe('What the key may do.'),
    roles: rights(role()).describe('What the key is.'),
    limits: limits.default([]).describe("Beside the tenant's; they count this key alone."),
    notBefore: instant.optional().describe('The key is refused before; RFC 3339.'),
    expiresAt: instant.optional().describe('The key is refused from then on; RFC 3339.'),
  })
  .superRefine(({ notBefore, expiresAt }, context) => {
    if (notBefore === undefined || expiresAt === undefined) return
    if ((instantMs(notBefore) ?? 0) < (instantMs(expiresAt) ?? 0)) return
    context.addIssue({
      code: 'custom',
      path: ['expiresAt'],
      message: refusal('is not after `notBefore`', 'a later time'),
    })
  })

/** As long as rules of flags take a text to be, and as a header for backends may be. */
const attributeText = z.string().max(1024, refusal('is longer than 1,024 characters', 'a shorter text'))

const attributes = z
  .record(
    z
      .string()
      .min(1)
      .refine((key) => !OWN_ATTRIBUTES.has(key) && !OWN_PREFIX.test(key), {
        error: refusal('is what the gateway itself tells of a request', 'another name for the attribute'),
      }),
    z.union([attributeText, z.number(), z.boolean()], {
      error: refusal('is not a plain value', 'a text, a number, `true` or `false`'),
    }),
  )
  .default({})
  .describe('Facts that feature flags may decide by.')

/** One line without spaces at its ends; Kong has no rule for usernames but that they are texts. */
const CONSUMER = /^\S(?:.{0,126}\S)?$/

export const tenant = z.strictObject({
  plan: name('a plan').describe('One of `plans`.'),
  aliases: distinct(z.string().regex(/^\S{1,255}$/, refusal('is not an alias', 'a name without spaces')))
    .default([])
    .describe('Other names that tokens use for the tenant.'),
  hosts: distinct(host()).default([]).describe('Custom domains of the tenant.'),
  status: z.enum(['active', 'suspended']).default('active').describe('All requests of a suspended tenant are refused.'),
  timezone: z
    .string()
    .refine(isTimeZone, { error: refusal('is not an IANA time zone', 'a name such as `Europe/Berlin`') })
    .default('UTC')
    .describe('Calendar quotas are cut in it; default UTC.'),
  attributes,
  limits: tenantLimits
    .default([])
    .describe("By name: replaces the plan's, adds to them, or removes one by `unlimited: true`."),
  apiKeys: z
    .array(apiKey)
    .default([])
    .describe('Several may be valid at once. To rotate one, let two have its id, the old one with `expiresAt`.'),
  certificates: z.array(certificate).default([]).describe('Client certificates that stand for the tenant.'),
  consumer: z
    .string()
    .regex(CONSUMER, refusal('is not the name of a consumer', 'the username or id of a consumer that Kong knows,'))
    .optional()
    .describe('Behind Kong: the username or id of the consumer that Kong itself is told of.'),
  billingDay: z
    .int()
    .min(1)
    .max(31)
    .default(1)
    .describe('Where months and years of its quotas begin, 1 to 31; in a shorter month its last day. Default 1.'),
  billingMonth: z
    .int()
    .min(1)
    .max(12)
    .default(1)
    .describe('Where years and periods of several months begin, 1 to 12. Default 1, January.'),
})
