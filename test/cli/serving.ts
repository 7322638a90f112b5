/** `tenantgate serve` as a real process, with a policy and a key made for the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApiKey, storedHash } from '../../core/credentials/api-key.ts'
import { packageRoot } from '../../package-root.ts'

export interface Folder {
  readonly path: string
  readonly policyFile: string
  /** A key of acme that may read orders. */
  readonly key: string
  writePolicy(text: string): void
  remove(): void
}

export function policyText(key: string, extra = ''): string {
  return `version: 1
identity:
  sources: [apiKey, jwt, host]
  host: { suffix: .api.localhost }
plans:
  pro: { limits: [{ name: daily, quota: 1000000/day }] }
tenants:
  acme:
    plan: pro
    apiKeys: [{ id: ci, hash: "${storedHash(key)}", scopes: [orders:read] }]
upstreams: [orders-stable]
routes:
  - { name: health, match: { path: /healthz }, anonymous: true }
  - name: orders
    match: { path: /v1/orders/** }
    require: { scopes: [orders:read] }
    upstream: { default: orders-stable }
${extra}`
}

export function createFolder(extra = ''): Folder {
  const path = mkdtempSync(join(tmpdir(), 'tg-'))
  const key = createApiKey('test', randomBytes)
  const policyFile = join(path, 'tenantgate.yaml')
  const writePolicy = (text: string) => writeFileSync(policyFile, text)
  writePolicy(policyText(key, extra))
  return { path, policyFile, key, writePolicy, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export type Line = Readonly<Record<string, unknown>> & { readonly msg: string }

export interface Serving {
  readonly process: ChildProcess
  readonly grpc: readonly string[]
  readonly http: string
  /** Everything on stdout so far, each line parsed. */
  readonly lines: readonly Line[]
  /** Everything written so far, stderr too. */
  output(): string
  /** The next line with this message, from now on or already there. */
  line(msg: string): Promise<Line>
  signal(name: NodeJS.Signals): void
  /** The exit code; null when a signal ended it. */
  readonly exit: Promise<number | null>
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts the command line, and waits for nothing. */
export function launch(args: readonly string[], env: Readonly<Record<string, string>>) {
  const main = join(packageRoot, 'cli', 'main.ts')
  return spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs the command line to its end. */
export function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = launch(args, env)
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text) => {
    stdout += text
  })
  child.stderr.on('data', (text) => {
    stderr += text
  })
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })))
}

/** Starts `serve` and waits until it says that it listens. */
export function serve(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Serving> {
  return startService('serve', args, env)
}

/** Starts a command that serves, and waits until it says that it listens. */
export async function startService(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Serving> {
  const child = launch([command, ...args], env)
  const lines: Line[] = []
  const waiting = new Set<() => void>()
  let output = ''
  let unfinished = ''
  child.stdout.on('data', (text) => {
    output += text
    const parts = `${unfinished}${text}`.split('\n')
    unfinished = parts.pop() ?? ''
    lines.push(...parts.map((part) => JSON.parse(part) as Line))
    for (const look of waiting) look()
  })
  child.stderr.on('data', (text) => {
    output += text
  })
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  const line = (msg: string) =>
    new Promise<Line>((resolve, reject) => {
      const look = () => {
        const found = lines.find((each) => each.msg === msg)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
      exit.then((code) => reject(new Error(`ended with ${code} before it said '${msg}': ${output}`)))
    })
  const { grpc, http } = await line('listening')
  return {
    process: child,
    grpc: grpc as string[],
    http: `http://${http}`,
    lines,
    output: () => output,
    line,
    signal: (name) => void child.kill(name),
    exit,
  }
}
