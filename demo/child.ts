/** One child process: its lines, its end, and how to end it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Leash } from './leash.ts'

export interface Child {
  readonly name: string
  readonly pid: number
  /** All that it has said so far, stdout and stderr, oldest lines dropped. */
  readonly lines: readonly string[]
  /** Settles when it has ended, with words that say how. */
  readonly ended: Promise<string>
  /** Whether somebody here has asked it to end. */
  readonly isStopping: () => boolean
  /** Asks it to end, and makes it end after `graceMs`. Settles when it has ended. */
  stop(graceMs?: number): Promise<void>
  /** Ends it at once, without asking. */
  kill(): Promise<void>
}

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly leash: Leash
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
}

const KEPT_LINES = 2000

/**
 * Starts a command in a process group of its own, so that Ctrl-C reaches the launcher alone and the children end in order.
 * Rejects when the command cannot be started.
 */
export async function startChild(
  name: string,
  command: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<Child> {
  const { leash, onLine } = options
  const env = options.env ?? process.env
  const spawned = spawn(command, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const pid = await spawnedPid(spawned)
  leash.add(pid)
  const lines: string[] = []
  for (const stream of ['stdout', 'stderr'] as const) {
    createInterface({ input: spawned[stream] }).on('line', (line) => {
      if (lines.push(line) > KEPT_LINES) lines.shift()
      onLine?.(line, stream)
    })
  }
  let stopping = false
  const ended = new Promise<string>((resolve) => {
    spawned.once('exit', (code, signal) => {
      leash.remove(pid)
      resolve(signal === null ? `exit code ${code}` : `signal ${signal}`)
    })
  })
  const end = async (signal: NodeJS.Signals) => {
    stopping = true
    if (spawned.exitCode === null && spawned.signalCode === null) spawned.kill(signal)
    await ended
  }
  return {
    name,
    pid,
    lines,
    ended,
    isStopping: () => stopping,
    kill: () => end('SIGKILL'),
    stop: async (graceMs = 5000) => {
      const harder = setTimeout(() => spawned.kill('SIGKILL'), graceMs)
      await end('SIGTERM')
      clearTimeout(harder)
    },
  }
}

function spawnedPid(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('spawn', () => resolve(child.pid ?? 0))
  })
}

/** Waits until `ready` gives a value. Rejects when the child ends first, or after `timeoutMs`; both tell its last words. */
export async function waitUntilReady<T>(
  child: Child,
  ready: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 30_000,
): Promise<T> {
  let end: string | undefined
  void child.ended.then((how) => {
    end = how
  })
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const value = await ready()
    if (value !== undefined) return value
    if (end !== undefined) throw new Error(`${child.name} ended (${end}):\n${lastWords(child)}`)
    if (Date.now() > deadline) throw new Error(`${child.name} is not ready after ${timeoutMs} ms:\n${lastWords(child)}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

function lastWords(child: Child): string {
  const words = child.lines.slice(-12).map((line) => `  ${line.slice(0, 400)}`)
  return words.length > 0 ? words.join('\n') : '  (it said nothing)'
}
