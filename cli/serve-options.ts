/** The options of `serve`: read from the command line and the environment, checked, and made into values. */
import type { Io } from './io.ts'
import { readOptions } from './options.ts'
import { type ListenAddress, readAddress } from './service/listen-address.ts'
import { type RatelimitOptions, readRatelimitOptions } from './service/ratelimit-options.ts'
import {
  readServiceOptions,
  SERVICE_SPECS,
  type ServiceOptions,
  type WrongOptions,
  wrongInput,
  wrongUse,
} from './service/service-options.ts'
import { readTlsOptions, TLS_SPECS, type TlsOptions } from './tls-options.ts'

export interface ServeOptions extends ServiceOptions {
  /** At least one. */
  readonly listen: readonly ListenAddress[]
  /** Undefined where all of `listen` is for this machine alone. */
  readonly tls: TlsOptions | undefined
  /** Undefined where no folder of ratelimit configuration is given. */
  readonly ratelimit: RatelimitOptions | undefined
}

export type ReadServeOptions = { readonly ok: true; readonly options: ServeOptions } | WrongOptions

const SPECS = {
  ...SERVICE_SPECS,
  ...TLS_SPECS,
  listen: { type: 'string', multiple: true },
  'ratelimit-config': { type: 'string' },
} as const

const DEFAULT_LISTEN = '127.0.0.1:9001'
const DEFAULT_HTTP = '127.0.0.1:9002'

/** Reads the options of `serve`; what cannot be had is told in words. */
export function readServeOptions(argv: readonly string[], env: Io['env']): ReadServeOptions {
  const read = readAll(argv, env)
  return read.ok ? read : { ...read, problem: `serve: ${read.problem}` }
}

function readAll(argv: readonly string[], env: Io['env']): ReadServeOptions {
  const read = readOptions(SPECS, argv, env)
  if (!read.ok) return wrongUse(read.problem)
  const { listen = [DEFAULT_LISTEN], 'ratelimit-config': folder } = read.options
  const service = readServiceOptions(read.options, read.positionals, DEFAULT_HTTP, env)
  if (!service.ok) return service
  const addresses: ListenAddress[] = []
  for (const text of listen) {
    const address = readAddress(text)
    if (!address.ok) return wrongInput(`--listen: ${address.problem}`)
    addresses.push(address.address)
  }
  const tls = readTlsOptions(read.options, addresses)
  if (!tls.ok) return tls
  const ratelimit = folder === undefined ? undefined : readRatelimitOptions(folder, env)
  if (ratelimit?.ok === false) return wrongUse(ratelimit.problem)
  const own = { listen: addresses, tls: tls.options, ratelimit: ratelimit?.options }
  return { ok: true, options: { ...service.options, ...own } }
}
