/** One connection of Kong's: calls come in one after another, and an event has it for itself until it ends. */
import type { Socket } from 'node:net'
import { type Event, type Outcome, openEvent } from './event.ts'
import { createFrameReader, type FrameLimits, framed } from './frames.ts'
import type { Instance, Instances } from './instances.ts'
import type { Call, Protocol, Return } from './protocol.ts'

export interface Connection {
  /** Nothing more is begun on it: it ends now, or with the event that is under way. */
  stop(): void
  destroy(): void
}

/** An event with what the server knows of it. */
export interface HandledEvent {
  readonly event: Event
  readonly instance: Instance
  readonly phase: string
}

export interface ConnectionParts {
  readonly handle: Protocol['handle']
  readonly instances: Instances
  readonly frameLimits: FrameLimits
  /** ms since the epoch. */
  readonly now: () => number
  /** Runs the plugin. */
  readonly onEvent: (handled: HandledEvent) => void
  /** An event ended, or one that could not begin. */
  readonly onOver: (outcome: Outcome, handled: HandledEvent | undefined, connection: Connection) => void
  /** Kong's answer to a call is too large to be read. */
  readonly onTooLarge: (handled: HandledEvent) => void
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
    // Kong repeats elsewhere what it asked of a connection that has ended
    if (isStopping) return
    let call: Call
    try {
      call = handle.requestDeserialize(frame)
    } catch {
      socket.destroy()
      return
    }
    serve(call)
  }

  const reader = createFrameReader(parts.frameLimits, {
    onFrame: take,
    onTooLarge() {
      if (handled !== undefined) parts.onTooLarge(handled)
      else if (!isDeaf) socket.destroy()
    },
    onUnreadable: () => socket.destroy(),
  })
  const connection: Connection = {
    stop() {
      isStopping = true
      endIfStopped()
    },
    destroy: () => socket.destroy(),
  }
  socket.on('data', (chunk: Buffer) => {
    if (heldBack === 0 && !hasHalted()) {
      reader.push(chunk)
      return
    }
    heldBack += 1
    // the end of what is read now may be seen in the next turn of the event loop only
    setImmediate(setImmediate, () => {
      heldBack -= 1
      reader.push(chunk)
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
