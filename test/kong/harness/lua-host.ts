/** A Lua process that runs the shipped guard, phase by phase, with stand-ins for nginx's and Kong's Lua around it. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../../package-root.ts'
import { findLua } from './find-lua.ts'

/** Header fields in order and spelling. All texts are bytes, a character each. */
export type Fields = readonly (readonly [name: string, value: string])[]

/** What Kong's Lua knows of a request when the first plugin runs. */
export interface Opened {
  readonly id: string
  readonly method: string
  readonly headers: Fields
  /** nginx's variables, but those that are read from headers. */
  readonly var: Readonly<Record<string, string>>
  /** Kong's `lua_max_req_headers`. */
  readonly max_headers: number
  /** Names of Kong's upstreams. */
  readonly upstreams: readonly string[]
  /** Those of them of which no target is well, and those that Kong has not looked at yet. */
  readonly unwell?: readonly string[]
  readonly unseen?: readonly string[]
  /** `ngx.now()`, in seconds. */
  readonly now?: number
  readonly consumers: readonly LuaConsumer[]
}

export interface LuaConsumer {
  readonly id: string
  readonly username?: string
  readonly custom_id?: string
}

export interface LuaExit {
  readonly status: number
  readonly body?: string
  readonly headers: Readonly<Record<string, string>>
}

export interface LuaAnswer {
  readonly status: number
  readonly headers: Fields
}

/** One phase of one plugin; `kong` stands for Kong's own run loop with the phases `before` and `after`. */
export interface Step {
  readonly plugin: string
  readonly phase: 'access' | 'header_filter' | 'body_filter' | 'before' | 'after'
}

/** Phases that run one after the other, until one ends the request. */
export interface Run {
  readonly steps: readonly Step[]
  /** Opens the request. */
  readonly open?: Opened
  /** One that is open. */
  readonly request?: string
  /** Set in `kong.ctx.shared` first. */
  readonly shared?: Readonly<Record<string, unknown>>
  /** Replaced in the request first: the answer as it came, a chunk of its body (`arg`). */
  readonly patch?: Readonly<Record<string, unknown>>
  /** Forgets the request afterwards. */
  readonly close?: boolean
}

/** How it went, and the request as it is now. */
export interface Ran {
  readonly outcome: 'done' | 'exited' | 'error'
  readonly exit?: LuaExit
  readonly message?: string
  readonly headers: Fields
  readonly shared: Readonly<Record<string, string>>
  readonly upstream?: string
  readonly consumer?: LuaConsumer
  readonly credential?: { readonly id: string }
  readonly answer: LuaAnswer
  readonly arg?: readonly [chunk?: string, isLast?: boolean]
  /** What was logged as an error or a warning. */
  readonly log: readonly string[]
}

export interface Described {
  readonly priority: number
  readonly version: string
  readonly schema: string
}

export interface LuaHost {
  run(run: Run): Promise<Ran>
  /** Handler and schema of a guard, as Kong loads them. */
  describe(plugin: string): Promise<Described>
  stop(): Promise<void>
}

const HOST = join(packageRoot, 'test', 'kong', 'harness', 'lua')
const GUARD = join(packageRoot, 'kong', 'guard')

export async function startLuaHost(): Promise<LuaHost> {
  const { command, args, env } = await findLua()
  const child = spawn(command, [...args, join(HOST, 'host.lua'), HOST, GUARD], { env, stdio: 'pipe' })
  const ask = createAsk(child)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    run: async (run) => whole((await ask(run)) as unknown as Ran),
    describe: async (plugin) => (await ask({ describe: plugin })) as unknown as Described,
    stop: () => {
      child.stdin.end()
      return ended
    },
  }
}

type Message = Readonly<Record<string, unknown>>

/** Lines go out and come back in order; JSON is written as bytes, since its texts are bytes. */
function createAsk(child: ChildProcessWithoutNullStreams) {
  const waiting: { resolve: (said: Message) => void; reject: (fault: Error) => void }[] = []
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(-2000)
  })
  child.stdout.setEncoding('latin1')
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)))
  child.once('exit', () => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`Lua has ended: ${complaint}`))
  })
  child.stdin.on('error', () => {})
  return (message: object) =>
    new Promise<Message>((resolve, reject) => {
      if (child.exitCode !== null) reject(new Error(`Lua has ended: ${complaint}`))
      waiting.push({ resolve, reject })
      child.stdin.write(`${JSON.stringify(message)}\n`, 'latin1')
    })
}

/** Lua has one kind of empty table. */
const listOf = <T>(value: unknown): T[] => (Array.isArray(value) ? value : [])

function whole(ran: Ran): Ran {
  if (ran.answer === undefined) throw new Error(`the stand-ins are broken: ${ran.message}`)
  const answer = { ...ran.answer, headers: listOf<Fields[number]>(ran.answer.headers) }
  return { ...ran, headers: listOf(ran.headers), log: listOf(ran.log), answer }
}
