/** What an event sends to Kong: bytes that can wait go together with what follows in the same turn. */

export interface Outbox {
  /** Sends these now, behind what is held. */
  send(bytes: Uint8Array): void
  /** Sends these with the next ones, at the latest when the turn is over. */
  hold(bytes: Uint8Array): void
  /** Forgets what is held: nobody reads it any more. */
  drop(): void
}

export function createOutbox(write: (bytes: Uint8Array) => void): Outbox {
  let held: Uint8Array | undefined

  function take(): Uint8Array | undefined {
    const bytes = held
    held = undefined
    return bytes
  }

  function flush(): void {
    const bytes = take()
    if (bytes !== undefined) write(bytes)
  }

  return {
    send(bytes) {
      const before = take()
      write(before === undefined ? bytes : Buffer.concat([before, bytes]))
    },
    hold(bytes) {
      if (held === undefined) setImmediate(flush)
      held = held === undefined ? bytes : Buffer.concat([held, bytes])
    },
    drop: () => void take(),
  }
}
