/** A request's way through our plugins, each between its two guards, in the phases and with the ends that Kong has. */
import type { MarkName } from '../../../kong/handover.ts'
import { errorAnswer, exitAnswer, type KongAnswer } from './answers.ts'
import type { LuaHost, Opened, Ran, Step } from './lua-host.ts'
import type { Conf, KongRpc } from './pb-client.ts'
import { createPdk, type Pdk } from './pdk.ts'

/** A plugin with its two guards, at one scope. */
export interface Trio {
  readonly stage: MarkName
  /** The configuration with the schema's defaults. */
  readonly config: Conf
  /** Kong's id of the plugin's entity: each configuration has its own. Default: the stage. */
  readonly id?: string
}

export interface PluginParts {
  readonly lua: LuaHost
  readonly rpc: KongRpc
  readonly log: string[]
  /** The most calls of the PDK that a plugin has made for one event. */
  calls: number
}

export interface Passed {
  /** The answer, if a plugin has ended the request. */
  readonly ended?: KongAnswer
  /** The request as the last guard has left it. */
  readonly last: Ran
}

const RUNLOOP_BEFORE: Step = { plugin: 'kong', phase: 'before' }
const RUNLOOP_AFTER: Step = { plugin: 'kong', phase: 'after' }
const guard = (stage: MarkName, side: 'before' | 'after', phase: Step['phase'] = 'access'): Step => ({
  plugin: `tenant-${stage}-${side}`,
  phase,
})

/** The access phase: Kong's own, all trios, Kong's own again. */
export async function throughPlugins(
  parts: PluginParts,
  trios: readonly Trio[],
  open: Opened,
  isGrpc: boolean,
): Promise<Passed> {
  const { lua } = parts
  const { id } = open
  let last = await lua.run({
    open,
    steps: [RUNLOOP_BEFORE, ...trios.slice(0, 1).map(({ stage }) => guard(stage, 'before'))],
  })
  for (const [index, trio] of trios.entries()) {
    const refused = endOf(parts, last, id, isGrpc)
    if (refused) return { ended: refused, last }
    const { ended, set } = await throughPlugin(parts, trio, last, id, isGrpc)
    if (ended) return { ended, last }
    const next = trios[index + 1]
    const steps = [guard(trio.stage, 'after'), next ? guard(next.stage, 'before') : RUNLOOP_AFTER]
    last = await lua.run({ request: id, steps, shared: set })
  }
  const ended = endOf(parts, last, id, isGrpc)
  return ended ? { ended, last } : { last }
}

/** What a guard has done: it ended the request, or it is broken, or neither. */
function endOf({ log }: PluginParts, ran: Ran, id: string, isGrpc: boolean): KongAnswer | undefined {
  if (ran.outcome === 'exited') return exitAnswer(isGrpc, ran.exit ?? { status: 500 })
  if (ran.outcome === 'done') return undefined
  log.push(ran.message ?? '')
  return errorAnswer(isGrpc, 500, id)
}

async function throughPlugin(
  parts: PluginParts,
  { stage, config, id: pluginId = stage }: Trio,
  { shared }: Ran,
  id: string,
  isGrpc: boolean,
): Promise<{ readonly ended?: KongAnswer; readonly set: Pdk['set'] }> {
  const pdk = createPdk(shared)
  const { set } = pdk
  const event = await parts.rpc.handleEvent(`tenant-${stage}`, pluginId, config, 'access', pdk.call)
  parts.calls = Math.max(parts.calls, pdk.calls)
  if (event.outcome === 'exited') return { ended: exitAnswer(isGrpc, pdk.exit ?? { status: 500 }), set }
  if (event.outcome === 'done') return { set }
  parts.log.push(`pluginserver error: ${event.message}`)
  return { ended: errorAnswer(isGrpc, 500, id), set }
}

/** header_filter and body_filter of all trios, whether the request came to them or not. Forgets the request. */
export async function throughFilters(
  lua: LuaHost,
  trios: readonly Trio[],
  id: string,
  { status, fields, body }: KongAnswer,
) {
  const steps = [
    ...trios.map(({ stage }) => guard(stage, 'after', 'header_filter')),
    ...trios.map(({ stage }) => guard(stage, 'after', 'body_filter')),
  ]
  const patch = { answer: { status, headers: fields }, arg: [body, true] }
  const { answer, arg, log } = await lua.run({ request: id, steps, patch, close: true })
  return { status: answer.status, fields: answer.headers, body: arg?.[0] ?? '', log }
}
