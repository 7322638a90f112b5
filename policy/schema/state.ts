/** `state:` where limits, issued keys, revocations and usage live, and what an instance holds of it. */
import { z } from 'zod'
import { PREFIX, PREFIX_WORDS, readRedisAddress } from '../redis-address.ts'
import { durationMs } from '../units.ts'
import { secretReference } from './secrets.ts'
import { durationWithin, refusal } from './words.ts'

const store = z
  .string()
  .superRefine((text, context) => {
    if (text === 'memory') return
    const refuse = (message: string, fix: string) =>
      context.addIssue({ code: 'custom', message: refusal(message, fix) })
    const address = readRedisAddress(text)
    if (!address.ok) return refuse(address.problem, '')
    const { username, password } = address.place
    if (username === undefined && password === undefined) return
    refuse('holds a name or a password', 'them in `username` and `password: { env: NAME }`')
  })
  .default('memory')
  .meta({ pattern: '^(?:memory|rediss?(?:\\+(?:sentinel|cluster))?://[^@]+)$' })
  .describe(
    '`memory`: this process alone. Many instances share a Redis: `redis://host:6379/0`, `redis+sentinel://one,two/primary`, `redis+cluster://one,two`; `rediss` for TLS.',
  )

const file = z.string().min(1)

const noLease = refusal('is neither `off` nor a duration between 10ms and 10s', '`10ms` to `10s`, or `off`')

const lease = z
  .string({ error: noLease })
  .refine((text) => text === 'off' || durationWithin('10ms', '10s').safeParse(text).success, { error: noLease })
  .default('250ms')
  .describe(
    'For how long units that an instance has drawn ahead are its own, `10ms` to `10s`; `off`: each request asks the store.',
  )

const fields = {
  store,
  username: z.string().min(1).optional().describe('Whom a Redis knows us as, where it has users.'),
  password: secretReference.optional().describe('What it wants to hear.'),
  sentinelPassword: secretReference.optional().describe('What its sentinels want to hear, where they want anything.'),
  prefix: z
    .string()
    .regex(PREFIX, refusal('is nothing that keys may begin with', `${PREFIX_WORDS},`))
    .optional()
    .describe('What all keys begin with, so that several may share a Redis; default `tenantgate`.'),
  ca: file.optional().describe('The authorities that may have signed its certificate: a file in PEM.'),
  certificate: file.optional().describe('Our own certificate, where it wants one: a file in PEM.'),
  key: secretReference.optional().describe('The private key of `certificate`, in PEM.'),
  cache: durationWithin('1s', '1h')
    .default('60s')
    .describe('For how long what was found of a tenant or a key is used without asking again, `1s` to `1h`.'),
  staleFor: durationWithin('1s', '24h')
    .default('10m')
    .describe(
      'For how long what was known last holds while the store is away, `1s` to `24h`; then credentials are refused.',
    ),
  timeout: durationWithin('1ms', '1s')
    .default('10ms')
    .describe(
      'For how long a decision waits for its limits, `1ms` to `1s`; then `onStoreFailure` of each limit holds.',
    ),
  lookupTimeout: durationWithin('1ms', '10s')
    .default('100ms')
    .describe('For how long a decision waits for a tenant or a key, `1ms` to `10s`; then it is refused.'),
  lease,
}

type State = z.output<z.ZodObject<typeof fields>>

interface Misfit {
  /** The key that does not fit. */
  readonly key: keyof State
  readonly beside: (state: State) => boolean
  readonly message: string
  readonly fix: string
}

const isMemory = ({ store }: State) => store === 'memory'
const place = ({ store }: State) => {
  const read = readRedisAddress(store)
  return read.ok ? read.place : undefined
}
const isPlain = (state: State) => !isMemory(state) && place(state) !== undefined && !place(state)?.tls

const OF_REDIS = ['username', 'password', 'sentinelPassword', 'prefix', 'ca', 'certificate', 'key'] as const
const OF_TLS = ['ca', 'certificate', 'key'] as const

/** Keys that mean nothing beside others; the first one that is found for a key is told. */
const MISFITS: readonly Misfit[] = [
  ...OF_REDIS.map((key) => ({
    key,
    beside: isMemory,
    message: `\`${key}\` belongs to a Redis, and \`store\` is memory`,
    fix: `\`store: redis://host:6379\` beside it, or no \`${key}\`,`,
  })),
  ...OF_TLS.map((key) => ({
    key,
    beside: isPlain,
    message: `\`${key}\` is for TLS, and \`store\` asks for none`,
    fix: '`rediss://…`',
  })),
  {
    key: 'username',
    beside: ({ password }) => password === undefined,
    message: 'a name alone opens nothing',
    fix: '`password: { env: NAME }` beside it',
  },
  {
    key: 'sentinelPassword',
    beside: (state) => place(state) !== undefined && place(state)?.kind !== 'sentinel',
    message: '`store` names no sentinels',
    fix: '`redis+sentinel://host1,host2/primary`',
  },
  {
    key: 'prefix',
    beside: ({ store }) => store.includes('?'),
    message: 'the address in `store` has a prefix already',
    fix: 'it in one of the two places',
  },
  {
    key: 'certificate',
    beside: ({ key }) => key === undefined,
    message: 'a certificate is of no use without its `key`',
    fix: '`key: { file: path }` beside it',
  },
  {
    key: 'key',
    beside: ({ certificate }) => certificate === undefined,
    message: 'a key is of no use without its `certificate`',
    fix: '`certificate: path` beside it',
  },
  {
    key: 'staleFor',
    beside: ({ staleFor, cache }) => durationMs(staleFor) < durationMs(cache),
    message: 'is shorter than `cache`, for which nothing is asked again',
    fix: 'a longer time, or a shorter `cache`,',
  },
]

export const state = z
  .strictObject(fields)
  .superRefine((value, context) => {
    const told = new Set<string>()
    for (const { key, beside, message, fix } of MISFITS) {
      if (value[key] === undefined || told.has(key) || !beside(value)) continue
      told.add(key)
      context.addIssue({ code: 'custom', path: [key], message: refusal(message, fix) })
    }
  })
  .prefault({})
  .describe('Where limits, issued keys, revocations and usage live, and what an instance holds of it.')
