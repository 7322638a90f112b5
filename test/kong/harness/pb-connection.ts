/** The connections of one Kong worker to a plugin server: frames, a read time-out, and a pool of idle ones. */
import { connect, type Socket } from 'node:net'

/** What Kong's Lua gets as an error value from the socket or the protocol: an event may be repeated for it. */
export class RpcFault extends Error {}

/** A Lua error: it goes through to the client as 500, whatever its text is. */
export class PdkFault extends Error {}

export interface KongConnection {
  /** The next frame's bytes. */
  read(): Promise<Buffer>
  write(frame: Uint8Array): void
  destroy(): void
}

export interface Connections {
  take(): Promise<KongConnection>
  /** Keeps it for another event. */
  release(connection: KongConnection): void
  readonly open: number
  close(): void
}

/** Kong's `lua_socket_pool_size`. */
const LARGEST_POOL = 256

export function createConnections(path: string, readTimeoutMs: number): Connections {
  const idle: PooledConnection[] = []
  const open = new Set<PooledConnection>()
  return {
    async take() {
      for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) if (!kept.isGone()) return kept
      const connection = pooled(await connected(path), readTimeoutMs)
      open.add(connection)
      connection.onClose(() => open.delete(connection))
      return connection
    },
    release(connection) {
      const kept = connection as PooledConnection
      if (idle.length < LARGEST_POOL) idle.push(kept)
      else kept.destroy()
    },
    get open() {
      return open.size
    },
    close() {
      for (const connection of open) connection.destroy()
    },
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      reject(new RpcFault(error.code === 'ENOENT' ? 'no such file or directory' : 'connection refused')),
    )
  })
}

interface PooledConnection extends KongConnection {
  isGone(): boolean
  onClose(listener: () => void): void
}

function pooled(socket: Socket, readTimeoutMs: number): PooledConnection {
  let received = Buffer.alloc(0)
  let gone: string | undefined
  let wake: (() => void) | undefined
  const lost = (why: string) => {
    gone ??= why
    wake?.()
  }
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes])
    wake?.()
  })
  socket.on('error', (error: NodeJS.ErrnoException) =>
    lost(error.code === 'ECONNRESET' ? 'connection reset by peer' : 'closed'),
  )
  socket.on('end', () => lost('closed'))
  socket.on('close', () => lost('closed'))

  async function receive(count: number): Promise<Buffer> {
    while (received.length < count) {
      if (gone !== undefined) throw new RpcFault(gone)
      await new Promise<void>((resolve, reject) => {
        const timeout = setTimeout(() => reject(new RpcFault('timeout')), readTimeoutMs)
        wake = () => {
          clearTimeout(timeout)
          resolve()
        }
      })
    }
    const bytes = received.subarray(0, count)
    received = received.subarray(count)
    return bytes
  }

  return {
    async read() {
      return receive((await receive(4)).readUInt32LE(0))
    },
    write(frame) {
      if (socket.destroyed || gone !== undefined) throw new PdkFault('closed')
      const length = Buffer.alloc(4)
      length.writeUInt32LE(frame.length)
      socket.write(length)
      socket.write(frame)
    },
    destroy: () => socket.destroy(),
    // an idle connection on which anything comes in is closed by nginx
    isGone: () => gone !== undefined || received.length > 0,
    onClose: (listener) => socket.once('close', listener),
  }
}
