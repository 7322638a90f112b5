/** One event of one plugin: its calls to Kong one after another, and its one end, whichever comes first. */
import { framed } from './frames.ts'
import type { CallMethod } from './kong-object.ts'
import type { Method } from './methods.ts'
import { createOutbox } from './outbox.ts'

/** How an event can end. All but `done` and `exited` mean that no plugin has decided; the client is then refused, or gone. */
export const OUTCOMES = [
  /** The plugin's method has ended, and the request goes on. */
  'done',
  /** The plugin has answered the client. */
  'exited',
  /** The plugin threw. */
  'fault',
  /** The plugin took longer than it may. */
  'timeout',
  /** More events are under way than may be. */
  'busy',
  /** The server stops, and the time for what was under way is over. */
  'draining',
  /** The plugin cannot use its configuration, or there is no such plugin. */
  'misconfigured',
  /** Kong's answer to a call is larger than may be. */
  'too_large',
  /** Kong meant an instance that this process does not have; it begins anew. */
  'unknown_instance',
  /** Kong has closed the connection. */
  'abandoned',
] as const

export type Outcome = (typeof OUTCOMES)[number]

/** Why a call of the PDK failed although it was right: nobody is there any more to answer it. */
export class EventOver extends Error {}

export interface Event {
  readonly call: CallMethod
  readonly isOver: boolean
  /** A frame from Kong: the reply to a call. False when none is due. */
  reply(frame: Buffer): boolean
  /** The plugin's method has ended: the calls that it did not wait for are made, then Kong goes on. */
  finish(): void
  /** Ends it now, with these last bytes for Kong. Nothing happens when it is over. */
  end(outcome: Outcome, lastBytes?: Uint8Array): void
}

export interface EventParts {
  readonly write: (bytes: Uint8Array) => void
  /** What Kong is sent when the plugin has nothing more to ask. */
  readonly goodbye: () => Uint8Array
  /** Told once, when the last bytes have been written; Kong still replies `owed` times to what was asked before. */
  readonly onOver: (outcome: Outcome, owed: number) => void
}

interface Asked {
  readonly method: Method
  readonly bytes: Uint8Array
  readonly resolve: (value: unknown) => void
  readonly reject: (fault: unknown) => void
}

const ignore = () => {}

/**
 * Begins an event. Its calls go to Kong one after another. One that has no answer (every setter) is done when it is sent, and
 * is sent together with what follows in the same turn: Kong does it before it reads on, and most plugins end with one. Every
 * promise that `call` gives settles at the latest when the event ends.
 */
export function openEvent({ write, goodbye, onOver }: EventParts): Event {
  /** The call whose answer is waited for, and those behind it. */
  let asked: Asked | undefined
  let queue: Asked[] = []
  /** Empty replies that come before that answer. */
  let owed = 0
  const outbox = createOutbox(write)
  let isFinishing = false
  let isOver = false

  function send(next: Asked): void {
    if (next.method.ends) {
      end('exited', next.bytes)
      next.resolve(undefined)
    } else if (next.method.answers) {
      asked = next
      outbox.send(next.bytes)
    } else {
      owed += 1
      outbox.hold(next.bytes)
      next.resolve(undefined)
    }
  }

  function end(outcome: Outcome, lastBytes?: Uint8Array): void {
    if (isOver) return
    isOver = true
    if (lastBytes === undefined) outbox.drop()
    else outbox.send(lastBytes)
    const left = asked === undefined ? queue : [asked, ...queue]
    asked = undefined
    queue = []
    onOver(outcome, owed)
    for (const { method, reject } of left) reject(tooLate(method))
  }

  /** Makes the calls that wait, up to the first that has to be answered. */
  function goOn(): void {
    while (asked === undefined && !isOver) {
      const next = queue.shift()
      if (next === undefined) break
      send(next)
    }
    if (isFinishing && asked === undefined) end('done', goodbye())
  }

  return {
    get isOver() {
      return isOver
    },
    call(method, args) {
      const answer = new Promise<unknown>((resolve, reject) => {
        if (isOver || isFinishing) throw tooLate(method)
        const call = { method, bytes: framed(method.nameBytes, method.encode(args)), resolve, reject }
        if (asked === undefined) send(call)
        else queue.push(call)
      })
      // a plugin need not wait for a call: what becomes of it then is nobody's fault
      answer.catch(ignore)
      return answer
    },
    reply(frame) {
      if (owed > 0) {
        owed -= 1
        return true
      }
      const answered = asked
      if (answered === undefined) return false
      asked = undefined
      settle(answered, frame)
      goOn()
      return true
    },
    finish() {
      isFinishing = true
      goOn()
    },
    end,
  }
}

function settle({ method, resolve, reject }: Asked, reply: Buffer): void {
  try {
    resolve(method.decode(reply))
  } catch (fault) {
    reject(fault)
  }
}

function tooLate(method: Method): EventOver {
  return new EventOver(`${method.name}: the event is over`)
}
