/** Drives a server as hard as it goes: by h2load where that is installed, otherwise by a generator of our own. */
import { execFile, spawnSync } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface Load {
  readonly name: string
  /** Sends the message of a file to a method `requests` times; rejects when one was not answered. */
  run(socket: string, messageFile: string, requests: number, path: string): Promise<void>
}

export const CONNECTIONS = 4
export const STREAMS = 16

const execute = promisify(execFile)

export function findLoad(): Load {
  const version = spawnSync('h2load', ['--version'], { encoding: 'utf8' })
  return version.status === 0 ? h2load(version.stdout.trim()) : ownLoad
}

function h2load(name: string): Load {
  const headers = ['-H', 'content-type: application/grpc', '-H', 'te: trailers']
  return {
    name,
    async run(socket, messageFile, requests, path) {
      const counts = ['-n', requests, '-c', CONNECTIONS, '-m', STREAMS].map(String)
      const { stdout } = await execute('h2load', [
        ...counts,
        ...headers,
        ...['-d', messageFile, '-B', `unix:${socket}`, `http://bench${path}`],
      ])
      if (!stdout.includes(` ${requests} succeeded`)) throw new Error(`not every request was answered:\n${stdout}`)
    },
  }
}

const ownLoad: Load = {
  name: 'own generator (h2load is not installed)',
  async run(socket, messageFile, requests, path) {
    const file = fileURLToPath(new URL(`./saturate${extname(import.meta.url)}`, import.meta.url))
    await execute(process.execPath, [file, socket, messageFile, path, ...[requests, CONNECTIONS, STREAMS].map(String)])
  },
}
