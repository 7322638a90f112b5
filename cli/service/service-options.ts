/** The options that every service has: the policy, the listener for probes, the bound of a drain, the level of the log. */
import type { RedisPlace } from '../../core/policy.ts'
import { spanMs } from '../../core/spans.ts'
import { REDIS_SCHEME } from '../../policy/redis-address.ts'
import { LOG_LEVELS, type LogLevel } from '../../telemetry/log.ts'
import { readAdminToken } from '../admin/admin-token.ts'
import { badInput, type Io, wrongUse as tellWrongUse } from '../io.ts'
import type { Options } from '../options.ts'
import { REDIS_SPECS, readPlace } from '../redis-options.ts'
import { type ListenAddress, readAddress, readListenAddress } from './listen-address.ts'

export interface ServiceOptions {
  readonly policy: PolicySource
  /** Path of a policy that is only tried; undefined for none. */
  readonly candidate: string | undefined
  /** Where probes and metrics are served; undefined for nowhere. */
  readonly http: ListenAddress | undefined
  readonly drainTimeoutMs: number
  readonly logLevel: LogLevel
  /** Path of the file that keeps issued keys and revocations; undefined for memory. */
  readonly state: string | undefined
  /** Path of the audit, or `stdout`; undefined for none. */
  readonly audit: string | undefined
  readonly admin: { readonly address: ListenAddress; readonly token: string } | undefined
  /** Path of the module that makes the OpenFeature provider; undefined for none. */
  readonly flagProvider: string | undefined
}

/** Where the policy comes from: a file with all its tenants, or the Redis into which one was imported. */
export type PolicySource =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'redis'; readonly place: RedisPlace }

/** `wrong` is what is wrong: the use of the command, or an address that was asked for. */
export interface WrongOptions {
  readonly ok: false
  readonly wrong: 'use' | 'input'
  readonly problem: string
}

type ReadServiceOptions = { readonly ok: true; readonly options: ServiceOptions } | WrongOptions

/** The policy itself names the Redis. */
const { redis: _, ...ofRedis } = REDIS_SPECS

export const SERVICE_SPECS = {
  ...ofRedis,
  policy: { type: 'string' },
  candidate: { type: 'string' },
  http: { type: 'string' },
  'drain-timeout': { type: 'string' },
  'log-level': { type: 'string' },
  state: { type: 'string' },
  audit: { type: 'string' },
  admin: { type: 'string' },
  'admin-token-file': { type: 'string' },
  'flag-provider': { type: 'string' },
} as const

/** What was given of them, as text. */
type GivenOptions = Options<typeof SERVICE_SPECS>

const DEFAULT_DRAIN_TIMEOUT = '10s'

/** Checks the options, in `defaultHttp`'s place where `--http` is not given; what cannot be had is told in words. */
export function readServiceOptions(
  given: GivenOptions,
  positionals: readonly string[],
  defaultHttp: string,
  env: Io['env'],
): ReadServiceOptions {
  const { http = defaultHttp, 'log-level': logLevel = 'info' } = given
  const { 'drain-timeout': drainTimeout = DEFAULT_DRAIN_TIMEOUT } = given
  const [stray] = positionals
  if (stray !== undefined) return wrongUse(`'${stray}' is not an option; the policy is given by --policy FILE`)
  const source = readSource(given, env)
  if (!source.ok) return source
  if (!isLogLevel(logLevel)) return wrongUse(`--log-level is one of ${LOG_LEVELS.join(', ')}, not '${logLevel}'`)
  const drainTimeoutMs = durationMs(drainTimeout)
  if (drainTimeoutMs === undefined) return wrongUse(noDuration('drain-timeout', drainTimeout))
  const admin = readAdmin(given, env)
  if (!admin.ok) return admin
  const { state, audit, candidate, 'flag-provider': flagProvider } = given
  if (candidate?.includes('://')) return wrongUse(`--candidate is a file, not '${candidate}'`)
  const { policy } = source
  const own = { policy, drainTimeoutMs, logLevel, state, audit: orOff(audit), admin: admin.admin }
  const options = { ...own, candidate, flagProvider }
  if (http === 'off') return { ok: true, options: { ...options, http: undefined } }
  const read = readAddress(http)
  if (!read.ok) return wrongInput(`--http: ${read.problem}`)
  return { ok: true, options: { ...options, http: read.address } }
}

type ReadSource = { readonly ok: true; readonly policy: PolicySource } | WrongOptions

/** From `--policy` and what belongs to it. */
export function readSource(given: GivenOptions, env: Io['env']): ReadSource {
  const { policy } = given
  if (policy === undefined) return wrongUse('which policy? Give --policy FILE, or --policy redis://…')
  const named = REDIS_SCHEME.test(policy) ? { redis: policy } : {}
  const read = readPlace({ ...given, ...named }, env, '--policy')
  if (!read.ok) return wrongUse(read.problem)
  if (read.place === undefined && policy.includes('://')) {
    return wrongUse(
      `--policy is a file or redis://… (rediss://…, redis+sentinel://…, redis+cluster://…), not '${policy}'`,
    )
  }
  if (read.place === undefined) return { ok: true, policy: { kind: 'file', file: policy } }
  if (given.state !== undefined) return wrongUse(`--state: ${NO_STATE_FILE}`)
  return { ok: true, policy: { kind: 'redis', place: read.place } }
}

/** What is said of a state file beside a Redis. */
export const NO_STATE_FILE =
  'issued keys and revocations stand in Redis, which all instances share; a file is for `state.store: memory`, leave it out'

function orOff(text: string | undefined): string | undefined {
  return text === 'off' ? undefined : text
}

type ReadAdmin = { readonly ok: true; readonly admin: ServiceOptions['admin'] } | WrongOptions

/** Nobody administers what anybody could: without a token there is no listener. */
function readAdmin({ admin, 'admin-token-file': tokenFile }: GivenOptions, env: Io['env']): ReadAdmin {
  if (admin === undefined || admin === 'off') return { ok: true, admin: undefined }
  const read = readListenAddress(admin)
  if (!read.ok) return wrongInput(`--admin: ${read.problem}`)
  const token = readAdminToken(tokenFile, env)
  if (!token.ok) return wrongUse(`--admin: ${token.problem}`)
  return { ok: true, admin: { address: read.address, token: token.token } }
}

export const wrongUse = (problem: string): WrongOptions => ({ ok: false, wrong: 'use', problem })
export const wrongInput = (problem: string): WrongOptions => ({ ok: false, wrong: 'input', problem })

/** Milliseconds of a text such as `10s`; undefined when it is none, or more than a timer can wait. */
export function durationMs(text: string): number | undefined {
  const ms = spanMs(text, ['ms', 's', 'm'])
  return ms === undefined || ms > LONGEST_TIMER_MS ? undefined : ms
}

const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What is said of an option whose text is no duration that can be used. */
export function noDuration(option: string, text: string): string {
  return `--${option} is a time such as 10s or 500ms, not '${text}'`
}

function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text)
}

/** Tells what is wrong with the options; the exit code. */
export function refuseOptions(io: Io, { wrong, problem }: WrongOptions): number {
  return wrong === 'use' ? tellWrongUse(io, problem) : badInput(io, [`tenantgate: ${problem}`])
}
