/** Starts the sidecar as users do, by its command line, and knows when it serves. */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, startChild, waitUntilReady } from './child.ts'
import type { Leash } from './leash.ts'

export interface SidecarOptions {
  readonly leash: Leash
  readonly policyFile: string
  /** The Unix socket that Envoy asks. */
  readonly socket: string
  /** Port of probes and metrics on 127.0.0.1. */
  readonly httpPort: number
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
}

const extension = extname(import.meta.url)
const commandLine = fileURLToPath(new URL(`../cli/main${extension}`, import.meta.url))

/** Settles when it serves. Rejects with its last words when it cannot. */
export async function runSidecar({ leash, policyFile, socket, httpPort, onLine }: SidecarOptions): Promise<Child> {
  const where = ['--listen', `unix:${socket}`, '--http', `127.0.0.1:${httpPort}`]
  const args = [commandLine, 'serve', '--policy', policyFile, ...where]
  const options = { leash, env: plainEnvironment(), ...(onLine && { onLine }) }
  const child = await startChild('the sidecar', process.execPath, args, options)
  await waitUntilReady(child, () => child.lines.some((line) => line.includes('"listening"')) || undefined)
  return child
}

/** Settings of somebody's own sidecar are not for the demo's. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TENANTGATE_')))
}
