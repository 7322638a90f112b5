/** A service that serves: until a signal or a successor, and then through its drain to its end. */
import { setTimeout } from 'node:timers/promises'
import { EXIT } from '../io.ts'
import type { Gateway } from './gateway.ts'
import type { Listeners } from './listeners.ts'
import type { FollowedPolicy } from './live-policy.ts'
import type { Probes } from './probes.ts'
import { HANDING_OVER, type StopSignal } from './signals.ts'
import { expectedSuccessor, successor } from './succession.ts'

/** A service that is open to calls. */
export interface Service {
  readonly followed: FollowedPolicy
  readonly gateway: Gateway
  readonly listeners: Listeners
  readonly probes: Probes
}

/** Stores have so long at least to give back and write what they hold, however long the calls took. */
const LEAST_CLOSING_MS = 500

/** Says where it serves; the exit code when all is over. What is under way when it is to stop is answered, within the bound. */
export async function serveUntilStopped(
  { followed, gateway, listeners, probes }: Service,
  { drainTimeoutMs, takesOver = false }: { readonly drainTimeoutMs: number; readonly takesOver?: boolean },
  stopping: Promise<StopSignal>,
): Promise<number> {
  const { gate, parts } = followed
  const { log, audit, state, flagProvider, elapsed } = parts
  probes.serve(gate, parts)
  const { gateway: addresses, admin } = listeners.addresses
  log.listening({ ...gateway.told(addresses), http: probes.address(), admin }, gate.policy.version)
  for (const address of listeners.takenOver) log.socketTaken(address)
  const pause = (ms: number) => setTimeout(ms, undefined, { ref: false })
  const succession = { isThere: () => takesOver && listeners.replaced() !== undefined, elapsed, pause }
  const signal = await Promise.race([stopping, successor(succession)])
  // the probes answer until the last call is answered, so that whoever asks is told to send no more
  probes.drain()
  if (signal !== undefined) log.draining(signal)
  await expectedSuccessor(succession, signal === HANDING_OVER ? drainTimeoutMs : 0)
  const lost = takesOver ? listeners.replaced() : undefined
  if (lost !== undefined) log.socketLost(lost)
  const endsAt = elapsed() + drainTimeoutMs
  followed.close()
  gateway.close?.()
  listeners.closeGateway()
  const allAnswered = await gateway.server.drain(drainTimeoutMs)
  listeners.closeOthers()
  await flagProvider?.close()
  await parts.close(Math.max(LEAST_CLOSING_MS, endsAt - elapsed()))
  probes.close()
  state?.close()
  await audit.close()
  log.stopped(allAnswered)
  await log.close()
  return EXIT.ok
}
