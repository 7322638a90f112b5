/** The sidecars of a demo: one, or several that share a Redis. They are started, killed and started again together. */
import type { Child } from './child.ts'
import { type RunningSidecar, runSidecar, type SidecarOptions } from './run-sidecar.ts'

export interface RunningSidecars {
  /** Of their probes and metrics on 127.0.0.1, the first one's first. */
  readonly httpPorts: readonly number[]
  /** Of the first one's administration. */
  readonly adminPort: number
  children(): readonly Child[]
  /** What the first has said so far. */
  log(): readonly string[]
  kill(): Promise<void>
  /** Again after `kill`, with the same addresses; answers the new ones. */
  startAgain(): Promise<readonly Child[]>
}

export interface SidecarsOptions extends Omit<SidecarOptions, 'socket'> {
  /** Where Envoy asks each of them. */
  readonly sockets: readonly string[]
}

/** Settles when all serve. The preferred ports are for the first; others take any. */
export async function runSidecars({ sockets, ...options }: SidecarsOptions): Promise<RunningSidecars> {
  const anyPort = { httpPort: 0, adminPort: 0 }
  let running: readonly RunningSidecar[] = await Promise.all(
    sockets.map((socket, index) => runSidecar({ ...options, ...(index > 0 && anyPort), socket })),
  )
  const children = () => running.map(({ child }) => child)
  return {
    httpPorts: running.map(({ httpPort }) => httpPort),
    adminPort: running[0]?.adminPort ?? 0,
    children,
    log: () => running[0]?.child.lines ?? [],
    async kill() {
      await Promise.all(children().map((child) => child.kill()))
    },
    async startAgain() {
      const again = ({ httpPort, adminPort }: RunningSidecar, index: number) =>
        runSidecar({ ...options, httpPort, adminPort, socket: sockets[index] ?? '' })
      running = await Promise.all(running.map(again))
      return children()
    },
  }
}
