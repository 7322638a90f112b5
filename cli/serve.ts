/** `tenantgate serve`: loads the policy, opens the listeners, follows the file, and drains when it is told to stop. */
import { performance } from 'node:perf_hooks'
import { createCheck } from '../ext-authz/check.ts'
import { createGrpcServer, type GrpcServer } from '../ext-authz/server.ts'
import { formatProblem } from '../policy/problem.ts'
import { fetchKeys } from '../stores/fetch-keys.ts'
import { createMemoryLimits } from '../stores/memory-limits.ts'
import { createHttpServer } from '../telemetry/http.ts'
import { createStdoutLog, type Log } from '../telemetry/log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { type FollowedPolicy, type FollowParts, followPolicy } from './follow-policy.ts'
import { EXIT, type Io, wrongUse } from './io.ts'
import { type Listeners, openListeners } from './listeners.ts'
import { readServeOptions, type ServeOptions } from './serve-options.ts'
import { stopSignal } from './signals.ts'

/** Serves until a signal; the exit code when all is over. A bad policy at start is told as `validate` tells it. */
export async function serve(argv: readonly string[], io: Io): Promise<number> {
  // until we serve there is nothing to reload, and the signal's default would end us
  process.on('SIGHUP', () => {})
  const read = readServeOptions(argv, io.env)
  if (!read.ok) return read.wrong === 'use' ? wrongUse(io, read.problem) : badInput(io, [`tenantgate: ${read.problem}`])
  const { options } = read
  const parts = assemble(options)
  endOnFault(parts.log)
  const policy = await followPolicy(options.policyFile, io.env, parts)
  if (!policy.ok) return badInput(io, policy.problems.map(formatProblem))
  const opened = await open(policy.followed, options, parts)
  if (opened.ok) return serveUntilStopped(policy.followed, opened.service, options, parts)
  policy.followed.close()
  return badInput(io, [`tenantgate: ${opened.problem}`])
}

function badInput(io: Io, lines: readonly string[]): number {
  for (const line of lines) io.stderr.write(`${line}\n`)
  return EXIT.badInput
}

function assemble({ logLevel }: ServeOptions): FollowParts {
  return {
    log: createStdoutLog(logLevel, process.stdout.isTTY === true),
    metrics: createMetrics(Date.now),
    limits: createMemoryLimits(),
    fetchKeys,
    now: Date.now,
    elapsed: () => performance.now(),
  }
}

/** A service that is open to calls. */
interface Service {
  readonly grpc: GrpcServer
  readonly listeners: Listeners
  readonly readiness: { notReady: string | undefined }
}

type Opened = { readonly ok: true; readonly service: Service } | { readonly ok: false; readonly problem: string }

async function open(
  { gate }: FollowedPolicy,
  options: ServeOptions,
  { log, metrics, elapsed }: FollowParts,
): Promise<Opened> {
  const onFault = (fault: unknown) => {
    metrics.fault()
    log.fault('a Check failed', fault)
  }
  const grpc = createGrpcServer({ check: createCheck(gate.decide), onFault, elapsed })
  const readiness: Service['readiness'] = { notReady: undefined }
  const http = createHttpServer({ metrics, notReady: () => readiness.notReady })
  const opened = await openListeners({
    grpc: { server: grpc, addresses: options.listen },
    http: { server: http, address: options.http },
  })
  return opened.ok ? { ok: true, service: { grpc, listeners: opened.listeners, readiness } } : opened
}

async function serveUntilStopped(
  followed: FollowedPolicy,
  { grpc, listeners, readiness }: Service,
  { drainTimeoutMs }: ServeOptions,
  { log }: FollowParts,
): Promise<number> {
  const stopping = stopSignal({ reload: () => void followed.reload(), insisted: () => process.exit(EXIT.badInput) })
  log.listening(listeners.addresses, followed.version)
  log.draining(await stopping)
  followed.close()
  // the probes answer until the last call is answered, so that whoever asks is told to send no more
  readiness.notReady = 'draining'
  listeners.closeGrpc()
  const allAnswered = await grpc.drain(drainTimeoutMs)
  listeners.closeHttp()
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
