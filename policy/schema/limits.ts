/** `limits:` of plans, tenants, credentials and routes. */
import { z } from 'zod'
import { QUOTA, RATE, rateOf } from '../units.ts'
import { distinct, later, name, notYet, refusal } from './words.ts'

export const rate = z
  .string({ error: refusal('is not a rate', '`N/s`, `N/m`, `N/h` or `N per 30s`') })
  .regex(RATE, refusal('is not a rate', '`N/s`, `N/m`, `N/h` or `N per 30s`'))
  .describe('A token bucket: `5/s`, `300/m`, `1000/h` or `5 per 30s`.')

const LATER_UNIT = /^\d+\/(?:hour|week|month|year)$/

const quota = z
  .string({ error: refusal('is not a quota', '`N/day`') })
  .regex(QUOTA, {
    error: ({ input }) => {
      const isLater = LATER_UNIT.test(String(input))
      return isLater ? notYet('quotas per hour, week, month and year are') : refusal('is not a quota', '`N/day`')
    },
  })
  .describe("A calendar quota: `100/day`, in the tenant's time zone.")

const COUNTED_BY = /^(?:tenant|credential|user|ip|route|header:[!#$%&'*+.^_`|~0-9A-Za-z-]+|claim:\S+)$/

const by = distinct(
  z
    .string()
    .regex(
      COUNTED_BY,
      refusal('cannot be counted by', '`tenant`, `credential`, `user`, `ip`, `route`, `header:x` or `claim:x`'),
    ),
)
  .min(1)
  .default(['tenant'])
  .describe('Whose requests share a bucket: any of tenant, credential, user, ip, route, `header:x`, `claim:x`.')

export const burst = z.int().min(1).max(1_000_000_000)

const fields = {
  name: name('a limit').describe('Unique in its list; what clients see in the rate-limit headers.'),
  rate: rate.optional(),
  quota: quota.optional(),
  burst: burst.optional().describe('How many requests at once; default one unit of the rate.'),
  weighted: z
    .boolean()
    .optional()
    .describe("Whether a route's cost counts against the rate; default false: each request counts one."),
  by,
  expose: z.boolean().default(true).describe('Whether clients are told of this limit.'),
  mode: z
    .enum(['enforce', 'shadow'])
    .default('enforce')
    .describe('`shadow`: it counts, what it would refuse is logged and counted, and let through.'),
  delay: later('delay'),
  onStoreFailure: later('onStoreFailure'),
}

/** A bucket is counted in parts of a token, burst × period of them, which must stay exact whole numbers. */
export function checkExactness({ rate, burst }: Kind, context: z.RefinementCtx): void {
  if (rate === undefined || !RATE.test(rate)) return
  const { tokens, periodMs } = rateOf(rate)
  if ((burst ?? tokens) * periodMs <= Number.MAX_SAFE_INTEGER) return
  const message = refusal('is too large a burst over too long a period to be counted exactly', 'a smaller one')
  context.addIssue({ code: 'custom', path: [burst === undefined ? 'rate' : 'burst'], message })
}

interface Kind {
  rate?: string | undefined
  quota?: string | undefined
  unlimited?: true | undefined
  burst?: number | undefined
  weighted?: boolean | undefined
  mode?: 'enforce' | 'shadow' | undefined
}

function checkKind(kinds: readonly ('rate' | 'quota' | 'unlimited')[]) {
  const list = kinds.map((kind) => `\`${kind}\``).join(', ')
  return (limit: Kind, context: z.RefinementCtx) => {
    const refuse = (path: string[], message: string, fix: string) =>
      context.addIssue({ code: 'custom', path, message: refusal(message, fix) })
    if (kinds.filter((kind) => limit[kind] !== undefined).length !== 1) {
      refuse([], `needs exactly one of ${list}`, '`rate: 5/s` or `quota: 100/day`')
    } else if (limit.unlimited && limit.mode === 'shadow') {
      refuse(['mode'], 'there is no limit left that could be in shadow', 'a limit of another name to try')
    } else if (limit.rate === undefined) {
      if (limit.burst !== undefined) refuse(['burst'], '`burst` belongs to a rate', '`rate:` beside it')
      if (limit.weighted !== undefined)
        refuse(['weighted'], '`weighted` belongs to a rate; a quota always counts the cost', '`rate:` beside it')
    } else checkExactness(limit, context)
  }
}

function oneOf(kinds: readonly string[]) {
  return { oneOf: kinds.map((kind) => ({ required: [kind] })) }
}

/** Limits of one list are told apart by their names. */
function named<T extends z.ZodType<{ name: string }>>(limit: T) {
  return z.array(limit).superRefine((limits, context) => {
    const seen = new Set<string>()
    for (const [index, { name }] of limits.entries()) {
      const message = refusal(`a limit named \`${name}\` stands in this list already`, 'another name')
      if (seen.has(name)) context.addIssue({ code: 'custom', path: [index, 'name'], message })
      seen.add(name)
    }
  })
}

const onlyTenants = z
  .never({ error: refusal('only a tenant can remove a limit', 'no limit at all') })
  .optional()
  .describe('Only in the limits of a tenant.')

/** Limits of a plan, a route or a credential. */
export const limits = named(
  z
    .strictObject({ ...fields, unlimited: onlyTenants })
    .superRefine(checkKind(['rate', 'quota']))
    .meta(oneOf(['rate', 'quota'])),
)

/** Limits of a tenant, which may also remove one of the plan's. */
export const tenantLimits = named(
  z
    .strictObject({
      ...fields,
      unlimited: z.literal(true).optional().describe("Removes the plan's limit of this name."),
    })
    .superRefine(checkKind(['rate', 'quota', 'unlimited']))
    .meta(oneOf(['rate', 'quota', 'unlimited'])),
)

export type LimitEntry = z.output<typeof tenantLimits>[number]
