/** `limits:` of plans, tenants, credentials and routes. */
import { z } from 'zod'
import { CENTURY_MS, QUOTA, quotaOf, RATE, rateOf } from '../units.ts'
import { distinct, durationWithin, name, refusal } from './words.ts'

const TOO_LONG = refusal('has a period of more than a hundred years', 'a shorter one')

export const rate = z
  .string({ error: refusal('is not a rate', '`N/s`, `N/m`, `N/h` or `N per 30s`') })
  .regex(RATE, refusal('is not a rate', '`N/s`, `N/m`, `N/h` or `N per 30s`'))
  .refine((text) => !RATE.test(text) || rateOf(text).periodMs <= CENTURY_MS, { error: TOO_LONG })
  .describe('A token bucket: `5/s`, `300/m`, `1000/h` or `5 per 30s`.')

/** What belongs under `rate`. */
const RATE_LIKE = /^\d+ *\/ *(?:s|sec|seconds?|m|min|minutes?|h)$/
const QUOTA_FIX = '`N/hour`, `N/day`, `N/week`, `N/month`, `N/year`, or `N per 14d` (s, m, h, d, w, mo, y)'

const quota = z
  .string({ error: refusal('is not a quota', QUOTA_FIX) })
  .regex(QUOTA, {
    error: ({ input }) =>
      RATE_LIKE.test(String(input))
        ? refusal('is a rate and not a quota', '`rate: 5/s`, or a quota such as `100/hour` or `100 per 60s`')
        : refusal('is not a quota', QUOTA_FIX),
  })
  .refine((text) => !QUOTA.test(text) || !quotaOf(text).tooLong, { error: TOO_LONG })
  .describe("A calendar quota: `100/day`, or `1000 per 3mo` (s, m, h, d, w, mo, y), in the tenant's time zone.")

const unit = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,63}$/,
    refusal('is not a unit', 'a word of a–z, 0–9 and - that begins with a letter, such as `content-bytes`,'),
  )
  .optional()
  .describe('What is counted; default `requests`. Anything else, such as `content-bytes`, is counted by reports.')

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
  unit,
  delay: durationWithin('1ms', '5s')
    // for editors, which know no durations
    .meta({ pattern: '^(?:[1-9]\\d{0,2}ms|[1-4]\\d{3}ms|5000ms|[1-5]s)$' })
    .optional()
    .describe('For how long a request may wait for its tokens instead of being refused, `1ms` to `5s`; of a rate.'),
  exact: z
    .boolean()
    .optional()
    .describe(
      'Whether every request asks the store that instances share, instead of drawing units ahead; default false.',
    ),
  onStoreFailure: z
    .enum(['local', 'allow', 'deny'])
    .optional()
    .describe(
      "What holds while that store does not answer; default `local`: this instance's share of what was left. `allow`: no limit. `deny`: 503.",
    ),
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
  delay?: string | undefined
  unit?: string | undefined
  mode?: 'enforce' | 'shadow' | undefined
  exact?: boolean | undefined
  onStoreFailure?: 'local' | 'allow' | 'deny' | undefined
}

interface Misfit {
  /** The key that does not fit. */
  readonly key: keyof Kind
  readonly beside: (limit: Kind) => boolean
  readonly message: string
  readonly fix: string
}

const isNoRate = ({ rate }: Kind) => rate === undefined
const isRemoved = ({ unlimited }: Kind) => unlimited === true
const isReported = ({ unit }: Kind) => unit !== undefined && unit !== 'requests'

