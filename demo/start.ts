/** `npm start`: runs the demo until it is stopped. `npm start -- --smoke` runs it, proves it and stops. */
import { EXIT } from '../cli/io.ts'
import { readOptions } from '../cli/options.ts'
import { banner } from './banner.ts'
import { whenOrphaned } from './orphan.ts'
import { runSmoke } from './smoke.ts'
import { type Stack, startStack } from './stack.ts'

const DEFAULT_PORT = 8080
const DEFAULT_HTTP_PORT = 8081
const DEFAULT_ADMIN_PORT = 8082

const USAGE = `npm start                 runs the demo until Ctrl-C
npm start -- --smoke      runs it, proves each of its promises, and stops
npm start -- --redis      runs it with two sidecars that share a Redis; --smoke goes with it
npm start -- --help

TENANTGATE_DEMO_PORT        port of Envoy, ${DEFAULT_PORT} unless told; 0 is any free one
TENANTGATE_DEMO_HTTP_PORT   port of the sidecar's probes and metrics, ${DEFAULT_HTTP_PORT} unless told; 0 is any free one
TENANTGATE_DEMO_ADMIN_PORT  port of its administration, ${DEFAULT_ADMIN_PORT} unless told; 0 is any free one
ENVOY_BIN                   an Envoy to run, instead of the one on the PATH or a private copy
REDIS_BIN                   a Redis or Valkey server to run, the same`

const say = (text: string) => process.stdout.write(`${text}\n`)
const warn = (text: string) => process.stderr.write(`tenantgate: ${text}\n`)

/** Settles with the signal that asks us to stop, or when whoever started us is gone. */
function stopAsked(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal))
    whenOrphaned(process.env, () => resolve('the shell that started the demo has gone'))
  })
}

function wantedPort(name: string, fallback: number): number {
  const text = process.env[name]
  if (text === undefined || text === '') return fallback
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new Error(`${name} is '${text}'; it must be a port from 0 (any free one) to 65535`)
}

async function start(smoke: boolean, redis: boolean): Promise<number> {
  const stopped = stopAsked()
  const port = smoke ? 0 : wantedPort('TENANTGATE_DEMO_PORT', DEFAULT_PORT)
  const httpPort = smoke ? 0 : wantedPort('TENANTGATE_DEMO_HTTP_PORT', DEFAULT_HTTP_PORT)
  const shown = smoke ? {} : { onAccess: say, onTrouble: warn }
  const adminPort = smoke ? 0 : wantedPort('TENANTGATE_DEMO_ADMIN_PORT', DEFAULT_ADMIN_PORT)
  const ports = { port, httpPort, adminPort }
  let started = false
  // until everything runs nobody can stop it in order; the watchdog ends what there is
  void stopped.then(() => started || process.exit(1))
  const stack = await startStack({ env: process.env, ...ports, redis, say: warn, ...shown })
  started = true
  sayBusy(port, stack.port)
  sayBusy(httpPort, stack.httpPort)
  sayBusy(adminPort, stack.adminPort)
  try {
    return smoke ? await smokeOrStop(stack, stopped) : await serveUntilStopped(stack, stopped)
  } finally {
    await stack.stop()
  }
}

function sayBusy(wanted: number, got: number): void {
  if (wanted !== 0 && wanted !== got) warn(`port ${wanted} is busy, using ${got}`)
}

async function smokeOrStop(stack: Stack, stopped: Promise<string>): Promise<number> {
  const failed = await Promise.race([runSmoke(stack, say), stopped.then(() => 'stopped' as const)])
  return failed === 0 ? 0 : 1
}

async function serveUntilStopped(stack: Stack, stopped: Promise<string>): Promise<number> {
  say(banner(stack))
  const broken = stack.broken.then((words) => ({ words }))
  const end = await Promise.race([stopped.then(() => undefined), broken])
  if (end === undefined) return 0
  warn(end.words)
  return 1
}

const SPECS = { smoke: { type: 'boolean' }, redis: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const

async function run(argv: readonly string[]): Promise<number> {
  const read = readOptions(SPECS, argv, {})
  const problem = read.ok ? read.positionals.map((word) => `unexpected '${word}'`)[0] : read.problem
  if (!read.ok || problem !== undefined) {
    warn(`${problem}

${USAGE}`)
    return EXIT.wrongUse
  }
  if (read.options.help === true) {
    say(USAGE)
    return EXIT.ok
  }
  return start(read.options.smoke === true, read.options.redis === true)
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  warn(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
// nothing is left to wait for; a timer or socket that somebody forgot must not keep a terminal
process.exit()
