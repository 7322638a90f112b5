/** The options of `kong-plugin-server`: read from the command line and the environment, checked, and made into values. */
import { isAbsolute } from 'node:path'
import type { Io } from '../io.ts'
import { readOptions } from '../options.ts'
import { type ListenAddress, readListenAddress } from '../service/listen-address.ts'
import {
  durationMs,
  noDuration,
  readServiceOptions,
  SERVICE_SPECS,
  type ServiceOptions,
  type WrongOptions,
  wrongInput,
  wrongUse,
} from '../service/service-options.ts'

export interface PluginServerOptions extends ServiceOptions {
  readonly socket: ListenAddress
  /** How long a plugin may take for one event. */
  readonly eventTimeoutMs: number
  /** How many events may be under way. */
  readonly maxEvents: number
}

type ReadPluginServerOptions =
  | { readonly ok: true; readonly options: PluginServerOptions }
  /** Nothing is served: the plugin of this name is to be described. */
  | { readonly ok: true; readonly describe: string }
  | WrongOptions

const SPECS = {
  ...SERVICE_SPECS,
  socket: { type: 'string' },
  'event-timeout': { type: 'string' },
  'max-events': { type: 'string' },
  describe: { type: 'string' },
} as const

const DEFAULT_HTTP = 'off'
const DEFAULT_EVENT_TIMEOUT = '1s'
const DEFAULT_MAX_EVENTS = '1024'

/** Where kong.conf has it. */
const EXAMPLE = '/run/tenantgate/kong.sock'

const COUNT = /^[1-9]\d{0,5}$/

/** Reads the options; what cannot be had is told in words. */
export function readPluginServerOptions(argv: readonly string[], env: Io['env']): ReadPluginServerOptions {
  const read = readAll(argv, env)
  return read.ok ? read : { ...read, problem: `kong-plugin-server: ${read.problem}` }
}

function readAll(argv: readonly string[], env: Io['env']): ReadPluginServerOptions {
  const read = readOptions(SPECS, argv, env)
  if (!read.ok) return wrongUse(read.problem)
  const { socket, describe, 'event-timeout': timeout = DEFAULT_EVENT_TIMEOUT } = read.options
  const { 'max-events': maxEvents = DEFAULT_MAX_EVENTS } = read.options
  if (describe !== undefined) return { ok: true, describe }
  const service = readServiceOptions(read.options, read.positionals, DEFAULT_HTTP, env)
  if (!service.ok) return service
  if (socket === undefined) return wrongUse('which socket? Give --socket PATH, as pluginserver_…_socket in kong.conf')
  const eventTimeoutMs = durationMs(timeout)
  if (!eventTimeoutMs) return wrongUse(noDuration('event-timeout', timeout))
  if (!COUNT.test(maxEvents)) return wrongUse(`--max-events is a number from 1 to 999999, not '${maxEvents}'`)
  const path = socket.replace(/^unix:/, '')
  if (!isAbsolute(path))
    return wrongInput(`--socket: '${socket}' is not an absolute path; write one, such as ${EXAMPLE}`)
  const address = readListenAddress(`unix:${path}`)
  if (!address.ok) return wrongInput(`--socket: ${address.problem}`)
  const options = { ...service.options, socket: address.address, eventTimeoutMs, maxEvents: Number(maxEvents) }
  return { ok: true, options }
}
