/** The options that every service has: the policy, the listener for probes, the bound of a drain, the level of the log. */
import { spanMs } from '../../core/spans.ts'
import { LOG_LEVELS, type LogLevel } from '../../telemetry/log.ts'
import { readAdminToken } from '../admin/admin-token.ts'
import { badInput, type Io, wrongUse as tellWrongUse } from '../io.ts'
import { type ListenAddress, readAddress, readListenAddress } from './listen-address.ts'

export interface ServiceOptions {
  readonly policyFile: string
  /** Where probes and metrics are served; undefined for nowhere. */
  readonly http: ListenAddress | undefined
  readonly drainTimeoutMs: number
  readonly logLevel: LogLevel
  /** Path of the file that keeps issued keys and revocations; undefined for memory. */
  readonly state: string | undefined
  /** Path of the audit, or `stdout`; undefined for none. */
  readonly audit: string | undefined
  readonly admin: { readonly address: ListenAddress; readonly token: string } | undefined
}

/** `wrong` is what is wrong: the use of the command, or an address that was asked for. */
export interface WrongOptions {
  readonly ok: false
  readonly wrong: 'use' | 'input'
  readonly problem: string
}

type ReadServiceOptions = { readonly ok: true; readonly options: ServiceOptions } | WrongOptions

export const SERVICE_SPECS = {
  policy: { type: 'string' },
  http: { type: 'string' },
  'drain-timeout': { type: 'string' },
  'log-level': { type: 'string' },
  state: { type: 'string' },
  audit: { type: 'string' },
  admin: { type: 'string' },
  'admin-token-file': { type: 'string' },
} as const

/** What was given of them, as text. */
interface GivenOptions {
  readonly policy?: string
  readonly http?: string
  readonly 'drain-timeout'?: string
  readonly 'log-level'?: string
  readonly state?: string
  readonly audit?: string
  readonly admin?: string
  readonly 'admin-token-file'?: string
}

const DEFAULT_DRAIN_TIMEOUT = '10s'

/** Checks the options, in `defaultHttp`'s place where `--http` is not given; what cannot be had is told in words. */
export function readServiceOptions(
  given: GivenOptions,
  positionals: readonly string[],
  defaultHttp: string,
  env: Io['env'],
): ReadServiceOptions {
  const { policy, http = defaultHttp, 'log-level': logLevel = 'info' } = given
  const { 'drain-timeout': drainTimeout = DEFAULT_DRAIN_TIMEOUT } = given
  const [stray] = positionals
  if (stray !== undefined) return wrongUse(`'${stray}' is not an option; the policy is given by --policy FILE`)
  if (/^rediss?:/.test(policy ?? '')) return wrongUse('--policy redis://… is not supported yet; give a file')
  if (policy === undefined) return wrongUse('which policy? Give --policy FILE')
  if (!isLogLevel(logLevel)) return wrongUse(`--log-level is one of ${LOG_LEVELS.join(', ')}, not '${logLevel}'`)
  const drainTimeoutMs = durationMs(drainTimeout)
  if (drainTimeoutMs === undefined) return wrongUse(noDuration('drain-timeout', drainTimeout))
  const admin = readAdmin(given, env)
  if (!admin.ok) return admin
  const { state, audit } = given
  const options = { policyFile: policy, drainTimeoutMs, logLevel, state, audit: orOff(audit), admin: admin.admin }
  if (http === 'off') return { ok: true, options: { ...options, http: undefined } }
  const read = readAddress(http)
  if (!read.ok) return wrongInput(`--http: ${read.problem}`)
  return { ok: true, options: { ...options, http: read.address } }
}

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
