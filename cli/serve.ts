/** `tenantgate serve`: loads the policy, opens the listeners, follows the file, and drains when it is told to stop. */
import { performance } from 'node:perf_hooks'
import type { Policy } from '../core/policy.ts'
import { createCheck } from '../ext-authz/check.ts'
import { createGrpcServer, type GrpcServer } from '../ext-authz/server.ts'
import { loadPolicy } from '../policy/load.ts'
import { formatProblem } from '../policy/problem.ts'
import { fetchKeys } from '../stores/fetch-keys.ts'
import { createMemoryLimits } from '../stores/memory-limits.ts'
import { createHttpServer } from '../telemetry/http.ts'
import { createStdoutLog, type Log } from '../telemetry/log.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { createGate, type Gate } from './gate.ts'
import { EXIT, type Io, wrongUse } from './io.ts'
import { type Listeners, openListeners } from './listeners.ts'
import { readServeOptions, type ServeOptions } from './serve-options.ts'
import { stopSignal } from './signals.ts'

/** Serves until a signal; the exit code when all is over. A bad policy at start is told as `validate` tells it. */
export async function serve(argv: readonly string[], io: Io): Promise<number> {
  const read = readServeOptions(argv, io.env)
  if (!read.ok) return read.wrong === 'use' ? wrongUse(io, read.problem) : badInput(io, [`tenantgate: ${read.problem}`])
  const loaded = loadPolicy(read.options.policyFile, io.env)
  if (!loaded.ok) return badInput(io, loaded.problems.map(formatProblem))
  return servePolicy(loaded.policy, read.options, io)
}

function badInput(io: Io, lines: readonly string[]): number {
  for (const line of lines) io.stderr.write(`${line}\n`)
  return EXIT.badInput
}

/** What the parts of a running service share. */
interface Service {
  readonly options: ServeOptions
  readonly gate: Gate
  readonly grpc: GrpcServer
  readonly log: Log
  readonly metrics: Metrics
  /** Why no traffic should come; undefined when it may. */
  notReady: string | undefined
}

async function servePolicy(policy: Policy, options: ServeOptions, io: Io): Promise<number> {
  const service = assemble(policy, options)
  const { grpc, metrics, log } = service
  const http = createHttpServer({ metrics, notReady: () => service.notReady })
  const opened = await openListeners({
    grpc: { server: grpc, addresses: options.listen },
    http: { server: http, address: options.http },
  })
  if (!opened.ok) return badInput(io, [`tenantgate: ${opened.problem}`])
  service.notReady = undefined
  const watch = follow(service, io)
  log.listening(opened.listeners.addresses, policy.version)
  const signal = await stopSignal({ reload: () => watch.reload(), insisted: () => endAtOnce(log) })
  watch.close()
  log.draining(signal)
  await drain(service, opened.listeners)
  return EXIT.ok
}

function assemble(policy: Policy, options: ServeOptions): Service {
  const log = createStdoutLog(options.logLevel, process.stdout.isTTY === true)
  const metrics = createMetrics(Date.now)
  process.on('uncaughtException', (fault) => {
    log.fault('stopped by a fault', fault)
    endAtOnce(log)
  })
  const gate = createGate(policy, {
    limits: createMemoryLimits(),
    fetchKeys,
    metrics,
    log,
    now: Date.now,
    elapsed: () => performance.now(),
  })
  const grpc = createGrpcServer(createCheck(gate.decide), (fault) => {
    metrics.fault()
    log.fault('a Check failed', fault)
  })
  return { options, gate, grpc, log, metrics, notReady: 'starting' }
}

/** Takes up each new policy; a bad one changes nothing but the log and the metrics. */
function follow({ gate, log, metrics, options }: Service, io: Io) {
  return {
    reload() {
      const loaded = loadPolicy(options.policyFile, io.env)
      if (loaded.ok) {
        gate.replace(loaded.policy)
        metrics.reloaded('success')
        log.policyReloaded(loaded.policy.version)
        return
      }
      metrics.reloaded('failure')
      log.policyRejected(loaded.problems.map(formatProblem))
    },
    close() {},
  }
}

/** The probes answer until the last call is answered, so that whoever asks is told that no traffic should come. */
async function drain(service: Service, listeners: Listeners): Promise<void> {
  const { grpc, log, options } = service
  service.notReady = 'draining'
  listeners.closeGrpc()
  const allAnswered = await grpc.drain(options.drainTimeoutMs)
  listeners.closeHttp()
  log.stopped(allAnswered)
  log.flush()
}

function endAtOnce(log: Log): never {
  log.flush()
  process.exit(EXIT.badInput)
}
