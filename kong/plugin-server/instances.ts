/** The plugins' instances: one for each configuration of a plugin in each of Kong's workers. */
import type { PluginInstance, PluginModule } from '../pdk.ts'

export interface Instance {
  readonly id: number
  /** Empty where there is no such plugin: whoever calls chooses that name, of any length. */
  readonly plugin: string
  /** Undefined where there is no such plugin, or it cannot use its configuration. */
  readonly running: PluginInstance | undefined
}

export interface Instances {
  /** Always gives an instance: without one Kong would keep others waiting for ten seconds. */
  start(plugin: string, config: Buffer | undefined): Instance
  get(id: number): Instance | undefined
  close(id: number): void
  /** By plugin; those of no known plugin are not among them. */
  count(): ReadonlyMap<string, number>
}

export interface InstanceParts<Decide> {
  readonly plugins: ReadonlyMap<string, PluginModule<Decide>>
  readonly decide: Decide
  /** 1 to 2³¹ − 1, from a random source: ids of one process are then none of another's, and go on from here. */
  readonly firstId: number
  /** The one that has not been used for longest goes when there are more; Kong starts it again when it needs it. */
  readonly most: number
  /** Told of the configuration's fault and of nothing that stands in its values; both texts are short. */
  readonly onRejected: (plugin: string, because: string) => void
}

const LONGEST_NAME = 64
const LONGEST_REASON = 200

/** The largest id of the wire's int32. */
const LARGEST_ID = 2 ** 31 - 1

export function createInstances<Decide>(parts: InstanceParts<Decide>): Instances {
  const { plugins, firstId, most } = parts
  /** The least recently used first. */
  const instances = new Map<number, Instance>()
  let nextId = firstId

  function freeId(): number {
    while (instances.has(nextId)) nextId = following(nextId)
    const id = nextId
    nextId = following(id)
    return id
  }

  return {
    start(plugin, config) {
      const known = plugins.has(plugin) ? plugin : ''
      const instance: Instance = { id: freeId(), plugin: known, running: run(plugin, config, parts) }
      instances.set(instance.id, instance)
      const [leastUsed] = instances.keys()
      if (instances.size > most && leastUsed !== undefined) instances.delete(leastUsed)
      return instance
    },
    get(id) {
      const instance = instances.get(id)
      if (instance === undefined) return undefined
      instances.delete(id)
      instances.set(id, instance)
      return instance
    },
    close: (id) => void instances.delete(id),
    count() {
      const counts = new Map([...plugins.keys()].map((name) => [name, 0]))
      for (const { plugin } of instances.values()) {
        const count = counts.get(plugin)
        if (count !== undefined) counts.set(plugin, count + 1)
      }
      return counts
    },
  }
}

function following(id: number): number {
  return id >= LARGEST_ID ? 1 : id + 1
}

function run<Decide>(
  name: string,
  config: Buffer | undefined,
  { plugins, decide, onRejected }: InstanceParts<Decide>,
): PluginInstance | undefined {
  const reject = (because: string) => {
    onRejected(name.slice(0, LONGEST_NAME), because.slice(0, LONGEST_REASON))
    return undefined
  }
  const module = plugins.get(name)
  if (module === undefined) return reject('there is no such plugin')
  const parsed = parse(config?.toString('utf8') || '{}')
  if (parsed === undefined) return reject('the configuration is not a JSON object')
  try {
    return new module.Plugin(parsed, decide)
  } catch (fault) {
    return reject(fault instanceof Error ? fault.message : 'the plugin has thrown something that is no error')
  }
}

/** Undefined for a text that is no JSON object: what JSON.parse says of it would quote it. */
function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    return isObject ? (parsed as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
