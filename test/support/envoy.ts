/** A real Envoy on the reference configuration, for tests. It is found, or installed, as the demo does it. */
import { mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Envoy, findEnvoy } from '../../demo/find-envoy.ts'
import { createLeash } from '../../demo/leash.ts'
import { runEnvoy } from '../../demo/run-envoy.ts'
import { packageRoot } from '../../package-root.ts'

export interface TestEnvoy {
  /** Where clients connect, on 127.0.0.1. */
  readonly port: number
  /** The access log so far, a line of JSON each. */
  readonly accessLog: readonly string[]
  stop(): Promise<void>
}

export interface TestEnvoyOptions {
  /** Unix socket of the sidecar; it need not exist yet. */
  readonly sidecarSocket: string
  /** Where the sidecar is instead, beyond loopback. */
  readonly central?: { readonly host: string; readonly port: number }
  /** Ports on 127.0.0.1 of orders-stable, orders-beta and orders-canary. */
  readonly backends: Readonly<Record<string, number>>
  /** Another configuration than the reference. */
  readonly yaml?: string
}

/** A folder for sockets; its path is short enough for them. The caller removes it. */
export function socketFolder(): string {
  return mkdtempSync(join(realpathSync(tmpdir()), 'tg-'))
}

/** The Envoy that all tests use. */
export async function usedEnvoy(): Promise<Envoy> {
  const options = { env: process.env, cacheFolder: join(packageRoot, '.cache', 'envoy'), sharedFolder: tmpdir() }
  const found = await findEnvoy({ ...options, say: (line) => process.stderr.write(`${line}\n`) })
  if (!found.ok) throw new Error(found.problem)
  return found.envoy
}

/** Starts one; it does not outlive the test run, however that ends. */
export async function startEnvoy({ yaml, ...places }: TestEnvoyOptions): Promise<TestEnvoy> {
  const envoy = await usedEnvoy()
  const folder = socketFolder()
  const leash = createLeash(folder)
  const accessLog: string[] = []
  const onLine = (line: string, stream: 'stdout' | 'stderr') => {
    if (stream === 'stdout') accessLog.push(line)
  }
  const { child, port } = await runEnvoy({ envoy, leash, folder, ...places, onLine, ...(yaml && { yaml }) })
  return {
    port,
    accessLog,
    stop: async () => {
      await child.stop()
      await leash.release()
    },
  }
}
