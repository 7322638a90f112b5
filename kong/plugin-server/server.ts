/** The plugin server that Kong calls. It is given connections; which sockets they come from is not its business. */
import type { Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import type { Kong, Phase, PluginEvent, PluginModule } from '../pdk.ts'
import { type Refusal, tooLarge, undecided } from '../refusal.ts'
import { type ConnectionParts, type HandledEvent, serveConnection } from './connection.ts'
import { EventOver, OUTCOMES, type Outcome } from './event.ts'
import { framed } from './frames.ts'
import { createInstances } from './instances.ts'
import { type CallMethod, prepareKong } from './kong-object.ts'
import { createMethods, exitOf, type Method } from './methods.ts'
import { createOpenConnections } from './open-connections.ts'
import { loadProtocol } from './protocol.ts'
import { createTimes } from './times.ts'

export interface PluginServer {
  accept(socket: Socket): void
  /** Events under way. */
  readonly underWay: number
  /** Connections that are open: idle ones, those of events, and those of refused requests that Kong has not closed yet. */
  readonly connections: number
  /** Instances by plugin. */
  instances(): ReadonlyMap<string, number>
  /** Events that have ended, by outcome, since the start. */
  readonly ended: Readonly<Record<Outcome, number>>
  /**
   * Begins no more events, closes idle connections, and resolves when every event under way has ended or `timeoutMs` are over;
   * what is then left is refused. True if all ended by themselves. The caller has stopped to accept connections before.
   */
  drain(timeoutMs: number): Promise<boolean>
}

export interface Limits {
  /** How long a plugin may take for one event. */
  readonly eventTimeoutMs: number
  /** How many events may be under way, with those that were refused and whose plugin goes on; more are refused. */
  readonly maxEvents: number
  readonly maxInstances: number
  /**
   * Beyond it the connection that has been idle for longest makes room: Kong opens another when it needs one. A new one that
   * were closed instead, or left to wait, would cost Kong a request.
   */
  readonly maxConnections: number
  /** Bytes of one answer of Kong's to a call of the PDK. */
  readonly largestFrame: number
  /** Bytes of a call of Kong's: an instance's configuration is the longest. */
  readonly largestCall: number
  /** How long the bytes that have come may end within a frame: Kong writes one at once. */
  readonly frameTimeoutMs: number
  /**
   * How long a connection on which Kong listens no more is kept. Kong has read all of it by then; it closes the connection when
   * its request is over, which a client with an unfinished body puts off as long as it likes.
   */
  readonly deafTimeoutMs: number
}

export const LIMITS: Limits = {
  eventTimeoutMs: 1000,
  maxEvents: 1024,
  maxInstances: 10_000,
  maxConnections: 4096,
  largestFrame: 1024 * 1024,
  largestCall: 64 * 1024,
  frameTimeoutMs: 2000,
  deafTimeoutMs: 2000,
}

const LARGEST_SKIPPED = 64 * 1024 * 1024

/** Kong closes an idle connection in the turn in which it sees its end; one of a request that goes on is closed with it. */
const LAST_READ_MS = 200

export interface PluginServerParts<Decide> {
  /** By the name that Kong knows them by. */
  readonly plugins: ReadonlyMap<string, PluginModule<Decide>>
  /** Given to each instance. */
  readonly decide: Decide
  /** Told what a plugin threw; the client has been refused. */
  readonly onFault: (fault: unknown) => void
  /** Told once for each instance that cannot work; its requests are refused. */
  readonly onRejected: (plugin: string, because: string) => void
  /** ms since the epoch. */
  readonly now: () => number
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  /** 1 to 2³¹ − 1, from a random source. */
  readonly firstInstanceId: number
  /** Whether this process stood still until a moment ago. */
  readonly hasHalted?: () => boolean
  readonly limits?: Partial<Limits>
}

/** Serves connections as they are given. */
export function createPluginServer<Decide>(parts: PluginServerParts<Decide>): PluginServer {
  const limits: Limits = { ...LIMITS, ...parts.limits }
  const protocol = loadProtocol()
  const methods = createMethods(protocol)
  const open = createOpenConnections(limits.maxConnections)
  const ended = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>
  const refuse = createRefuse(exitOf(methods))
  const deadline = () => {
    const until = parts.elapsed() + limits.eventTimeoutMs
    return () => until - parts.elapsed()
  }
  const run = createRun(prepareKong(methods.values()), { onFault: parts.onFault, refuse, deadline })
  /** Methods of plugins that have not settled, whatever became of their events. */
  let running = 0
  const settled = () => {
    running -= 1
  }
  const times = createTimes({ ...limits, elapsed: parts.elapsed, onTimeout: (handled) => refuse(handled, 'timeout') })
  const instances = createInstances({ ...parts, firstId: parts.firstInstanceId, most: limits.maxInstances })
  let isDraining = false

  const connectionParts: ConnectionParts = {
    handle: protocol.handle,
    instances,
    frameLimits: { ...limits, largestAnswer: limits.largestFrame, largestSkipped: LARGEST_SKIPPED },
    now: parts.now,
    hasHalted: parts.hasHalted ?? (() => false),
    onEvent(handled) {
      if (Math.max(times.underWay, running) >= limits.maxEvents) return refuse(handled, 'busy')
      if (handled.instance.running === undefined) return refuse(handled, 'misconfigured')
      times.begin(handled)
      running += 1
      run(handled, settled)
    },
    onTooLarge: (handled) => refuse(handled, 'too_large'),
    onOver(outcome, handled, connection) {
      ended[outcome] += 1
      if (outcome === 'done') open.used(connection)
      else if (outcome !== 'abandoned') times.deaf(connection)
      if (handled !== undefined) times.end(handled)
    },
    onIncomplete: times.incomplete,
    onClose(connection) {
      open.closed(connection)
      times.closed(connection)
    },
  }

  return {
    accept(socket) {
      if (!isDraining && open.makeRoom()) open.add(serveConnection(socket, connectionParts))
      else socket.destroy()
    },
    get underWay() {
      return times.underWay
    },
    get connections() {
      return open.size
    },
    instances: instances.count,
    ended,
    async drain(timeoutMs) {
      isDraining = true
      await open.stop()
      const allEnded = await times.idle(timeoutMs)
      for (const handled of times.events()) refuse(handled, 'draining')
      times.stop()
      // a process that ends before Kong has seen these ends resets what Kong sends, and Kong repeats no event for a reset
      await Promise.race([setTimeout(LAST_READ_MS, undefined, { ref: false }), open.allClosed()])
      return allEnded
    },
  }
}

type RefusedOutcome = keyof typeof REFUSALS
type Refuse = (handled: HandledEvent, outcome: RefusedOutcome) => void

/** The request's id is not told to us here, and none is better than an empty one; Kong sends it as a header. */
const nameless = ({ status, body, headers }: Refusal): Refusal => {
  const { requestId: _, ...problem } = JSON.parse(body)
  return { status, body: JSON.stringify(problem), headers }
}

const UNAVAILABLE = nameless(undecided('dependency_unavailable', ''))
const TOO_LARGE = nameless(tooLarge(''))

const REFUSALS = {
  fault: UNAVAILABLE,
  timeout: UNAVAILABLE,
  busy: UNAVAILABLE,
  draining: UNAVAILABLE,
  misconfigured: UNAVAILABLE,
  too_large: TOO_LARGE,
} as const satisfies Partial<Record<Outcome, Refusal>>

/** Refusing is answering the client, so that Kong neither goes on with the request nor repeats the event. */
function createRefuse(exit: Method): Refuse {
  const bytesOf = ({ status, body, headers }: Refusal) => framed(exit.nameBytes, exit.encode([status, body, headers]))
  const bytes = new Map([UNAVAILABLE, TOO_LARGE].map((refusal) => [refusal, bytesOf(refusal)]))
  return ({ event }, outcome) => event.end(outcome, bytes.get(REFUSALS[outcome]))
}

interface RunParts {
  readonly onFault: (fault: unknown) => void
  readonly refuse: Refuse
  /** Begins the time of an event, and tells how many ms are left of it. */
  readonly deadline: () => () => number
}

function createRun(kongOf: (call: CallMethod) => Kong, { onFault, refuse, deadline }: RunParts) {
  return (handled: HandledEvent, onSettled: () => void): void => {
    const { event, instance, phase } = handled
    const told: PluginEvent = { abandoned: () => event.isOver, timeLeftMs: deadline() }
    const finish = () => {
      onSettled()
      event.finish()
    }
    const fail = (fault: unknown) => {
      onSettled()
      // that nobody answers a plugin any more is not its fault
      if (!(fault instanceof EventOver)) onFault(fault)
      refuse(handled, 'fault')
    }
    try {
      const method = instance.running?.[phase as Phase]
      if (method === undefined) throw new Error(`the plugin ${instance.plugin} has no phase ${phase}`)
      Promise.resolve(method.call(instance.running, kongOf(event.call), told)).then(finish, fail)
    } catch (fault) {
      fail(fault)
    }
  }
}
