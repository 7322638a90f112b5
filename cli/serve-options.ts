/** The options of `serve`: read from the command line and the environment, checked, and made into values. */
import { LOG_LEVELS, type LogLevel } from '../telemetry/log.ts'
import type { Io } from './io.ts'
import { type ListenAddress, readAddress, readListenAddress } from './listen-address.ts'
import { readOptions } from './options.ts'

export interface ServeOptions {
  readonly policyFile: string
  /** At least one. */
  readonly listen: readonly ListenAddress[]
  /** Where probes and metrics are served; undefined for nowhere. */
  readonly http: ListenAddress | undefined
  readonly drainTimeoutMs: number
  readonly logLevel: LogLevel
}

export type ReadServeOptions =
  | { readonly ok: true; readonly options: ServeOptions }
  /** `wrong` is what is wrong: the use of the command, or an address that was asked for. */
  | { readonly ok: false; readonly wrong: 'use' | 'input'; readonly problem: string }

const SPECS = {
  policy: { type: 'string' },
  listen: { type: 'string', multiple: true },
  http: { type: 'string' },
  'drain-timeout': { type: 'string' },
  'log-level': { type: 'string' },
  admin: { type: 'string' },
  'ratelimit-config': { type: 'string' },
} as const

const DEFAULT_LISTEN = '127.0.0.1:9001'
const DEFAULT_HTTP = '127.0.0.1:9002'
const DEFAULT_DRAIN_TIMEOUT = '10s'

const DURATION = /^(\d{1,6})(ms|s|m)$/
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

const wrongUse = (problem: string): ReadServeOptions => ({ ok: false, wrong: 'use', problem: `serve: ${problem}` })

/** Reads the options of `serve`; what cannot be had is told in words. */
export function readServeOptions(argv: readonly string[], env: Io['env']): ReadServeOptions {
  const read = readOptions(SPECS, argv, env)
  if (!read.ok) return wrongUse(read.problem)
  const { policy, http = DEFAULT_HTTP, listen = [DEFAULT_LISTEN] } = read.options
  const { 'log-level': logLevel = 'info', 'drain-timeout': drainTimeout = DEFAULT_DRAIN_TIMEOUT } = read.options
  const [stray] = read.positionals
  if (stray !== undefined) return wrongUse(`'${stray}' is not an option; the policy is given by --policy FILE`)
  const unsupported = notSupportedYet(read.options)
  if (unsupported !== undefined) return wrongUse(unsupported)
  if (policy === undefined) return wrongUse('which policy? Give --policy FILE')
  if (!isLogLevel(logLevel)) return wrongUse(`--log-level is one of ${LOG_LEVELS.join(', ')}, not '${logLevel}'`)
  const drainTimeoutMs = durationMs(drainTimeout)
  if (drainTimeoutMs === undefined) {
    return wrongUse(`--drain-timeout is a time such as 10s or 500ms, not '${drainTimeout}'`)
  }
  return withAddresses(listen, http, { policyFile: policy, drainTimeoutMs, logLevel })
}

function withAddresses(
  listen: readonly string[],
  http: string,
  rest: Pick<ServeOptions, 'policyFile' | 'drainTimeoutMs' | 'logLevel'>,
): ReadServeOptions {
  const addresses: ListenAddress[] = []
  for (const [option, text] of [...listen.map((text) => ['listen', text] as const), ['http', http] as const]) {
    if (option === 'http' && text === 'off') continue
    const read = option === 'http' ? readAddress(text) : readListenAddress(text)
    if (!read.ok) return { ok: false, wrong: 'input', problem: `serve: --${option}: ${read.problem}` }
    addresses.push(read.address)
  }
  const httpAddress = http === 'off' ? undefined : addresses.pop()
  return { ok: true, options: { ...rest, listen: addresses, http: httpAddress } }
}

/** What a later version will do is said, never ignored. */
function notSupportedYet(options: {
  policy?: string
  admin?: string
  'ratelimit-config'?: string
}): string | undefined {
  if (options.admin !== undefined) return '--admin is not supported yet'
  if (options['ratelimit-config'] !== undefined) return '--ratelimit-config is not supported yet'
  if (/^rediss?:/.test(options.policy ?? '')) return '--policy redis://… is not supported yet; give a file'
  return undefined
}

function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text)
}

function durationMs(text: string): number | undefined {
  const [, count, unit = ''] = DURATION.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * (UNIT_MS[unit] ?? 0)
}
