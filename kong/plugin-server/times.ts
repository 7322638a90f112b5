/** What is under way and since when: deadlines of events, and connections that Kong has forgotten to close. */
import type { Connection, HandledEvent } from './connection.ts'

export interface TimesParts {
  readonly eventTimeoutMs: number
  readonly deafTimeoutMs: number
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  readonly onTimeout: (handled: HandledEvent) => void
}

export interface Times {
  begin(handled: HandledEvent): void
  end(handled: HandledEvent): void
  readonly underWay: number
  events(): Iterable<HandledEvent>
  /** Kong listens on it no more. */
  deaf(connection: Connection): void
  closed(connection: Connection): void
  /** Resolves when no event is under way, or with false after `timeoutMs`. */
  idle(timeoutMs: number): Promise<boolean>
  stop(): void
}

/** Deadlines are looked at this often in the time of one: a timer for each event would cost more than the event. */
const LOOKS = 20

/** Everything has the same time, so that what began first is first to be late: a look ends at the first that is not. */
export function createTimes({ eventTimeoutMs, deafTimeoutMs, elapsed, onTimeout }: TimesParts): Times {
  const events = new Map<HandledEvent, number>()
  const deaf = new Map<Connection, number>()
  let onIdle: (() => void) | undefined

  function look(): void {
    const now = elapsed()
    for (const [handled, since] of events) {
      if (now - since < eventTimeoutMs) break
      onTimeout(handled)
    }
    for (const [connection, since] of deaf) {
      if (now - since < deafTimeoutMs) break
      deaf.delete(connection)
      connection.destroy()
    }
  }

  const looks = setInterval(look, Math.max(1, eventTimeoutMs / LOOKS)).unref()
  return {
    begin: (handled) => void events.set(handled, elapsed()),
    end(handled) {
      events.delete(handled)
      if (events.size === 0) onIdle?.()
    },
    get underWay() {
      return events.size
    },
    events: () => [...events.keys()],
    deaf: (connection) => void deaf.set(connection, elapsed()),
    closed: (connection) => void deaf.delete(connection),
    idle(timeoutMs) {
      return new Promise((resolve) => {
        const bound = setTimeout(() => resolve(false), timeoutMs)
        onIdle = () => {
          clearTimeout(bound)
          resolve(true)
        }
        if (events.size === 0) onIdle()
      })
    },
    stop: () => clearInterval(looks),
  }
}
