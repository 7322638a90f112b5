/** A service from its policy to its end: waits for the policy, opens the listeners, follows the policy, and drains when told to stop. */
import type { MaybePromise } from '../../core/maybe-promise.ts'
import { formatProblem, type Problem } from '../../policy/problem.ts'
import type { Log } from '../../telemetry/log.ts'
import { badInput, EXIT, type Io } from '../io.ts'
import { createAdministration } from './administration.ts'
import { candidateBeside } from './candidate/candidate-beside.ts'
import { createFewLines } from './few-lines.ts'
import type { Gate } from './gate.ts'
import type { Gateway } from './gateway.ts'
import { openListeners, type Wanted } from './listeners.ts'
import { outliveRejections } from './outlive-rejections.ts'
import { openSurroundings, type PartsOptions, type ServiceParts, type Surroundings } from './parts.ts'
import { createProbes } from './probes.ts'
import type { ServiceOptions } from './service-options.ts'
import { type StopSignal, stopSignal } from './signals.ts'
import { startPolicy } from './start-policy.ts'
import { type Service, serveUntilStopped } from './until-stopped.ts'

/** What the gateway needs besides the policy is not as it should be. */
export interface BadGateway {
  readonly problems: readonly Problem[]
}

interface Unopened {
  readonly ok: false
  readonly problem: string
}

export type MakeGateway = (gate: Gate, parts: ServiceParts) => MaybePromise<Gateway | BadGateway | Unopened>

export interface RunOptions extends ServiceOptions, Pick<PartsOptions, 'places'> {
  /** Whether a socket on which another process serves becomes ours, and ours another's. */
  readonly takesOver?: boolean
}

/** Serves until a signal; the exit code when all is over. A bad policy at start is told as `validate` tells it. */
export async function runService(options: RunOptions, io: Io, makeGateway: MakeGateway): Promise<number> {
  const opened = await openSurroundings(options, process.stdout.isTTY === true)
  if (!opened.ok) return badInput(io, [`tenantgate: ${opened.problem}`])
  const { around } = opened
  endOnFault(around.log)
  const passedOver = createFewLines(around.elapsed)
  outliveRejections((fault) => {
    around.metrics.fault()
    const untold = passedOver()
    if (untold !== undefined) around.log.fault('a promise was left alone', fault, untold)
  })
  let reload = () => {}
  const stopping = stopSignal({
    reload: () => reload(),
    insisted: () => process.exit(EXIT.badInput),
    handsOver: options.takesOver === true,
  })
  const service = await openService(options, io, around, makeGateway, stopping)
  if (service === 'stopped') return stopBeforeServing(around, await stopping)
  if (!('listeners' in service)) return refuse(io, service)
  reload = () => {
    void service.followed.reload()
    void around.state?.reload()
    void service.gateway.reload?.()
    around.audit.reopen()
  }
  return serveUntilStopped(service, options, stopping)
}

type Opened = Service | BadGateway | Unopened | 'stopped'

/** A policy in Redis may be long in coming: probes are answered meanwhile, and a signal ends the wait. */
async function openService(
  options: RunOptions,
  io: Io,
  around: Surroundings,
  makeGateway: MakeGateway,
  stopping: Promise<StopSignal>,
): Promise<Opened> {
  const beside = options.candidate === undefined ? undefined : candidateBeside(options.candidate, io.env, around)
  const starting = startPolicy(options.policy, io.env, beside?.around ?? around)
  const probes = createProbes(around.metrics, starting.waitsFor)
  const mayTakeLong = options.policy.kind === 'redis'
  const early = mayTakeLong ? await probes.open(options.http) : undefined
  if (early?.ok === false) return early
  const policy = await Promise.race([starting.policy, stopping.then(() => 'stopped' as const)])
  if (policy === 'stopped') {
    await starting.close()
    probes.close()
    return policy
  }
  if (!policy.ok) return policy
  const followed = beside ? await beside.join(policy.followed) : policy.followed
  const { gate, parts } = followed
  const gateway = await makeGateway(gate, parts)
  if (!('server' in gateway)) return gateway
  const late = mayTakeLong ? undefined : await probes.open(options.http)
  if (late?.ok === false) return late
  const { server, listen } = gateway
  const opened = await openListeners({
    gateway: { server, ...listen, options: { takeOver: options.takesOver === true } },
    others: administration(options, gate, parts),
  })
  if (opened.ok) return { followed, gateway, listeners: opened.listeners, probes }
  probes.close()
  return opened
}

function administration({ admin }: ServiceOptions, gate: Gate, parts: ServiceParts): Wanted['others'] {
  if (!admin) return []
  return [{ name: 'admin', server: createAdministration(admin.token, gate, parts), address: admin.address }]
}

function refuse(io: Io, bad: BadGateway | Unopened): number {
  return badInput(io, 'problems' in bad ? bad.problems.map(formatProblem) : [`tenantgate: ${bad.problem}`])
}

async function stopBeforeServing(
  { log, audit, state, flagProvider }: Surroundings,
  signal: StopSignal,
): Promise<number> {
  log.draining(signal)
  await flagProvider?.close()
  state?.close()
  await audit.close()
  log.stopped(true)
  await log.close()
  return EXIT.ok
}

function endOnFault(log: Log): void {
  process.on('uncaughtException', (fault) => {
    log.fault('stopped by a fault', fault)
    process.exit(EXIT.badInput)
  })
}
