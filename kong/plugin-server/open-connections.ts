/** The connections of Kong's that are open: which of them makes room for another, and how all of them are ended. */
import { setTimeout } from 'node:timers/promises'
import type { Connection } from './connection.ts'

export interface OpenConnections {
  readonly size: number
  add(connection: Connection): void
  /** An event has ended on it, as it should. */
  used(connection: Connection): void
  closed(connection: Connection): void
  /** Whether there is room for one more; the idle one that was used longest ago makes some where there is none. */
  makeRoom(): boolean
  /** Resolves when all have been told that no event is begun on them any more. */
  stop(): Promise<void>
  /** Resolves when none is open. */
  allClosed(): Promise<void>
}

/** A turn of a busy worker of Kong's, in which it hears of all ends before it; and what a drain may take longer for that. */
const MOST_GAP_MS = 5
const MOST_GAPS_MS = 250

/** None. There may be `most`. */
export function createOpenConnections(most: number): OpenConnections {
  /** Those that were used longest ago first. */
  const connections = new Set<Connection>()
  let onLastClosed: (() => void) | undefined
  return {
    get size() {
      return connections.size
    },
    add: (connection) => void connections.add(connection),
    used(connection) {
      if (connections.delete(connection)) connections.add(connection)
    },
    closed(connection) {
      connections.delete(connection)
      if (connections.size === 0) onLastClosed?.()
    },
    makeRoom() {
      if (connections.size < most) return true
      for (const connection of connections) {
        if (!connection.isIdle) continue
        // the rest of its end comes in a later turn, and it is not to be found idle again
        connections.delete(connection)
        connection.destroy()
        break
      }
      return connections.size < most
    },
    stop: () => stopOneByOne([...connections]),
    allClosed: () =>
      new Promise<void>((resolve) => {
        onLastClosed = resolve
        if (connections.size === 0) resolve()
      }),
  }
}

/**
 * Kong repeats an event whose connection has ended, but needs an instance for it, which it does not ask for twice: the connection
 * that it takes for that must not have ended, too, without its knowledge.
 */
async function stopOneByOne(connections: readonly Connection[]): Promise<void> {
  const gapMs = Math.min(MOST_GAP_MS, MOST_GAPS_MS / connections.length)
  let isFirst = true
  for (const connection of connections) {
    if (!isFirst && gapMs >= 1) await setTimeout(gapMs)
    isFirst = false
    connection.stop()
  }
}
