/** A plugin server with plugins of a test's own on a real Unix socket, and Kong's side of it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Kong, PluginEvent, PluginInstance, PluginModule } from '../../../kong/pdk.ts'
import { framed } from '../../../kong/plugin-server/frames.ts'
import { type Call, loadProtocol } from '../../../kong/plugin-server/protocol.ts'
import { createPluginServer, type Limits, type PluginServer } from '../../../kong/plugin-server/server.ts'
import { type CallPdk, createKongRpc, type EventOutcome, type KongRpc } from '../harness/pb-client.ts'

export type Access = (kong: Kong, event: PluginEvent, config: Readonly<Record<string, unknown>>) => unknown

/** A plugin of which only the access phase is said. */
export function pluginOf(access: Access): PluginModule<undefined> {
  return {
    Plugin: class implements PluginInstance {
      readonly #config: Readonly<Record<string, unknown>>

      constructor(config: Readonly<Record<string, unknown>>) {
        if (config.wrong !== undefined) throw new TypeError('there is no field `wrong`')
        this.#config = config
      }

      access(kong: Kong, event?: PluginEvent): Promise<unknown> {
        return access(kong, event as PluginEvent, this.#config) as Promise<unknown>
      }
    },
    Schema: [],
    Version: '0.1.0',
    Priority: 1240,
  }
}

export interface Running {
  readonly server: PluginServer
  readonly path: string
  readonly kong: KongRpc
  readonly faults: unknown[]
  readonly rejected: string[]
  /** Runs the plugin for one request, with these answers of the PDK; what it called stands in `calls`. */
  request(options?: RequestOptions): Promise<EventOutcome>
  readonly calls: [method: string, ...args: unknown[]][]
  /** Accepts no more connections. */
  close(): void
}

export interface RequestOptions {
  readonly plugin?: string
  readonly id?: string
  readonly config?: Readonly<Record<string, unknown>>
  readonly pdk?: Readonly<Record<string, unknown>>
  readonly phase?: string
}

export interface StartOptions {
  readonly limits?: Partial<Limits>
  readonly readTimeoutMs?: number
  readonly firstInstanceId?: number
  readonly path?: string
  readonly hasHalted?: () => boolean
  readonly elapsed?: () => number
}

/** Starts a server with one plugin, `gate`, or several; all ends with the test. */
export async function start(
  plugins: Access | Readonly<Record<string, Access>>,
  options: StartOptions = {},
): Promise<Running> {
  const { limits = {}, readTimeoutMs = 5000, firstInstanceId = 1000, hasHalted } = options
  const faults: unknown[] = []
  const rejected: string[] = []
  const calls: Running['calls'] = []
  const named = Object.entries(typeof plugins === 'function' ? { gate: plugins } : plugins)
  const server = createPluginServer({
    plugins: new Map(named.map(([name, access]) => [name, pluginOf(access)])),
    decide: undefined,
    onFault: (fault) => faults.push(fault),
    onRejected: (plugin, because) => rejected.push(`${plugin}: ${because}`),
    now: () => 0,
    elapsed: options.elapsed ?? (() => performance.now()),
    firstInstanceId,
    limits,
    ...(hasHalted && { hasHalted }),
  })
  const path = options.path ?? newPath()
  const entrance = createServer((socket) => server.accept(socket))
  await new Promise<void>((resolve) => entrance.listen(path, resolve))
  const kong = createKongRpc({ socket: path, readTimeoutMs })
  onTestFinished(async () => {
    kong.close()
    entrance.close()
    await server.drain(0)
  })
  const request = ({ plugin = 'gate', id = plugin, config = {}, pdk = {}, phase = 'access' }: RequestOptions = {}) =>
    kong.handleEvent(plugin, id, config, phase, recorded(calls, pdk))
  return { server, path, kong, faults, rejected, calls, request, close: () => entrance.close() }
}

/** A socket's path of its own, gone with the test. */
export function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tg-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'plugins.sock')
}

function recorded(calls: Running['calls'], pdk: Readonly<Record<string, unknown>>): CallPdk {
  return (method, args) => {
    calls.push([method, ...args])
    const answer = pdk[method]
    return typeof answer === 'function' ? answer(...args) : answer
  }
}

const { handle } = loadProtocol()

/** Calls of Kong as frames, to be cut and joined. */
export const callBytes = (call: Call): Buffer => framed(handle.requestSerialize(call))

/** A connection with nothing of Kong's manners: what comes in is collected. */
export interface RawConnection {
  readonly socket: Socket
  /** Resolves with all that came, when the server has closed. */
  readonly closed: Promise<Buffer>
  /** Resolves when at least so many bytes have come. */
  received(bytes: number): Promise<Buffer>
}

export async function connectRaw(path: string): Promise<RawConnection> {
  const socket = connect(path)
  let all = Buffer.alloc(0)
  let wake = () => {}
  socket.on('data', (bytes) => {
    all = Buffer.concat([all, bytes])
    wake()
  })
  socket.on('error', () => {})
  const closed = new Promise<Buffer>((resolve) => socket.once('close', () => resolve(all)))
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  onTestFinished(() => void socket.destroy())
  return {
    socket,
    closed,
    async received(bytes) {
      while (all.length < bytes) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return all
    },
  }
}

/** A promise that a test settles, and the word that somebody waits for it. */
export function gateway() {
  let open = () => {}
  let told = () => {}
  const reached = new Promise<void>((resolve) => {
    told = resolve
  })
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const wait = () => {
    told()
    return opened
  }
  return { reached, wait, open: () => open() }
}