/** Keys that mean nothing beside others; the first one that is found for a key is told. */
const MISFITS: readonly Misfit[] = [
  {
    key: 'burst',
    beside: isNoRate,
    message: '`burst` belongs to a rate',
    fix: 'the limit without `burst`, or `rate:` in place of `quota:`,',
  },
  {
    key: 'weighted',
    beside: isNoRate,
    message: '`weighted` belongs to a rate; a quota always counts the cost',
    fix: 'the limit without `weighted`, or `rate:` in place of `quota:`,',
  },
  {
    key: 'delay',
    beside: isNoRate,
    message: '`delay` belongs to a rate; nobody waits for the next window of a quota',
    fix: 'the limit without `delay`, or `rate:` in place of `quota:`,',
  },
  {
    key: 'weighted',
    beside: isReported,
    message: "a limit of another unit than requests counts what is reported, and no route's cost",
    fix: 'the limit without `weighted`',
  },
  {
    key: 'delay',
    beside: isReported,
    message: 'only requests can wait, and this limit counts something else',
    fix: 'the limit without `delay`',
  },
  {
    key: 'delay',
    beside: ({ mode }) => mode === 'shadow',
    message: 'a limit in shadow delays nobody',
    fix: 'the limit without `delay`, or without `mode: shadow`',
  },
  {
    key: 'exact',
    beside: isRemoved,
    message: 'there is no limit left that could be exact',
    fix: '`unlimited: true` alone',
  },
  {
    key: 'onStoreFailure',
    beside: isRemoved,
    message: 'there is no limit left that a store would be asked for',
    fix: '`unlimited: true` alone',
  },
]

function checkKind(kinds: readonly ('rate' | 'quota' | 'unlimited')[]) {
  const list = kinds.map((kind) => `\`${kind}\``).join(', ')
  return (limit: Kind, context: z.RefinementCtx) => {
    const refuse = (path: string[], message: string, fix: string) =>
      context.addIssue({ code: 'custom', path, message: refusal(message, fix) })
    if (kinds.filter((kind) => limit[kind] !== undefined).length !== 1) {
      refuse([], `needs exactly one of ${list}`, '`rate: 5/s` or `quota: 100/day`')
    } else if (limit.unlimited && limit.mode === 'shadow') {
      refuse(['mode'], 'there is no limit left that could be in shadow', 'a limit of another name to try')
    } else {
      const told = new Set<string>()
      for (const { key, beside, message, fix } of MISFITS) {
        if (limit[key] === undefined || told.has(key) || !beside(limit)) continue
        told.add(key)
        refuse([key], message, fix)
      }
      checkExactness(limit, context)
    }
  }
}

const withAny = (keys: readonly string[]) => ({ anyOf: keys.map((key) => ({ required: [key] })) })

/** What `checkKind` checks, in the words of JSON Schema, so that editors show it too. */
function kindSchema(kinds: readonly ('rate' | 'quota' | 'unlimited')[]) {
  const isReported = { required: ['unit'], properties: { unit: { not: { const: 'requests' } } } }
  const isInShadow = { required: ['mode'], properties: { mode: { const: 'shadow' } } }
  return {
    // each shuts out the other kinds itself: `oneOf` would let two pass where a further key spoils one of them
    oneOf: kinds.map((kind) => {
      const others = kinds.filter((other) => other !== kind)
      return { required: [kind], not: withAny(kind === 'rate' ? others : [...others, 'burst', 'weighted', 'delay']) }
    }),
    not: {
      anyOf: [
        { ...isReported, ...withAny(['weighted', 'delay']) },
        { ...isInShadow, ...withAny(['delay', 'unlimited']) },
        ...(kinds.includes('unlimited') ? [{ required: ['unlimited'], ...withAny(['exact', 'onStoreFailure']) }] : []),
      ],
    },
  }
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
    .meta(kindSchema(['rate', 'quota'])),
)

/** Limits of a tenant, which may also remove one of the plan's. */
export const tenantLimits = named(
  z
    .strictObject({
      ...fields,
      unlimited: z.literal(true).optional().describe("Removes the plan's limit of this name."),
    })
    .superRefine(checkKind(['rate', 'quota', 'unlimited']))
    .meta(kindSchema(['rate', 'quota', 'unlimited'])),
)

export type LimitEntry = z.output<typeof tenantLimits>[number]
