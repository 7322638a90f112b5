/** All that the demo runs: backends, sidecar, Envoy, on fresh credentials and free ports; started and stopped as one. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../package-root.ts'
import type { Child } from './child.ts'
import { createCredentials, type DemoCredentials } from './credentials.ts'
import { type Envoy, findEnvoy } from './find-envoy.ts'
import { createLeash, type Leash } from './leash.ts'
import { writePolicyCopy } from './policy-copy.ts'
import { runBackends } from './run-backends.ts'
import { type RunningEnvoy, runEnvoy } from './run-envoy.ts'
import { runSidecar, type SidecarOptions } from './run-sidecar.ts'

export interface StackOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Preferred ports; others are taken where they are busy. */
  readonly port: number
  readonly httpPort: number
  readonly adminPort: number
  readonly say: (line: string) => void
  /** Each line of Envoy's access log. */
  readonly onAccess?: (line: string) => void
}

export interface Stack {
  readonly envoy: Envoy
  /** Envoy, on 127.0.0.1. */
  readonly port: number
  /** The sidecar's probes and metrics, on 127.0.0.1. */
  readonly httpPort: number
  /** The sidecar's administration, on 127.0.0.1. */
  readonly adminPort: number
  /** Its token, made for this run. */
  readonly adminTokenFile: string
  readonly credentials: DemoCredentials
  readonly policyFile: string
  /** Envoy's access log so far. */
  readonly accessLog: readonly string[]
  /** What the sidecar has said so far. */
  sidecarLog(): readonly string[]
  /** Ends the sidecar as a crash does. */
  killSidecar(): Promise<void>
  /** Starts it again after `killSidecar`, with the same addresses. */
  startSidecar(): Promise<void>
  /** Settles with words when something has ended that should not have. */
  readonly broken: Promise<string>
  /** Ends all of it and removes the credentials. */
  stop(): Promise<void>
}

/** Starts everything. Rejects with words for people when something cannot be started; nothing is left running then. */
export async function startStack(options: StackOptions): Promise<Stack> {
  // the real path, and short: a Unix socket's path holds about a hundred bytes
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'tenantgate-'))
  const leash = createLeash(folder)
  try {
    return await startIn(folder, leash, options)
  } catch (error) {
    await leash.release()
    throw error
  }
}

async function startIn(folder: string, leash: Leash, options: StackOptions): Promise<Stack> {
  const { env, say } = options
  const cacheFolder = join(packageRoot, '.cache', 'envoy')
  const found = await findEnvoy({ env, cacheFolder, sharedFolder: folder, say })
  if (!found.ok) throw new Error(found.problem)
  const credentials = await createCredentials()
  const policyFile = writePolicyCopy(folder, credentials)
  const adminTokenFile = join(folder, 'admin-token')
  writeFileSync(adminTokenFile, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
  const socket = join(folder, 'gate.sock')
  const backends = await runBackends(leash)
  const launchSidecar = (ports: SidecarPorts) => runSidecar({ leash, policyFile, socket, adminTokenFile, ...ports })
  const accessLog: string[] = []
  const [firstSidecar, envoy] = await Promise.all([
    launchSidecar({ httpPort: options.httpPort, adminPort: options.adminPort }),
    launchEnvoy(found.envoy, { leash, folder, socket, backends: backends.ports }, options, accessLog),
  ])
  const { httpPort, adminPort } = firstSidecar
  let sidecar = firstSidecar.child
  const children = () => [envoy.child, sidecar, backends.child]
  const { broken, watch } = watchEnds()
  children().forEach(watch)
  return {
    envoy: found.envoy,
    port: envoy.port,
    httpPort,
    adminPort,
    adminTokenFile,
    credentials,
    policyFile,
    accessLog,
    broken,
    sidecarLog: () => sidecar.lines,
    killSidecar: () => sidecar.kill(),
    startSidecar: async () => {
      sidecar = (await launchSidecar({ httpPort, adminPort })).child
      watch(sidecar)
    },
    stop: async () => {
      // outside in, so that no request meets a part that has gone
      for (const child of children()) await child.stop()
      await leash.release()
    },
  }
}

type SidecarPorts = Pick<SidecarOptions, 'httpPort' | 'adminPort'>

interface EnvoyPlace {
  readonly leash: Leash
  readonly folder: string
  readonly socket: string
  readonly backends: Readonly<Record<string, number>>
}

const KEPT_ACCESS_LINES = 10_000

function launchEnvoy(envoy: Envoy, place: EnvoyPlace, options: StackOptions, log: string[]): Promise<RunningEnvoy> {
  const { leash, folder, socket, backends } = place
  const onLine = (line: string, stream: 'stdout' | 'stderr') => {
    if (stream !== 'stdout' || line.includes('"path":"/gateway/healthz"')) return
    if (log.push(line) > KEPT_ACCESS_LINES) log.shift()
    options.onAccess?.(line)
  }
  return runEnvoy({ envoy, leash, folder, port: options.port, sidecarSocket: socket, backends, onLine })
}

/** Tells the first end that nobody here has asked for. */
function watchEnds() {
  let resolve: (words: string) => void = () => {}
  const broken = new Promise<string>((settle) => {
    resolve = settle
  })
  const watch = (child: Child) => {
    void child.ended.then((how) => {
      if (!child.isStopping()) resolve(`${child.name} ended by itself (${how}): ${child.lines.at(-1) ?? ''}`)
    })
  }
  return { broken, watch }
}
