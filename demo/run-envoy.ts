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
  readonly backends: Readonly<Record<string, number>>
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
    const child = await launch(options, port)
    try {
      await waitUntilReady(child, () => serves(port))
      return { child, port }
    } catch (error) {
      await child.kill()
      // somebody was quicker with this port: the next one
      if (attempt === ATTEMPTS || !child.lines.some((line) => line.includes('Address already in use'))) throw error
    }
  }
}

function launch({ envoy, leash, folder, sidecarSocket, backends, onLine }: EnvoyOptions, port: number): Promise<Child> {
  const own = mkdtempSync(join(folder, 'envoy-'))
  const file = join(own, 'envoy.json')
  writeFileSync(file, envoyConfig({ port, adminSocket: join(own, 'admin.sock'), sidecarSocket, backends }))
  const args = [...envoy.prefix, '-c', file, ...ARGUMENTS, ...FLUSH]
  return startChild('Envoy', envoy.command, args, { leash, ...(onLine && { onLine }) })
}

/** Asks Envoy's own health answer; no backend and no sidecar is needed for it. */
function serves(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path: '/gateway/healthz', agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200 ? true : undefined)
    })
    asked.setTimeout(1000, () => asked.destroy())
    asked.once('error', () => resolve(undefined))
    asked.end()
  })
}
