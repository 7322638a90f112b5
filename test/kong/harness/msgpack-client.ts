/**
 * Kong's side of `MsgPack:1`, with the manners of the real one: MessagePack-RPC without framing, one call at a time, an instance
 * started with the first event of a configuration, each PDK function's result brought by the next call.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { decodeMultiStream, encode } from '@msgpack/msgpack'

/** Answers one call of the PDK as Kong's Lua does; undefined for nil. */
export type CallPdk = (method: string, args: unknown[]) => unknown

export type Conf = Readonly<Record<string, unknown>>

export interface KongMsgpack {
  /** Runs a phase for one request. `exited` when a plugin answered the client; rejects where Kong would only log, and go on. */
  handleEvent(plugin: string, conf: Conf, phase: string, callPdk: CallPdk): Promise<'done' | 'exited'>
  close(): void
}

/** After these Kong never comes back: it answers the client. */
const LAST_CALLS = new Set(['kong.response.exit', 'kong.response.error'])

/** How Kong names the call that brings a result; any other is `plugin.Step`. */
const STEPS: Readonly<Record<string, string>> = {
  'kong.request.get_headers': 'plugin.StepMultiMap',
  'kong.client.authenticate': 'plugin.StepCredential',
}

interface StepOut {
  readonly EventId: number
  readonly Data: 'ret' | { readonly Method: string; readonly Args: unknown[] }
}

/** One worker of Kong. */
export async function createKongMsgpack(path: string): Promise<KongMsgpack> {
  const socket = connect(path)
  await once(socket, 'connect')
  const call = createCall(socket)
  const instances = new Map<string, number>()

  async function instanceOf(plugin: string, conf: Conf): Promise<number> {
    const config = JSON.stringify({ ...conf, __plugin_id: 'p', __seq__: 1, __key__: 'plugins:p', route_id: 'r' })
    const key = `${plugin} ${config}`
    const known = instances.get(key)
    if (known !== undefined) return known
    const { Id } = (await call('plugin.StartInstance', { Name: plugin, Config: config })) as { Id: number }
    instances.set(key, Id)
    return Id
  }

  return {
    async handleEvent(plugin, conf, phase, callPdk) {
      const InstanceId = await instanceOf(plugin, conf)
      let step = (await call('plugin.HandleEvent', { InstanceId, EventName: phase })) as StepOut
      while (step.Data !== 'ret') {
        const { Method, Args } = step.Data
        const result = callPdk(Method, Args)
        if (LAST_CALLS.has(Method)) return 'exited'
        const next = { EventId: step.EventId, ...(result !== undefined && { Data: result }) }
        step = (await call(STEPS[Method] ?? 'plugin.Step', next)) as StepOut
      }
      return 'done'
    },
    close: () => socket.destroy(),
  }
}

function createCall(socket: Socket) {
  const answers = decodeMultiStream(socket)
  let id = 0
  return async (method: string, argument: unknown): Promise<unknown> => {
    id += 1
    socket.write(encode([0, id, method, [argument]]))
    const { value, done } = await answers.next()
    if (done) throw new Error('the plugin server has closed the connection')
    const [kind, answered, fault, result] = value as [number, number, unknown, unknown]
    if (kind !== 1 || answered !== id) throw new Error(`an answer to another call: ${JSON.stringify(value)}`)
    if (fault !== undefined && fault !== null) throw new Error(String(fault))
    return result
  }
}
