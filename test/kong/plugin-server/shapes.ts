/** A plugin protocol's messages and functions described by what is on the wire: numbers and types, not our names. */
import { loadSync, type PackageDefinition } from '@grpc/proto-loader'
import { type PdkMethod, protoFile, typeNames, wireName } from '../../../kong/plugin-server/protocol.ts'

/** Our names of messages, and Kong's. */
export const THEIR_NAMES: Readonly<Record<string, string>> = {
  Call: 'RpcCall',
  PluginNamesWanted: 'CmdGetPluginNames',
  PluginInfoWanted: 'CmdGetPluginInfo',
  StartInstance: 'CmdStartInstance',
  HandleEvent: 'CmdHandleEvent',
  Return: 'RpcReturn',
  InstanceStatus: 'InstanceStatus',
  Text: 'String',
  Bytes: 'ByteString',
  Flag: 'Bool',
  Integer: 'Int',
  Real: 'Number',
  Entry: 'KV',
  Exit: 'ExitArgs',
  Target: 'Target',
  ConsumerName: 'ConsumerSpec',
  Consumer: 'Consumer',
  Credential: 'AuthenticatedCredential',
  Authenticated: 'AuthenticateArgs',
  RawBody: 'RawBodyResult',
  UriCaptures: 'UriCapturesResult',
  Route: 'Route',
  Service: 'Service',
}

interface FieldDescriptor {
  readonly number: number
  readonly label: string
  readonly type: string
}

/** A message as `number label type` of each field, in order, joined. */
function shapeOf(fields: readonly FieldDescriptor[]): string {
  const word = (text: string) => text.replace(/^(LABEL|TYPE)_/, '').toLowerCase()
  const shown = [...fields]
    .sort((a, b) => a.number - b.number)
    .map(({ number, label, type }) => {
      return `${number}:${label === 'LABEL_REPEATED' ? '[]' : ''}${word(type)}`
    })
  return shown.join(' ')
}

/** The shapes of the messages, by their names. */
export function shapes(protos: PackageDefinition, prefix: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [name, definition] of Object.entries(protos)) {
    if (!name.startsWith(prefix) || !('type' in definition)) continue
    const { field } = definition.type as { readonly field: readonly FieldDescriptor[] }
    found.set(name.slice(prefix.length), shapeOf(field))
  }
  return found
}

/** Each function by its name on the wire, with what it asks and answers, in Kong's names. */
export function functions(methods: Readonly<Record<string, PdkMethod>>, named?: ReadonlyMap<string, string>) {
  const found = new Map<string, string>()
  for (const [name, method] of Object.entries(methods)) {
    const { asks, answers } = typeNames(method)
    const theirs = (type: string) => THEIR_NAMES[type] ?? type
    found.set(named?.get(name) ?? wireName(name), `${theirs(asks)} → ${theirs(answers)}`)
  }
  return found
}

export const ourProtos = () => loadSync(protoFile, { keepCase: true, longs: Number })
