/** What Kong asks a plugin server's `query_cmd` before it starts: the plugin's name, priority, phases and schema. */
import { PHASES, type Phase, type PluginModule, type SchemaField } from '../pdk.ts'

export interface Description {
  /** Kong then speaks its typed protocol with us; without it, it would speak another one. */
  readonly Protocol: 'ProtoBuf:1'
  /** One: Kong 3.9 reads no more of a server. */
  readonly Plugins: readonly [
    {
      readonly Name: string
      readonly Version: string
      readonly Priority: number
      readonly Phases: readonly Phase[]
      readonly Schema: { readonly name: string; readonly fields: readonly SchemaField[] }
    },
  ]
}

/** Describes one plugin, to be printed as JSON. */
export function describePlugin<Decide>(name: string, module: PluginModule<Decide>): Description {
  const { Plugin, Schema, Version, Priority } = module
  const methods = Plugin.prototype as Readonly<Record<string, unknown>>
  return {
    Protocol: 'ProtoBuf:1',
    Plugins: [
      {
        Name: name,
        Version,
        Priority,
        Phases: PHASES.filter((phase) => typeof methods[phase] === 'function'),
        Schema: { name, fields: [{ config: { type: 'record', fields: Schema } }] },
      },
    ],
  }
}
