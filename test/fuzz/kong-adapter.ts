/** Kong's side: the shipped guard in a real Lua, the plugin between its two halves, and the headers as nginx would send them on. */
import type { IncomingMessage } from 'node:http'
import { createDecider } from '../../kong/decider.ts'
import { Plugin } from '../../plugins/tenant-gate.ts'
import { exitAnswer, type KongAnswer } from '../kong/harness/answers.ts'
import type { Fields, LuaHost, Opened, Ran } from '../kong/harness/lua-host.ts'
import { arrived } from '../kong/harness/nginx.ts'
import { createPdk } from '../kong/harness/pdk.ts'
import { kongOf } from '../kong/kong-of.ts'
import { createBrain, type FuzzedGateway, type Outcome } from './outcome.ts'
import { type FuzzRequest, textOf } from './request.ts'
import type { World } from './world.ts'

const CONFIG = { stages: ['auth', 'quota', 'flags'], set_consumer: true, set_upstream: true }

/** What a backend that repeats what it was told would answer with. */
const ECHOED: Fields = [
  ['X-Tenant-Id', 'echo'],
  ['x-user-id', 'echo'],
]

let requests = 0
/** Several adapters may share one Lua, which knows requests by their ids. */
function nextId(): string {
  requests += 1
  return requests.toString(16).padStart(32, '0')
}

export function createKongAdapter(world: World, lua: LuaHost): FuzzedGateway {
  const brain = createBrain(world)
  const faults: unknown[] = []
  const onFault = (fault: unknown) => faults.push(fault)
  const plugin = new Plugin(CONFIG, createDecider({ decide: brain.decide, onFault, elapsed: () => 0 }))

  async function through(opened: Opened): Promise<Outcome> {
    const { id } = opened
    const before = await lua.run({ open: opened, steps: [kong('before'), guard('before')] })
    if (before.outcome !== 'done') return outcomeOf(await filtered(id, endOf(before)))
    const pdk = createPdk(before.shared)
    await plugin.access?.(kongOf(pdk))
    if (faults.length > 0) throw faults.splice(0)[0]
    if (pdk.exit) return outcomeOf(await filtered(id, exitAnswer(false, pdk.exit)))
    // the answer's phases in the same run: most of the time goes to and fro
    const steps = [guard('after'), kong('after'), ...ANSWERED]
    const patch = { answer: { status: 200, headers: ECHOED }, arg: ['', true] }
    const after = await lua.run({ request: id, steps, shared: pdk.set, patch, close: true })
    if (after.outcome !== 'done') return outcomeOf(endOf(after))
    const backend = after.headers.map(([name, value]) => [name, textOf(value)] as const)
    return { ...outcomeOf({ status: 200, fields: after.answer.headers, body: '' }), backend }
  }

  /** The answer as the guard leaves it; the request is forgotten. */
  async function filtered(id: string, { status, fields, body }: KongAnswer): Promise<KongAnswer> {
    const patch = { answer: { status, headers: fields }, arg: [body, true] }
    const ran = await lua.run({ request: id, steps: ANSWERED, patch, close: true })
    if (ran.outcome === 'error') throw new Error(`the guard is broken: ${ran.message}`)
    return { status: ran.answer.status, fields: ran.answer.headers, body: ran.arg?.[0] ?? '' }
  }

  return {
    name: 'kong',
    reset: brain.reset,
    async send(request) {
      const came = arrived(messageOf(request))
      if (typeof came === 'number') return undefined
      const { method, fields, line, target, address } = came
      const id = nextId()
      const outcome = await through({
        id,
        method,
        headers: fields,
        var: { request: line, request_uri: target, kong_request_id: id, remote_addr: address, ...tlsOf(request) },
        max_headers: 128,
        upstreams: [...world.policy.upstreams],
        consumers: [],
      })
      const decision = brain.take()
      return { ...outcome, ...(decision && { decision }) }
    },
  }
}

/** nginx's variables of a connection whose client's certificate it has verified. */
function tlsOf({ certificate }: FuzzRequest): Readonly<Record<string, string>> {
  return certificate ? { https: 'on', ssl_client_verify: 'SUCCESS', ssl_client_raw_cert: certificate.pem } : {}
}

function endOf({ outcome, message, log, exit }: Ran): KongAnswer {
  if (outcome === 'error' || log.length > 0) throw new Error(`the guard: ${message} ${log}`)
  return exitAnswer(false, exit ?? { status: 0 })
}

const kong = (phase: 'before' | 'after') => ({ plugin: 'kong', phase })
const guard = (side: 'before' | 'after', phase: 'access' | 'header_filter' | 'body_filter' = 'access') => {
  return { plugin: `tenant-gate-${side}`, phase }
}

const ANSWERED = [guard('after', 'header_filter'), guard('after', 'body_filter')]

function outcomeOf({ status, fields, body }: KongAnswer): Outcome {
  const answer = Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), textOf(value)]))
  return { status, answer, body: textOf(body) }
}

/** As Node's parser would tell it, which is all that the harness asks. */
function messageOf({ method, target, fields, from }: FuzzRequest): IncomingMessage {
  const rawHeaders = fields.flatMap(([name, value]) => [name, value.trim()])
  const message = { method, url: target, httpVersion: '1.1', rawHeaders, socket: { remoteAddress: from } }
  return message as unknown as IncomingMessage
}
