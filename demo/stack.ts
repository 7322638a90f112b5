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
import { runSidecars } from './run-sidecars.ts'
import { type SharedRedis, shareRedis } from './share-redis.ts'

export interface StackOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Preferred ports; others are taken where they are busy. */
  readonly port: number
  readonly httpPort: number
  readonly adminPort: number
  /** Whether two sidecars share a Redis, with policy and tenants in it; otherwise there is one, which keeps all in memory. */
  readonly redis?: boolean
  readonly say: (line: string) => void
  /** Each line of Envoy's access log. */
  readonly onAccess?: (line: string) => void
  /** Warnings and errors of the sidecar, or of all of them, in words for people. */
  readonly onTrouble?: (words: string) => void
}

export interface Stack {
  readonly envoy: Envoy
  /** Envoy, on 127.0.0.1. */
  readonly port: number
  /** The sidecar's probes and metrics, on 127.0.0.1; of several the first one's. */
  readonly httpPort: number
  /** Of all of them. */
  readonly httpPorts: readonly number[]
  /** The sidecar's administration, on 127.0.0.1. */
  readonly adminPort: number
  /** Its token, made for this run. */
  readonly adminTokenFile: string
  readonly credentials: DemoCredentials
  readonly policyFile: string
  /** What the sidecars share; undefined where there is one. */
  readonly redis: SharedRedis | undefined
  /** Envoy's access log so far. */
  readonly accessLog: readonly string[]
  /** What the sidecar has said so far. */
  sidecarLog(): readonly string[]
  /** Ends the sidecar, or all of them, as a crash does. */
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
  const policyFile = writePolicyCopy(folder, credentials, options.redis ? SHARED_STATE : undefined)
  const adminTokenFile = join(folder, 'admin-token')
  writeFileSync(adminTokenFile, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
  const backends = await runBackends(leash)
  const redis = options.redis ? await shareRedis({ env, say, leash, folder, policyFile }) : undefined
  const sockets = (redis ? ['gate.sock', 'gate-2.sock'] : ['gate.sock']).map((name) => join(folder, name))
  const accessLog: string[] = []
  const [sidecars, envoy] = await Promise.all([
    runSidecars({
      ...{ leash, adminTokenFile, sockets, policy: redis?.url ?? policyFile },
      ...{ httpPort: options.httpPort, adminPort: options.adminPort, onTrouble: options.onTrouble },
    }),
    launchEnvoy(found.envoy, { leash, folder, sockets, backends: backends.ports }, options, accessLog),
  ])
  const { httpPorts, adminPort } = sidecars
  const children = () => [envoy.child, ...sidecars.children(), ...(redis ? [redis.child()] : []), backends.child]
  const { broken, watch } = watchEnds()
  children().forEach(watch)
  return {
    envoy: found.envoy,
    port: envoy.port,
    httpPort: httpPorts[0] ?? 0,
    httpPorts,
    adminPort,
    adminTokenFile,
    credentials,
    policyFile,
    redis,
    accessLog,
    broken,
    sidecarLog: sidecars.log,
    killSidecar: sidecars.kill,
    startSidecar: async () => (await sidecars.startAgain()).forEach(watch),
    stop: async () => {
      // outside in, so that no request meets a part that has gone
      for (const child of children()) await child.stop()
      await leash.release()
    },
  }
}

/** A machine that runs a whole demo besides may be slow to answer; a sidecar of its own would keep to the default. */
const SHARED_STATE = { timeout: '100ms', lookupTimeout: '500ms' }

interface EnvoyPlace {
  readonly leash: Leash
  readonly folder: string
  readonly sockets: readonly string[]
  readonly backends: Readonly<Record<string, number>>
}

const KEPT_ACCESS_LINES = 10_000

function launchEnvoy(envoy: Envoy, place: EnvoyPlace, options: StackOptions, log: string[]): Promise<RunningEnvoy> {
  const { leash, folder, sockets, backends } = place
  const [sidecarSocket = '', ...moreSockets] = sockets
  const onLine = (line: string, stream: 'stdout' | 'stderr') => {
    if (stream !== 'stdout' || line.includes('"path":"/gateway/healthz"')) return
    if (log.push(line) > KEPT_ACCESS_LINES) log.shift()
    options.onAccess?.(line)
  }
  return runEnvoy({ envoy, leash, folder, port: options.port, sidecarSocket, moreSockets, backends, onLine })
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
