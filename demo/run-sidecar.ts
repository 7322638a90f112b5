/** Starts the sidecar as users do, by its command line, and knows when it serves. */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, startChild, waitUntilReady } from './child.ts'
import { freePort } from './free-port.ts'
import type { Leash } from './leash.ts'
import { troubleIn } from './sidecar-words.ts'

export interface SidecarOptions {
  readonly leash: Leash
  /** A file, or the address of a Redis. */
  readonly policy: string
  /** The Unix socket that Envoy asks. */
  readonly socket: string
  /** Preferred port of probes and metrics on 127.0.0.1; another one is taken where it is busy. */
  readonly httpPort: number
  /** The same of administration. */
  readonly adminPort: number
  readonly adminTokenFile: string
  /** Told of its warnings and errors, in words for people. */
  readonly onTrouble?: ((words: string) => void) | undefined
}

export interface RunningSidecar {
  readonly child: Child
  readonly httpPort: number
  readonly adminPort: number
}

const extension = extname(import.meta.url)
/** What `tenantgate` runs. */
export const commandLine = fileURLToPath(new URL(`../cli/main${extension}`, import.meta.url))

const ATTEMPTS = 4

/** Settles when it serves. Rejects with its last words when it cannot. */
export async function runSidecar(options: SidecarOptions): Promise<RunningSidecar> {
  for (let attempt = 1; ; attempt++) {
    const httpPort = await freePort(attempt === 1 ? options.httpPort : 0)
    const adminPort = await freePort(attempt === 1 ? options.adminPort : 0)
    const child = await launch(options, httpPort, adminPort)
    try {
      await waitUntilReady(child, () => child.lines.some((line) => line.includes('"listening"')) || undefined)
      return { child, httpPort, adminPort }
    } catch (error) {
      await child.kill()
      // somebody was quicker with one of these ports: the next ones
      const taken = [httpPort, adminPort].map((port) => `127.0.0.1:${port}: `)
      if (attempt === ATTEMPTS || !child.lines.some((line) => taken.some((words) => line.includes(words)))) throw error
    }
  }
}

function launch(options: SidecarOptions, httpPort: number, adminPort: number): Promise<Child> {
  const { leash, policy, socket, adminTokenFile, onTrouble } = options
  const where = ['--listen', `unix:${socket}`, '--http', `127.0.0.1:${httpPort}`]
  const admin = ['--admin', `127.0.0.1:${adminPort}`, '--admin-token-file', adminTokenFile]
  const args = [commandLine, 'serve', '--policy', policy, ...where, ...admin]
  const onLine = (line: string) => {
    const words = onTrouble && troubleIn(line)
    if (words !== undefined) onTrouble?.(words)
  }
  return startChild('the sidecar', process.execPath, args, { leash, env: plainEnvironment(), onLine })
}

/** Settings of somebody's own sidecar are not for the demo's. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TENANTGATE_')))
}
