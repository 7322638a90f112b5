/** A server in a process of its own, with a probe inside: `serve`, the empty one it is compared with, or `kong-plugin-server`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { asked } from './child-answer.ts'
import type { ProbeAnswer, ProbeOrder } from './probe.ts'

export interface ServerProcess {
  readonly socket: string
  ask(order: ProbeOrder): Promise<ProbeAnswer>
  /** Resolves with the next line on its stdout that has this message. */
  line(msg: string): Promise<void>
  stop(): Promise<void>
}

const own = (file: string) => new URL(`${file}${extname(import.meta.url)}`, import.meta.url)

/** `tenantgate serve` on a Unix socket, ready for calls. */
export function startServe(policyFile: string, socket: string, more: readonly string[] = []): Promise<ServerProcess> {
  const args = ['serve', '--policy', policyFile, '--listen', `unix:${socket}`, '--http', 'off', ...more]
  return start(own('../cli/main'), args, socket)
}

/** `tenantgate kong-plugin-server` on a Unix socket, ready for events. */
export function startKongPluginServer(policyFile: string, socket: string): Promise<ServerProcess> {
  const args = ['kong-plugin-server', '--policy', policyFile, '--socket', socket]
  return start(own('../cli/main'), args, socket)
}

/** A server of grpc-js and proto-loader that answers each Check alike, ready for calls. */
export function startEmptyServer(socket: string): Promise<ServerProcess> {
  return start(own('./empty-server'), [socket], socket)
}

async function start(main: URL, args: readonly string[], socket: string): Promise<ServerProcess> {
  const node = ['--expose-gc', '--import', own('./probe').href]
  const child = spawn(process.execPath, [...node, fileURLToPath(main), ...args], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  if (!child.stdout) throw new Error('the server has no output')
  const lines = createInterface({ input: child.stdout })
  const line = (msg: string) =>
    new Promise<void>((resolve, reject) => {
      const look = (text: string) => {
        if (!text.includes(`"msg":"${msg}"`)) return
        lines.off('line', look)
        resolve()
      }
      lines.on('line', look)
      void exited.then(() => reject(new Error(`the server ended before '${msg}'`)))
    })
  await line('listening')
  return {
    socket,
    line,
    ask: (order: ProbeOrder) => asked<ProbeAnswer>(child, order, 'the server has ended'),
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}
