/** A service from its policy to its end: loads the policy, opens the listeners, follows the file, and drains when told to stop. */
import { setTimeout } from 'node:timers/promises'
import type { MaybePromise } from '../../core/maybe-promise.ts'
import { formatProblem, type Problem } from '../../policy/problem.ts'
import { createHttpServer } from '../../telemetry/http.ts'
import type { Addresses, Log } from '../../telemetry/log.ts'
import { badInput, EXIT, type Io } from '../io.ts'
import { createAdministration } from './administration.ts'
import { type FollowedPolicy, followPolicy } from './follow-policy.ts'
import type { Gate } from './gate.ts'
import { type GatewayServer, type Listeners, openListeners, type Wanted } from './listeners.ts'
import { openSurroundings, type PartsOptions, type ServiceParts } from './parts.ts'
import type { ServiceOptions } from './service-options.ts'
import { HANDING_OVER, stopSignal } from './signals.ts'
import { expectedSuccessor, successor } from './succession.ts'

/** What a gateway calls, and where. */
export interface Gateway {
  readonly server: GatewayServer & { drain(timeoutMs: number): Promise<boolean> }
  readonly listen: Omit<Wanted['gateway'], 'server'>
  /** Under which name its addresses are told when serving begins. */
  told(addresses: readonly string[]): Omit<Addresses, 'http' | 'admin'>
  /** Reads again what it follows besides the policy. */
  reload?(): MaybePromise<void>
  /** Follows nothing any more, and lets nobody in. */
  close?(): void
}

/** What the gateway needs besides the policy is not as it should be. */
export interface BadGateway {
  readonly problems: readonly Problem[]
}

type Unopened = { readonly ok: false; readonly problem: string }

export type MakeGateway = (gate: Gate, parts: ServiceParts) => MaybePromise<Gateway | BadGateway | Unopened>

/** Serves until a signal; the exit code when all is over. A bad policy at start is told as `validate` tells it. */
export async function runService(
  options: ServiceOptions & Pick<PartsOptions, 'places'>,
  io: Io,
  makeGateway: MakeGateway,
): Promise<number> {
  const around = await openSurroundings(options, process.stdout.isTTY === true)
  if (!around.ok) return badInput(io, [`tenantgate: ${around.problem}`])
  endOnFault(around.around.log)
  if (options.policy.kind === 'redis') return refuse(io, { problem: '--policy redis://… is not supported yet' })
  const policy = await followPolicy(options.policy.file, io.env, around.around)
  if (!policy.ok) return refuse(io, policy)
  const { followed } = policy
  const gateway = await makeGateway(followed.gate, followed.parts)
  const opened = 'server' in gateway ? await open(followed, gateway, options) : gateway
  if ('service' in opened) return serveUntilStopped(followed, opened.service, options)
  followed.close()
  return refuse(io, opened)
}

function refuse(io: Io, bad: BadGateway | { readonly problem: string }): number {
  return badInput(io, 'problems' in bad ? bad.problems.map(formatProblem) : [`tenantgate: ${bad.problem}`])
}

/** A service that is open to calls. */
interface Service {
  readonly gateway: Gateway
  readonly listeners: Listeners
  readonly readiness: { notReady: string | undefined }
}

type Opened = { readonly ok: true; readonly service: Service } | Unopened

async function open({ gate, parts }: FollowedPolicy, gateway: Gateway, options: ServiceOptions): Promise<Opened> {
  const readiness: Service['readiness'] = { notReady: undefined }
  const http = createHttpServer({
    metrics: parts.metrics,
    notReady: () => readiness.notReady,
    identityKeys: gate.identityKeys,
  })
  const opened = await openListeners({
    gateway: { server: gateway.server, ...gateway.listen },
    others: [{ name: 'http', server: http, address: options.http }, ...administration(options, gate, parts)],
  })
  return opened.ok ? { ok: true, service: { gateway, listeners: opened.listeners, readiness } } : opened
}

function administration({ admin }: ServiceOptions, gate: Gate, parts: ServiceParts): Wanted['others'] {
  if (!admin) return []
  return [{ name: 'admin', server: createAdministration(admin.token, gate, parts), address: admin.address }]
}

async function serveUntilStopped(
  followed: FollowedPolicy,
  { gateway, listeners, readiness }: Service,
  { drainTimeoutMs }: ServiceOptions,
): Promise<number> {
  const { log, audit, state, elapsed } = followed.parts
  const handsOver = gateway.listen.options?.takeOver === true
  const insisted = () => process.exit(EXIT.badInput)
  const reload = () => {
    void followed.reload()
    void state?.reload()
    void gateway.reload?.()
    audit.reopen()
  }
  const stopping = stopSignal({ reload, insisted, handsOver })
  const { gateway: addresses, http, admin } = listeners.addresses
  log.listening({ ...gateway.told(addresses), http, admin }, followed.gate.policy.version)
  for (const address of listeners.takenOver) log.socketTaken(address)
  const pause = (ms: number) => setTimeout(ms, undefined, { ref: false })
  const succession = { isThere: () => handsOver && listeners.replaced() !== undefined, elapsed, pause }
  const signal = await Promise.race([stopping, successor(succession)])
  // the probes answer until the last call is answered, so that whoever asks is told to send no more
  readiness.notReady = 'draining'
  if (signal !== undefined) log.draining(signal)
  await expectedSuccessor(succession, signal === HANDING_OVER ? drainTimeoutMs : 0)
  const lost = handsOver ? listeners.replaced() : undefined
  if (lost !== undefined) log.socketLost(lost)
  followed.close()
  gateway.close?.()
  listeners.closeGateway()
  const allAnswered = await gateway.server.drain(drainTimeoutMs)
  listeners.closeOthers()
  state?.close()
  await audit.close()
  log.stopped(allAnswered)
  await log.close()
  return EXIT.ok
}

function endOnFault(log: Log): void {
  process.on('uncaughtException', (fault) => {
    log.fault('stopped by a fault', fault)
    process.exit(EXIT.badInput)
  })
}
