/** A real Envoy with the real gate behind it, on the reference configuration with parts of it turned on, and a client for TLS. */
import { readFileSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { GatewayRequest } from '../../core/request.ts'
import { type BackendAnswer, startBackends } from '../../demo/backends.ts'
import { referenceFile } from '../../demo/envoy-config.ts'
import { createCheck } from '../../ext-authz/check.ts'
import { createGrpcServer } from '../../ext-authz/server.ts'
import { socketFolder, startEnvoy } from './envoy.ts'
import { gateOf, policyOf } from './gate.ts'

/** The reference with the parts behind these marks (`#tls| `) turned on, and other texts in the place of some of its own. */
export function referenceWith(marks: readonly string[], texts: Readonly<Record<string, string>> = {}): string {
  let yaml = readFileSync(referenceFile, 'utf8')
  for (const mark of marks) yaml = yaml.replaceAll(`#${mark}| `, '')
  for (const [text, other] of Object.entries(texts)) {
    if (!yaml.includes(text)) throw new Error(`the reference does not say '${text}'`)
    yaml = yaml.replaceAll(text, other)
  }
  return yaml
}

export interface GuardedEnvoy {
  readonly port: number
  /** What the gate was asked, oldest first. */
  readonly requests: GatewayRequest[]
  stop(): Promise<void>
}

/** Decides by `policy`, a policy's text, at the machine's time. */
export async function startGuardedEnvoy(policy: string, yaml: string): Promise<GuardedEnvoy> {
  const folder = socketFolder()
  const sidecarSocket = join(folder, 'gate.sock')
  const gate = gateOf(policyOf(policy))
  const requests: GatewayRequest[] = []
  const check = createCheck((request) => {
    requests.push(request)
    return gate.ask(request, Date.now())
  })
  const faults: unknown[] = []
  const grpc = createGrpcServer({ check, onFault: (fault) => faults.push(fault), elapsed: () => performance.now() })
  const sidecar = createServer((connection) => grpc.accept(connection))
  await new Promise<void>((resolve) => sidecar.listen(sidecarSocket, resolve))
  const backends = await startBackends()
  const envoy = await startEnvoy({ sidecarSocket, backends: backends.ports, yaml })
  return {
    port: envoy.port,
    requests,
    stop: async () => {
      await envoy.stop()
      sidecar.close()
      await grpc.drain(1000)
      backends.close()
      rmSync(folder, { recursive: true, force: true })
      if (faults.length > 0) throw faults[0]
    },
  }
}

export interface Told {
  readonly status: number
  /** The `code` of a refusal. */
  readonly code: unknown
  /** Each header that reached the backend, in lower case; undefined where none was reached. */
  readonly backend: Readonly<Record<string, string>> | undefined
  /** Of the TLS connection, to begin another one with. */
  readonly session: Buffer | undefined
}

export interface TlsAsk {
  /** PEM. */
  readonly cert?: string
  readonly key?: string
  /** Of an earlier connection, to be resumed. */
  readonly session?: Buffer | undefined
  /** False for a listener without TLS. */
  readonly tls?: boolean
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly path?: string
}

/** One request on a connection of its own. Rejects where the handshake fails. */
export function ask(
  port: number,
  { tls = true, headers = {}, path = '/', ...certificate }: TlsAsk = {},
): Promise<Told> {
  const target = { host: '127.0.0.1', port, path, headers, agent: false, timeout: 10_000 }
  return new Promise((resolve, reject) => {
    // who the server is makes no difference to what it may be told
    const asked = tls ? httpsRequest({ ...target, ...certificate, rejectUnauthorized: false }) : httpRequest(target)
    let session: Buffer | undefined
    asked.once('socket', (socket) => socket.once('session', (ticket: Buffer) => (session = ticket)))
    asked.once('timeout', () => asked.destroy(new Error('no answer')))
    asked.once('error', reject)
    asked.once('response', async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      const json = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Partial<BackendAnswer> & { code?: unknown }
      const entries = json.headers?.map(([name, value]) => [name.toLowerCase(), value])
      resolve({
        status: response.statusCode ?? 0,
        code: json.code,
        backend: entries && Object.fromEntries(entries),
        session,
      })
    })
    asked.end()
  })
}
