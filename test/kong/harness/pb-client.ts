/**
 * Kong's side of its typed plugin-server protocol, with the manners of the real one: one connection an event, from a pool of
 * idle ones; instances started lazily, one for each configuration; an event repeated when its connection closed; a PDK function
 * that ends the request leaves the connection unread until the request is over.
 */
import { PHASES } from '../../../kong/pdk.ts'
import { loadProtocol } from '../../../kong/plugin-server/protocol.ts'
import { createConnections, type KongConnection, PdkFault, RpcFault } from './pb-connection.ts'
import { createPdkBridge } from './pb-pdk.ts'

export type Conf = Readonly<Record<string, unknown>>

/** Answers one call of the PDK as Kong's Lua does, with plain values; what it throws is a Lua error, and Kong answers 500. */
export type CallPdk = (method: string, args: unknown[]) => unknown

export type EventOutcome =
  | { readonly outcome: 'done' }
  /** A plugin has answered the client by `kong.response.exit`. */
  | { readonly outcome: 'exited' }
  /** Kong answers 500. */
  | { readonly outcome: 'error'; readonly message: string }

export interface KongRpc {
  /** Runs `phase` of a plugin for one request. `pluginId` is the id of the plugin's entity: one configuration, one instance. */
  handleEvent(pluginName: string, pluginId: string, conf: Conf, phase: string, callPdk: CallPdk): Promise<EventOutcome>
  /** What Kong wrote to its log: each repeated event leaves a line. */
  readonly warnings: readonly string[]
  /** Connections that are open, idle ones and those of events. */
  readonly openConnections: number
  close(): void
}

export interface KongRpcParts {
  /** The socket's path. */
  readonly socket: string
  /** Kong's `nginx_http_lua_socket_read_timeout`. */
  readonly readTimeoutMs: number
}

interface Instance {
  readonly plugin: string
  readonly conf: string
  readonly id: Promise<number>
}

const NEXT_TURN = () => new Promise<void>((resolve) => setImmediate(resolve))

/** One worker of Kong. */
export function createKongRpc({ socket, readTimeoutMs }: KongRpcParts): KongRpc {
  const { handle } = loadProtocol()
  const connections = createConnections(socket, readTimeoutMs)
  const bridge = createPdkBridge()
  const instances = new Map<string, Instance>()
  const warnings: string[] = []
  let sequence = 0
  let configurations = 0

  /** Sends a call, answers the PDK calls that come back where there is `callPdk`, and reads the return. */
  async function call(command: object, callPdk?: CallPdk) {
    const connection = await connections.take()
    sequence += 2
    const asked = sequence
    connection.write(handle.requestSerialize({ sequence: asked, ...command }))
    try {
      if (callPdk !== undefined && (await bridge.run(connection, callPdk)) === 'exited') {
        void closeWithRequest(connection)
        return 'exited'
      }
      const answer = handle.responseDeserialize(await connection.read())
      if (answer.sequence !== asked) throw new PdkFault('assertion failed!')
      connections.release(connection)
      return answer
    } catch (fault) {
      void closeWithRequest(connection)
      throw fault
    }
  }

  async function startInstance(plugin: string, pluginId: string, conf: Conf): Promise<number> {
    const known = instances.get(pluginId)
    const text = JSON.stringify(conf)
    if (known !== undefined && known.conf === text) return known.id
    configurations += 1
    const config = { ...conf, __seq__: configurations, __plugin_id: pluginId }
    const id = call({ start_instance: { name: plugin, config: Buffer.from(JSON.stringify(config)) } }).then(
      (answer) => {
        const started = answer === 'exited' ? undefined : answer.instance_status?.instance_id
        if (started === undefined) throw new PdkFault('attempt to index a nil value')
        return started
      },
    )
    instances.set(pluginId, { plugin, conf: text, id })
    try {
      await id
    } catch (fault) {
      instances.delete(pluginId)
      throw fault
    }
    if (known !== undefined) await call({ close_instance: { instance_id: await known.id } }).catch(() => {})
    return id
  }

  async function handleEvent(
    plugin: string,
    pluginId: string,
    conf: Conf,
    phase: string,
    callPdk: CallPdk,
  ): Promise<EventOutcome> {
    if (!(PHASES as readonly string[]).includes(phase)) throw new Error(`Kong runs no phase ${phase}`)
    for (;;) {
      try {
        const instance_id = await startInstance(plugin, pluginId, conf).catch((fault) => {
          throw new PdkFault(fault.message)
        })
        const answer = await call({ handle_event: { instance_id, event_name: phase } }, callPdk)
        return { outcome: answer === 'exited' ? 'exited' : 'done' }
      } catch (fault) {
        const { message } = fault as Error
        if (!(fault instanceof RpcFault) || !/no plugin instance|closed/i.test(message)) {
          return { outcome: 'error', message }
        }
        for (const [id, instance] of instances) if (instance.plugin === plugin) instances.delete(id)
        warnings.push(message)
        await NEXT_TURN()
      }
    }
  }

  return {
    handleEvent,
    warnings,
    get openConnections() {
      return connections.open
    },
    close: () => connections.close(),
  }
}

/** A connection that is neither read nor given back is closed when its request ends, a moment later. */
async function closeWithRequest(connection: KongConnection): Promise<void> {
  await NEXT_TURN()
  connection.destroy()
}
