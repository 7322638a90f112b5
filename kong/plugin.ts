/** What all our plugins are: one phase, which reads a request, has it decided, and leaves a mark or refuses. */
import { type Applied, isRefusal } from './apply-decision.ts'
import type { Decider } from './decider.ts'
import { type MarkName, markKey, REQUEST_KEY } from './handover.ts'
import type { Kong, PluginEvent, PluginInstance, PluginModule, SharedValue } from './pdk.ts'
import { type PluginConfig, readConfig } from './plugin-config.ts'
import { readHanded, readRequest, type Unreadable } from './read-request.ts'
import { type Refusal, tooLarge, undecided, withRequestId } from './refusal.ts'
import { applyUnguarded, readUnguarded } from './unguarded.ts'

/**
 * The class that a plugin server wants. An instance throws a TypeError for a configuration that is wrong. Where the server
 * gives no decider (the stock one knows none), `ownDecider` makes one at the first request.
 */
export function definePlugin(name: MarkName, ownDecider: () => Promise<Decider>): PluginModule<Decider>['Plugin'] {
  return class implements PluginInstance {
    readonly #config: PluginConfig
    readonly #decider: () => Decider | Promise<Decider>

    constructor(config: Readonly<Record<string, unknown>>, decider?: Decider) {
      this.#config = readConfig(name, config)
      this.#decider = decider ? () => decider : ownDecider
    }

    /** Never lets a request pass that was not decided: what goes wrong here is a refusal. */
    async access(kong: Kong, event?: PluginEvent): Promise<void> {
      let decider: Decider | undefined
      const applied = { ...this.#config, stage: name, id: '', unguarded: false }
      try {
        decider = await this.#decider()
        const text = await kong.ctx.shared.get(REQUEST_KEY)
        if (text === undefined || text === null) await passUnguarded(kong, decider, applied, event)
        else await pass(kong, decider, applied, text, event)
      } catch (fault) {
        // that nobody waits for the answer any more is not a fault
        if (event?.abandoned() !== true) decider?.onFault(fault)
        await exit(kong, undecided('dependency_unavailable', await kongsId(kong)))
      }
    }
  }
}

async function pass(
  kong: Kong,
  decider: Decider,
  applied: Applied,
  text: SharedValue,
  event: PluginEvent | undefined,
): Promise<void> {
  const handed = readHanded(text)
  if (typeof handed === 'string') return exit(kong, unread(handed, await kongsId(kong)))
  const request = readRequest(handed, event)
  const answer = await decider.answer(request, { ...applied, id: handed.id }, String(text))
  if (isRefusal(answer)) return exit(kong, answer)
  return kong.ctx.shared.set(markKey(applied.stage), JSON.stringify(answer))
}

async function passUnguarded(
  kong: Kong,
  decider: Decider,
  applied: Applied,
  event: PluginEvent | undefined,
): Promise<void> {
  const request = await readUnguarded(kong, event)
  if (typeof request === 'string') return exit(kong, unread(request, await kongsId(kong)))
  const answer = await decider.answer(request, { ...applied, unguarded: true }, '')
  const refusal = isRefusal(answer) ? answer : await applyUnguarded(kong, request, answer)
  if (!refusal) return
  // Kong's id is asked for only here, where it is told
  return exit(kong, request.id === '' ? withRequestId(refusal, await kongsId(kong)) : refusal)
}

const UNREAD: Readonly<Record<Unreadable, (requestId: string) => Refusal>> = {
  unreadable: (requestId) => undecided('dependency_unavailable', requestId),
  'too large': tooLarge,
  malformed: (requestId) => undecided('malformed_request', requestId),
}

function unread(why: Unreadable, requestId: string): Refusal {
  return UNREAD[why](requestId)
}

function exit(kong: Kong, { status, body, headers }: Refusal): Promise<void> {
  return kong.response.exit(status, body, headers)
}

/** What Kong knows the request by; empty where it cannot be had, since a refusal must not fail for it. */
async function kongsId(kong: Kong): Promise<string> {
  try {
    return (await kong.nginx.getVar('kong_request_id')) ?? ''
  } catch {
    return ''
  }
}
