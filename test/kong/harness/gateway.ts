/**
 * Kong, as far as the guard and the plugins can tell: nginx's refusals, correlation-id and cors of the shipped kong.yml, the
 * trios of guard, plugin and guard in their order, upstreams by name, headers of one hop. The guard is the shipped Lua, run by a
 * real Lua; the plugins are called over Kong's typed protocol.
 */
import { isUtf8 } from 'node:buffer'
import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { errorAnswer, type KongAnswer } from './answers.ts'
import { type Backends, createBackends } from './backend.ts'
import { type Cors, headerOf, shippedCors } from './cors.ts'
import { type Fields, type LuaConsumer, type Opened, startLuaHost } from './lua-host.ts'
import { type Arrived, arrived } from './nginx.ts'
import { createKongRpc } from './pb-client.ts'
import { type PluginParts, type Trio, throughFilters, throughPlugins } from './trios.ts'

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
  /** As if requests came over TLS: the certificate in PEM that nginx has verified of the next client, undefined for one without. */
  readonly tls?: () => string | undefined
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

interface Parts extends PluginParts {
  readonly options: KongHarnessOptions
  readonly cors: Cors
  readonly backends: Backends
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
  const { ended, last } = await throughPlugins(parts, trios, opened(parts, { ...came, fields }, id), isGrpc)
  let answer = ended
  if (!answer) {
    const { headers, upstream = options.service } = last
    answer = await backends.send(came, headers, body, options.upstreams[upstream] ?? 0, id)
    answer ??= errorAnswer(isGrpc, 502, id)
  }
  const { fields: own, ...rest } = answer
  const filtered = { ...rest, fields: merged(own, [['X-Request-ID', requestId], ...parts.cors.answer(came.fields)]) }
  const { log: said, ...written } = await throughFilters(lua, trios, id, filtered)
  log.push(...said)
  return written
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
    var: { request: line, request_uri: target, kong_request_id: id, remote_addr: address, ...tlsOf(options) },
    max_headers: options.maxHeaders ?? 128,
    upstreams: Object.keys(options.upstreams),
    consumers: options.consumers ?? [],
  }
}

/** nginx's ngx_http_ssl_module. */
function tlsOf({ tls }: KongHarnessOptions): Readonly<Record<string, string>> {
  if (!tls) return {}
  const certificate = tls()
  if (certificate === undefined) return { https: 'on', ssl_client_verify: 'NONE' }
  return { https: 'on', ssl_client_verify: 'SUCCESS', ssl_client_raw_cert: certificate }
}

/** The later ones replace. */
function merged(fields: Fields, later: Fields): Fields {
  const replaced = new Set(later.map(([name]) => name.toLowerCase()))
  return [...fields.filter(([name]) => !replaced.has(name.toLowerCase())), ...later]
}
