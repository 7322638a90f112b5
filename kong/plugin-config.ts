/** The configuration of our plugins in kong.yml: its schema as Kong wants it, and how it is read. */
import { type MarkName, STAGES, type Stage } from './handover.ts'
import type { SchemaField } from './pdk.ts'

export interface PluginConfig {
  readonly parts: ReadonlySet<Stage>
  readonly setConsumer: boolean
  readonly setUpstream: boolean
}

const SET_CONSUMER: SchemaField = {
  set_consumer: {
    type: 'boolean',
    default: true,
    description:
      "Whether Kong's own plugins (acl, rate-limiting, proxy-cache, logs) are told who has proven a credential: the consumer that the policy names for the tenant, or a stand-in.",
  },
}

const SET_UPSTREAM: SchemaField = {
  set_upstream: {
    type: 'boolean',
    default: true,
    description:
      "Whether a request goes to the Kong upstream that the policy chooses; `false` leaves it to Kong's service.",
  },
}

const CHOSEN_STAGES: SchemaField = {
  stages: {
    type: 'set',
    elements: { type: 'string', one_of: [...STAGES] },
    default: [...STAGES],
    len_min: 1,
    description: 'Which parts of the policy are asked here: `auth`, `quota`, `flags`.',
  },
}

/** The fields of each plugin; the policy itself belongs to the plugin server. */
export const SCHEMAS: Readonly<Record<MarkName, readonly SchemaField[]>> = {
  gate: [CHOSEN_STAGES, SET_CONSUMER, SET_UPSTREAM],
  auth: [SET_CONSUMER],
  quota: [],
  flags: [SET_UPSTREAM],
}

/** What Kong adds to every configuration, beside names that begin with `__`. */
const OWN_TO_KONG: ReadonlySet<string> = new Set([
  'route_id',
  'service_id',
  'consumer_id',
  'consumer_group_id',
  'plugin_instance_name',
])

/** Reads a plugin's configuration. Throws a TypeError that says which field is wrong; nothing of a value is repeated. */
export function readConfig(name: MarkName, config: Readonly<Record<string, unknown>>): PluginConfig {
  const fields = new Map(SCHEMAS[name].flatMap((field) => Object.entries(field)))
  const values = new Map<string, unknown>()
  for (const [field, value] of Object.entries(config)) {
    if (OWN_TO_KONG.has(field) || field.startsWith('__')) continue
    const known = fields.get(field)
    if (!known) throw new TypeError(`tenant-${name}: there is no field \`${field}\``)
    // Lua's null
    if (value === null || value === undefined) continue
    if (!fits(known.type, value)) throw new TypeError(`tenant-${name}: \`${field}\` is not what its schema says`)
    values.set(field, value)
  }
  const all = name === 'gate' ? STAGES : [name]
  return {
    parts: new Set((values.get('stages') as Stage[] | undefined) ?? all),
    setConsumer: values.get('set_consumer') !== false,
    setUpstream: values.get('set_upstream') !== false,
  }
}

function fits(type: unknown, value: unknown): boolean {
  if (type === 'boolean') return typeof value === 'boolean'
  return Array.isArray(value) && value.length > 0 && value.every((entry) => STAGES.includes(entry))
}
