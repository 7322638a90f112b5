/** The handshakes under way: each bounded in time as a whole, all of them in number. */
import type { Socket } from 'node:net'

export interface Handshakes {
  /** One begins on this connection. Another one may be cut for it. */
  begin(connection: Socket): void
  /** It has ended well; false where it was cut meanwhile. `connection` may be what TLS has made of the one that began. */
  end(connection: Socket): boolean
  /** Cuts all of them. */
  cut(): void
  readonly underWay: number
}

export type Cut = 'too_slow' | 'too_many'

export interface HandshakeBounds {
  readonly most: number
  readonly longestMs: number
  readonly onCut: (why: Cut, address: string) => void
}

interface UnderWay {
  readonly connection: Socket
  readonly address: string
  readonly bound: NodeJS.Timeout
}

/**
 * Bytes that trickle in do not lengthen the time. When there are too many, the oldest one gives way of the address that has the
 * most: whoever opens connections and says nothing crowds out itself first.
 */
export function createHandshakes({ most, longestMs, onCut }: HandshakeBounds): Handshakes {
  // in the order in which they began
  const underWay = new Map<string, UnderWay>()

  function cut(key: string, why: Cut): void {
    const one = underWay.get(key)
    if (!one) return
    forget(key)
    one.connection.destroy()
    onCut(why, one.address)
  }

  function forget(key: string): boolean {
    clearTimeout(underWay.get(key)?.bound)
    return underWay.delete(key)
  }

  return {
    begin(connection) {
      const { remoteAddress: address } = connection
      // gone already
      if (address === undefined) return void connection.destroy()
      const key = nameOf(connection)
      const bound = setTimeout(() => cut(key, 'too_slow'), longestMs).unref()
      underWay.set(key, { connection, address, bound })
      connection.once('close', () => {
        if (underWay.get(key)?.connection === connection) forget(key)
      })
      if (underWay.size > most) cut(oldestOfMost(underWay), 'too_many')
    },
    end: (connection) => forget(nameOf(connection)),
    cut() {
      for (const [key, { connection }] of underWay) {
        forget(key)
        connection.destroy()
      }
    },
    get underWay() {
      return underWay.size
    },
  }
}

/** Of the addresses of its two ends: at one time no other connection has them. */
function nameOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}

function oldestOfMost(underWay: ReadonlyMap<string, UnderWay>): string {
  const counts = new Map<string, number>()
  for (const { address } of underWay.values()) counts.set(address, (counts.get(address) ?? 0) + 1)
  const highest = Math.max(...counts.values())
  for (const [key, { address }] of underWay) if (counts.get(address) === highest) return key
  return ''
}
