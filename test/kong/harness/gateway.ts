/**
 * Kong, as far as the guard and the plugins can tell: nginx's refusals, correlation-id and cors of the shipped kong.yml, the
 * trios of guard, plugin and guard in their order, upstreams by name, headers of one hop. The guard is the shipped Lua, run by a
 * real Lua; the plugins are called over Kong's typed protocol.
 */
import { isUtf8 } from 'node:buffer'
import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { MarkName } from '../../../kong/handover.ts'
import { errorAnswer, exitAnswer, type KongAnswer } from './answers.ts'
import { type Backends, createBackends } from './backend.ts'
import { type Cors, headerOf, shippedCors } from './cors.ts'
import { type Fields, type LuaConsumer, type LuaHost, type Opened, type Ran, startLuaHost } from './lua-host.ts'
import { type Arrived, arrived } from './nginx.ts'
import { type Conf, createKongRpc, type KongRpc } from './pb-client.ts'
import { createPdk } from './pdk.ts'

/** A plugin with its two guards, at one scope. */
export interface Trio {
  readonly stage: MarkName
  /** The configuration with the schema's defaults. */
  readonly config: Conf
  /** Kong's id of the plugin's entity: each configuration has its own. Default: the stage. */
  readonly id?: string
}

export interface KongHarnessOptions {
  /** The plugin server's. */
  readonly socket: string
  /** Ports on 127.0.0.1 by the names of Kong's upstreams. */
  readonly upstreams: Readonly<Record<string, number>>
  /** Where Kong's one service goes. */
  readonly service: string
  /** Which plugins stand on the route of a target. */
  readonly plugins: (target: string) => readonly Trio[]
  readonly consumers?: readonly LuaConsumer[]
  /** Kong's `nginx_http_lua_socket_read_timeout`. Default 2 s, as the shipped kong.conf has it. */
  readonly readTimeoutMs?: number
  /** Kong's `lua_max_req_headers`. */
  readonly maxHeaders?: number
}

export interface KongHarness {
  /** On 127.0.0.1. */
  readonly port: number
  /** The most calls of the PDK that a plugin has made for one event. */
  readonly mostCalls: number
  /** What the guard and the plugin servers' client have logged. */
  readonly log: readonly string[]
  stop(): Promise<void>
}

interface Parts {
  readonly options: KongHarnessOptions
  readonly lua: LuaHost
  readonly rpc: KongRpc
  readonly cors: Cors
  readonly backends: Backends
  readonly log: string[]
  calls: number
}

export async function startKongHarness(options: KongHarnessOptions): Promise<KongHarness> {
  const { socket, readTimeoutMs = 2000 } = options
  const lua = await startLuaHost()
  const rpc = createKongRpc({ socket, readTimeoutMs })
  const parts: Parts = { options, lua, rpc, cors: shippedCors(), backends: createBackends(), log: [], calls: 0 }
  const server = createServer({ maxHeaderSize: 60 * 1024, requireHostHeader: false }, (message, response) => {
    handle(parts, message, response).catch((fault: unknown) => response.destroy(fault as Error))
  })
  server.on('clientError', (fault: UnreadRequest, connection) => refuse(connection as Socket, unread(fault)))
  server.on('connect', (_, connection) => refuse(connection as Socket, 400))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    get mostCalls() {
      return parts.calls
    },
    get log() {
      return [...parts.log, ...rpc.warnings]
    },
    stop: async () => {
      server.close()
      server.closeAllConnections()
      rpc.close()
      parts.backends.close()
      await lua.stop()
    },
  }
}

interface UnreadRequest extends Error {
  readonly rawPacket?: Buffer
}

/** Node's parser lets no byte above ASCII into a target. nginx does, and then the router finds no route for what is not UTF-8. */
function unread({ rawPacket }: UnreadRequest): 400 | 404 {
  const line = rawPacket?.subarray(0, rawPacket.indexOf('\r\n'))
  return line === undefined || isUtf8(line) ? 400 : 404
}

