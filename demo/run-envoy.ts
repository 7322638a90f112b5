/** Starts Envoy on the reference configuration, and knows when it serves. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { type Child, startChild, waitUntilReady } from './child.ts'
import { envoyConfig } from './envoy-config.ts'
import type { Envoy } from './find-envoy.ts'
import { freePort } from './free-port.ts'
import type { Leash } from './leash.ts'

export interface RunningEnvoy {
  readonly child: Child
  /** Where clients connect, on 127.0.0.1. */
  readonly port: number
}

export interface EnvoyOptions {
  readonly envoy: Envoy
  readonly leash: Leash
  /** Gets a folder for this Envoy's configuration and admin socket. */
  readonly folder: string
  /** Preferred; another one is taken where it is busy. */
  readonly port?: number
  readonly sidecarSocket: string
  /** Of more sidecars beside it. */
  readonly moreSockets?: readonly string[]
  /** Where the sidecar is instead, on another machine. */
  readonly central?: { readonly host: string; readonly port: number }
  readonly backends: Readonly<Record<string, number>>
  /** Another configuration than the reference, as YAML with the same clusters. */
  readonly yaml?: string
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
}

const ATTEMPTS = 4
/** One worker is enough for a demo; the log is written when it happens and not seconds later. */
const ARGUMENTS = ['--disable-hot-restart', '--concurrency', '1', '--log-level', 'warning']
const FLUSH = ['--file-flush-interval-msec', '50']

/** Settles when Envoy serves. Rejects with Envoy's last words when it cannot. */
export async function runEnvoy(options: EnvoyOptions): Promise<RunningEnvoy> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? options.port : 0)
    const own = mkdtempSync(join(options.folder, 'envoy-'))
    const adminSocket = join(own, 'admin.sock')
    const child = await launch(options, { own, port, adminSocket })
    try {
      await waitUntilReady(child, () => serves(adminSocket))
      if (!foundPortBusy(child)) return { child, port }
      throw new Error(`port ${port} is busy`)
    } catch (error) {
      await child.kill()
      // somebody was quicker with this port: the next one
      if (attempt === ATTEMPTS || !foundPortBusy(child)) throw error
    }
  }
}

interface Place {
  readonly own: string
  readonly port: number
  readonly adminSocket: string
}

function launch(options: EnvoyOptions, { own, port, adminSocket }: Place): Promise<Child> {
  const { envoy, leash, sidecarSocket, moreSockets = [], central, backends, yaml, onLine } = options
  const file = join(own, 'envoy.json')
  const sidecars = { sidecarSocket, moreSockets, ...(central && { central }) }
  writeFileSync(file, envoyConfig({ port, adminSocket, ...sidecars, backends }, yaml))
  const args = [...envoy.prefix, '-c', file, ...ARGUMENTS, ...FLUSH]
  return startChild('Envoy', envoy.command, args, { leash, ...(onLine && { onLine }) })
}

function foundPortBusy({ lines }: Child): boolean {
  return lines.some((line) => line.includes('Address already in use'))
}

/** Asks this Envoy by its admin socket: on the clients' port somebody else's Envoy could answer. */
function serves(adminSocket: string): Promise<true | undefined> {
  return new Promise((resolve) => {
    const asked = request({ socketPath: adminSocket, path: '/ready', agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200 ? true : undefined)
    })
    asked.setTimeout(1000, () => asked.destroy())
    asked.once('error', () => resolve(undefined))
    asked.end()
  })
}
