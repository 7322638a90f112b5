/** What is under way and since when: deadlines of events, of frames, and of connections that Kong has forgotten to close. */
import type { Connection, HandledEvent } from './connection.ts'

export interface TimesParts {
  readonly eventTimeoutMs: number
  readonly deafTimeoutMs: number
  readonly frameTimeoutMs: number
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
  /** A frame has begun on it whose end has not come, or has come now. */
  incomplete(connection: Connection, isIncomplete: boolean): void
  closed(connection: Connection): void
  /** Resolves when no event is under way, or with false after `timeoutMs`. */
  idle(timeoutMs: number): Promise<boolean>
  stop(): void
}

/** Deadlines are looked at this often in the time of the shortest: a timer for each event would cost more than the event. */
const LOOKS = 20

export function createTimes(parts: TimesParts): Times {
  const { eventTimeoutMs, deafTimeoutMs, frameTimeoutMs, elapsed, onTimeout } = parts
  const events = new Map<HandledEvent, number>()
  const deaf = new Map<Connection, number>()
  const incomplete = new Map<Connection, number>()
  const destroy = (connection: Connection) => connection.destroy()
  let onIdle: (() => void) | undefined

  function look(): void {
    const now = elapsed()
    endLate(events, now - eventTimeoutMs, onTimeout)
    endLate(deaf, now - deafTimeoutMs, destroy)
    endLate(incomplete, now - frameTimeoutMs, destroy)
  }

  const shortest = Math.min(eventTimeoutMs, deafTimeoutMs, frameTimeoutMs)
  const looks = setInterval(look, Math.max(1, shortest / LOOKS)).unref()
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
    incomplete(connection, isIncomplete) {
      if (isIncomplete) incomplete.set(connection, elapsed())
      else incomplete.delete(connection)
    },
    closed(connection) {
      deaf.delete(connection)
      incomplete.delete(connection)
    },
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

/** All of one map have the same time, so that what began first is first to be late: the look ends at the first that is not. */
function endLate<Key>(began: Map<Key, number>, atLatest: number, end: (key: Key) => void): void {
  for (const [key, since] of began) {
    if (since > atLatest) break
    began.delete(key)
    end(key)
  }
}