function refuse(connection: Socket, status: number): void {
  connection.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\n\r\n`)
}

async function handle(parts: Parts, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = randomBytes(16).toString('hex')
  const came = arrived(message)
  if (typeof came === 'number') return write(response, errorAnswer(false, came, id))
  const body = await bodyOf(message)
  if (parts.cors.isPreflight(came.method, came.fields)) {
    return write(response, { status: 200, fields: parts.cors.preflight(came.fields), body: '' })
  }
  write(response, await answered(parts, came, body, id))
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function write(response: ServerResponse, { status, fields, body }: KongAnswer): void {
  response.writeHead(status, fields.flat())
  response.end(Buffer.from(body, 'latin1'))
}

/** One request from its first plugin to its answer. */
async function answered(parts: Parts, came: Arrived, body: Buffer, id: string): Promise<KongAnswer> {
  const { lua, options, backends, log } = parts
  const trios = options.plugins(came.target)
  const isGrpc = headerOf(came.fields, 'content-type')?.startsWith('application/grpc') === true
  const { fields, requestId } = correlated(came.fields)
  await lua.run({ open: opened(parts, { ...came, fields }, id), plugin: 'kong', phase: 'before' })
  const ended = await throughPlugins(parts, trios, id, isGrpc)
  let answer = ended
  if (!answer) {
    const { headers, upstream = options.service } = await lua.run({ request: id, plugin: 'kong', phase: 'after' })
    answer = await backends.send(came, headers, body, options.upstreams[upstream] ?? 0, id)
    answer ??= errorAnswer(isGrpc, 502, id)
  }
  const { fields: own, ...rest } = answer
  const filtered = { ...rest, fields: merged(own, [['X-Request-ID', requestId], ...parts.cors.answer(came.fields)]) }
  const { log: said, ...last } = await throughFilters(lua, trios, id, filtered)
  log.push(...said)
  return last
}

/** The correlation-id plugin: an id that the client has sent is kept. */
function correlated(fields: Fields): { readonly fields: Fields; readonly requestId: string } {
  const sent = headerOf(fields, 'x-request-id')
  if (sent !== undefined && sent !== '') return { fields, requestId: sent }
  const requestId = randomUUID()
  const others = fields.filter(([name]) => name.toLowerCase() !== 'x-request-id')
  return { fields: [...others, ['X-Request-ID', requestId]], requestId }
}

function opened({ options }: Parts, came: Arrived, id: string): Opened {
  const { method, fields, line, target, address } = came
  return {
    id,
    method,
    headers: fields,
    var: { request: line, request_uri: target, kong_request_id: id, remote_addr: address },
    max_headers: options.maxHeaders ?? 100,
    upstreams: Object.keys(options.upstreams),
    consumers: options.consumers ?? [],
  }
}

/** The access phase of all trios. The answer, if one of them has ended the request. */
async function throughPlugins(parts: Parts, trios: readonly Trio[], id: string, isGrpc: boolean) {
  const { lua, rpc } = parts
  const endOf = (ran: Ran): KongAnswer | undefined => {
    if (ran.outcome === 'exited') return exitAnswer(isGrpc, ran.exit ?? { status: 500 })
    if (ran.outcome === 'done') return undefined
    parts.log.push(ran.message ?? '')
    return errorAnswer(isGrpc, 500, id)
  }
  for (const { stage, config, id: pluginId = stage } of trios) {
    const before = await lua.run({ request: id, plugin: `tenant-${stage}-before`, phase: 'access' })
    const refused = endOf(before)
    if (refused) return refused
    const pdk = createPdk(before.shared)
    const event = await rpc.handleEvent(`tenant-${stage}`, pluginId, config, 'access', pdk.call)
    parts.calls = Math.max(parts.calls, pdk.calls)
    if (event.outcome === 'exited') return exitAnswer(isGrpc, pdk.exit ?? { status: 500 })
    if (event.outcome === 'error') {
      parts.log.push(`pluginserver error: ${event.message}`)
      return errorAnswer(isGrpc, 500, id)
    }
    const after = { request: id, plugin: `tenant-${stage}-after`, phase: 'access', shared: pdk.set } as const
    const ended = endOf(await lua.run(after))
    if (ended) return ended
  }
  return undefined
}

/** header_filter and body_filter of all trios, whether the request came to them or not. Forgets the request. */
async function throughFilters(lua: LuaHost, trios: readonly Trio[], id: string, came: KongAnswer) {
  let answer: unknown = { status: came.status, headers: came.fields }
  let log: readonly string[] = []
  let ran: Ran | undefined
  for (const { stage } of trios) {
    const plugin = `tenant-${stage}-after`
    ran = await lua.run({ request: id, plugin, phase: 'header_filter', patch: { answer } })
    answer = ran.answer
  }
  let arg: readonly [string?, boolean?] = [came.body, true]
  for (const [index, { stage }] of trios.entries()) {
    const close = index === trios.length - 1
    const plugin = `tenant-${stage}-after`
    const filtered = await lua.run({ request: id, plugin, phase: 'body_filter', patch: { arg }, close })
    arg = filtered.arg ?? []
    log = filtered.log
  }
  const { status, headers } = ran?.answer ?? { status: came.status, headers: came.fields }
  return { status, fields: headers, body: arg[0] ?? '', log }
}

/** The later ones replace. */
function merged(fields: Fields, later: Fields): Fields {
  const replaced = new Set(later.map(([name]) => name.toLowerCase()))
  return [...fields.filter(([name]) => !replaced.has(name.toLowerCase())), ...later]
}
