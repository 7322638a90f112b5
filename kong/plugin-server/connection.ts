/** One connection of Kong's: calls come in one after another, and an event has it for itself until it ends. */
import type { Socket } from 'node:net'
import { type Event, type Outcome, openEvent } from './event.ts'
import { framed } from './frames.ts'
import type { Instance, Instances } from './instances.ts'
import { createIntake } from './intake.ts'
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
  const { handle } = parts
  let handled: HandledEvent | undefined
  /** Replies that Kong still gives to an event that has ended. */
  let owed = 0
  let isDeaf = false
  let isStopping = false

  const write = (bytes: Uint8Array) => void socket.write(bytes)

  function serve(call: Call | undefined): void {
    if (call?.handle_event !== undefined) {
      // Kong repeats elsewhere an event whose connection has ended; for want of an instance it fails the request
      if (!isStopping) begin(call.sequence ?? 0, call.handle_event)
    } else if (call !== undefined) write(framed(handle.responseSerialize(answerTo(call, parts))))
    else socket.destroy()
  }

  function begin(sequence: number, { instance_id: id = 0, event_name: phase = '' }: HandleEvent): void {
    const instance = parts.instances.get(id)
    if (instance === undefined) {
      write(unknownInstance(id))
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
    } else if (handled === undefined) serve(callIn(frame, handle))
    // whoever speaks out of turn is no Kong
    else if (!handled.event.reply(frame)) socket.destroy()
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
  listen(socket, connection, parts, {
    isEvent: () => handled !== undefined,
    onFrame: take,
    onTooLarge() {
      if (handled !== undefined) parts.onTooLarge(handled)
      else if (!isDeaf) socket.destroy()
    },
    // Kong ends no half of a connection: whoever writes no more has gone
    onEnd() {
      isDeaf = true
      handled?.event.end('abandoned')
    },
  })
  return connection
}

type HandleEvent = NonNullable<Call['handle_event']>

/** A function of this name is unknown to Kong too, and the words make it forget all instances of the plugin. */
function unknownInstance(id: number): Buffer {
  return framed(Buffer.from(`no plugin instance #${id}`), NOTHING)
}

interface Listener {
  /** Whether what comes answers an event. */
  readonly isEvent: () => boolean
  onFrame(frame: Buffer): void
  onTooLarge(): void
  /** Told once or twice. */
  onEnd(): void
}

/** Reads what comes on the socket, to its end. */
function listen(socket: Socket, connection: Connection, parts: ConnectionParts, listener: Listener): void {
  const { largestCall, largestAnswer, largestSkipped } = parts.frameLimits
  const { isEvent, onFrame, onTooLarge, onEnd } = listener
  const intake = createIntake({
    limits: { largestFrame: () => (isEvent() ? largestAnswer : largestCall), largestSkipped },
    listener: { onFrame, onTooLarge, onUnreadable: connection.destroy },
    hasHalted: parts.hasHalted,
    onIncomplete: (isIncomplete) => parts.onIncomplete(connection, isIncomplete),
  })
  socket.on('data', intake)
  // what is broken is closed
  socket.on('error', () => {})
  socket.once('end', onEnd)
  socket.once('close', () => {
    onEnd()
    parts.onClose(connection)
  })
}

/** Undefined for what is no call. */
function callIn(frame: Buffer, handle: Protocol['handle']): Call | undefined {
  try {
    return handle.requestDeserialize(frame)
  } catch {
    return undefined
  }
}

/** What is answered to a call that is no event. */
function answerTo({ sequence = 0, start_instance, close_instance }: Call, { instances, now }: ConnectionParts): Return {
  if (start_instance !== undefined) {
    const { id, plugin } = instances.start(start_instance.name ?? '', start_instance.config)
    return { sequence, instance_status: { name: plugin, instance_id: id, started_at: Math.floor(now() / 1000) } }
  }
  // otherwise a question that no Kong asks, or one that a later Kong may
  if (close_instance === undefined) return { sequence }
  const id = close_instance.instance_id ?? 0
  const name = instances.get(id)?.plugin ?? ''
  instances.close(id)
  return { sequence, instance_status: { name, instance_id: id } }
}
