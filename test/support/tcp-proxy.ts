/** A wire that can be bad: a TCP proxy on loopback that delays, holds, loses and cuts what passes between a client and a server. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'

export interface TcpProxy {
  readonly port: number
  /** What arrives from now on is handed on that much later, either way. */
  delay(ms: number): void
  /** Hands on nothing, either way, and closes nothing: a network that is down. `heal` delivers what piled up. */
  hold(): void
  /** The server gets everything, and of its answers nothing arrives. `heal` resets the connections that lost some. */
  swallowAnswers(): void
  /** Resets all connections, and every new one. */
  cut(): void
  /**
   * The connections of this moment are dead for good and neither side is told, as where a router has forgotten them; new ones
   * work.
   */
  forget(): void
  /** New bytes and new connections pass as they should. */
  heal(): void
  /** How many clients are connected. */
  connections(): number
  close(): Promise<void>
}

/** Between one client and the server. */
interface Link {
  readonly near: Socket
  readonly far: Socket
  isForgotten: boolean
  hasLost: boolean
}

type Mode = 'pass' | 'hold' | 'swallow' | 'cut'

/** A proxy on a free port of loopback before a port of loopback. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const links = new Set<Link>()
  let mode: Mode = 'pass'
  let delayMs = 0
  let held: (() => void)[] = []

  const ripe = async () => {
    if (delayMs > 0) await setTimeout(delayMs)
    while (mode === 'hold') await new Promise<void>((resolve) => held.push(resolve))
  }
  const handOn = (link: Link, from: Socket, to: Socket) => {
    let before = Promise.resolve()
    from.on('data', (chunk) => {
      if (link.isForgotten) return
      if (mode === 'swallow' && from === link.far) {
        link.hasLost = true
        return
      }
      const mine = delayMs > 0 || mode === 'hold' ? ripe() : undefined
      before = Promise.all([before, mine]).then(() => {
        if (to.writable && !link.isForgotten) to.write(chunk)
      })
    })
    from.on('error', () => {})
    from.on('close', () => {
      if (link.isForgotten) return
      links.delete(link)
      void before.then(() => to.destroy())
    })
  }
  const reset = (link: Link) => {
    links.delete(link)
    link.near.resetAndDestroy()
    link.far.resetAndDestroy()
  }

  const server = createServer({ noDelay: true }, (near) => {
    if (mode === 'cut') {
      near.on('error', () => {})
      near.resetAndDestroy()
      return
    }
    const far = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
    const link = { near, far, isForgotten: false, hasLost: false }
    links.add(link)
    handOn(link, near, far)
    handOn(link, far, near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))

  const turn = (next: Mode) => {
    mode = next
    const waiting = held
    held = []
    for (const goOn of waiting) goOn()
  }
  return {
    port: (server.address() as AddressInfo).port,
    delay: (ms) => {
      delayMs = ms
    },
    hold: () => turn('hold'),
    swallowAnswers: () => turn('swallow'),
    cut() {
      turn('cut')
      for (const link of links) reset(link)
    },
    forget() {
      for (const link of links) link.isForgotten = true
    },
    heal() {
      delayMs = 0
      turn('pass')
      for (const link of links) if (link.hasLost) reset(link)
    },
    connections: () => links.size,
    async close() {
      turn('cut')
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const link of links) reset(link)
      await closed
    },
  }
}
