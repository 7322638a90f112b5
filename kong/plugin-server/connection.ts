/** One connection of Kong's: calls come in one after another, and an event has it for itself until it ends. */
import type { Socket } from 'node:net'
import { type Event, type Outcome, openEvent } from './event.ts'
import { createFrameReader, framed } from './frames.ts'
import type { Instance, Instances } from './instances.ts'
import type { Call, Protocol, Return } from './protocol.ts'

export interface Connection {
  /** No event is begun on it any more: it ends now, or with the one that is under way. */
  stop(): void
  /** Whether Kong can do without it: nothing is under way on it, and nothing is left to be read by either side. */
  readonly isIdle: boolean
  destroy(): void
}

/** An event with what the server knows of it. */
export interface HandledEvent {
  readonly event: Event
  readonly instance: Instance
  readonly phase: string
}

/** Bytes of one frame. */
export interface ConnectionLimits {
  /** A call. */
  readonly largestCall: number
  /** An answer that an event waits for. */
  readonly largestAnswer: number
  /** A length above this is no length: the framing is lost. */
  readonly largestSkipped: number
}

export interface ConnectionParts {
  readonly handle: Protocol['handle']
  readonly instances: Instances
  readonly frameLimits: ConnectionLimits
  /** ms since the epoch. */
  readonly now: () => number
  /** Runs the plugin. */
  readonly onEvent: (handled: HandledEvent) => void
  /** An event ended, or one that could not begin. */
  readonly onOver: (outcome: Outcome, handled: HandledEvent | undefined, connection: Connection) => void
  /** Kong's answer to a call is too large to be read. */
  readonly onTooLarge: (handled: HandledEvent) => void
  /** Told when the bytes that have come end within a frame, and when they do no more. */
  readonly onIncomplete: (connection: Connection, isIncomplete: boolean) => void
  readonly onClose: (connection: Connection) => void
  /** Whether what is read now may be older than the word that its sender has gone. */
  readonly hasHalted: () => boolean
}

const NOTHING = new Uint8Array(0)

/**
 * Serves Kong on one socket. After an event that ended by an answer to the client Kong neither reads nor writes any more, and
 * closes when its request is over: what still comes is thrown away.
 */
export function serveConnection(socket: Socket, parts: ConnectionParts): Connection {
  const { handle, instances, hasHalted } = parts
  let handled: HandledEvent | undefined
  /** Replies that Kong still gives to an event that has ended. */
  let owed = 0
  let isDeaf = false
  let isStopping = false
  /** Chunks that are read, but not looked at yet. */
  let heldBack = 0

  const write = (bytes: Uint8Array) => void socket.write(bytes)
  const answer = (message: Return) => write(framed(handle.responseSerialize(message)))

  function serve(call: Call): void {
    const { sequence = 0, start_instance, close_instance, handle_event } = call
    if (handle_event !== undefined) {
      begin(sequence, handle_event.instance_id ?? 0, handle_event.event_name ?? '')
    } else if (start_instance !== undefined) {
      const { id, plugin } = instances.start(start_instance.name ?? '', start_instance.config)
      const started_at = Math.floor(parts.now() / 1000)
      answer({ sequence, instance_status: { name: plugin, instance_id: id, started_at } })
    } else if (close_instance !== undefined) {
      const id = close_instance.instance_id ?? 0
      const name = instances.get(id)?.plugin ?? ''
      instances.close(id)
      answer({ sequence, instance_status: { name, instance_id: id } })
    } else {
      // a question that no Kong asks, or one that a later Kong may
      answer({ sequence })
    }
  }

  function begin(sequence: number, id: number, phase: string): void {
    const instance = instances.get(id)
    if (instance === undefined) {
      // a function with this name is unknown to Kong too, and the words make it forget all instances of the plugin
      write(framed(Buffer.from(`no plugin instance #${id}`), NOTHING))
      over('unknown_instance')
      return
    }
    const goodbye = () => framed(NOTHING, handle.responseSerialize({ sequence }))
    handled = { event: openEvent({ write, goodbye, onOver: over }), instance, phase }
    parts.onEvent(handled)
  }

  function over(outcome: Outcome, stillOwed = 0): void {
    const ended = handled
    handled = undefined
    if (outcome === 'done') owed = stillOwed
    else isDeaf = true
    parts.onOver(outcome, ended, connection)
    endIfStopped()
  }

  /** Kong would take it for a fault to find nobody to reply to. */
  function endIfStopped(): void {
    if (isStopping && handled === undefined && owed === 0) socket.end()
  }

  function take(frame: Buffer): void {
    if (isDeaf || socket.destroyed) return
    if (owed > 0) {
      owed -= 1
      endIfStopped()
      return
    }
    if (handled !== undefined) {
      // whoever speaks out of turn is no Kong
      if (!handled.event.reply(frame)) socket.destroy()
      return
    }
    let call: Call
    try {
      call = handle.requestDeserialize(frame)
    } catch {
      socket.destroy()
      return
    }
    // Kong repeats elsewhere an event whose connection has ended; for want of an instance it fails the request
    if (!isStopping || call.handle_event === undefined) serve(call)
  }

  const { largestCall, largestAnswer, largestSkipped } = parts.frameLimits
  const largestFrame = () => (handled === undefined ? largestCall : largestAnswer)
  const reader = createFrameReader(
    { largestFrame, largestSkipped },
    {
      onFrame: take,
      onTooLarge() {
        if (handled !== undefined) parts.onTooLarge(handled)
        else if (!isDeaf) socket.destroy()
      },
      onUnreadable: () => socket.destroy(),
    },
  )
  let wasWithin = false
  const read = (chunk: Buffer) => {
    reader.push(chunk)
    if (reader.isWithin === wasWithin) return
    wasWithin = reader.isWithin
    parts.onIncomplete(connection, wasWithin)
  }
  const connection: Connection = {
    stop() {
      isStopping = true
      // what has come already is looked at first
      setImmediate(setImmediate, endIfStopped)
    },
    get isIdle() {
      return handled === undefined && owed === 0 && !isDeaf
    },
    destroy: () => socket.destroy(),
  }
  socket.on('data', (chunk: Buffer) => {
    if (heldBack === 0 && !hasHalted()) {
      read(chunk)
      return
    }
    heldBack += 1
    // the end of what is read now may be seen in the next turn of the event loop only
    setImmediate(setImmediate, () => {
      heldBack -= 1
      read(chunk)
    })
  })
  // Kong ends no half of a connection: whoever writes no more has gone
  const leave = () => {
    isDeaf = true
    handled?.event.end('abandoned')
  }
  socket.on('error', () => {})
  socket.once('end', leave)
  socket.once('close', () => {
    leave()
    parts.onClose(connection)
  })
  return connection
}
