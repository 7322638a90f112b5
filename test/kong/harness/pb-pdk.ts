/** Kong's bridge from the protocol's messages to calls of its PDK in Lua, and back: what is lost in Lua is lost here. */
import { loadProtocol, type PdkMethod, typeNames, wireName } from '../../../kong/plugin-server/protocol.ts'
import type { CallPdk } from './pb-client.ts'
import { type KongConnection, PdkFault, RpcFault } from './pb-connection.ts'

const EXIT = 'kong.response.exit'

export interface PdkBridge {
  /** Answers the calls of one event until it ends. */
  run(connection: KongConnection, callPdk: CallPdk): Promise<'ended' | 'exited'>
}

export function createPdkBridge(): PdkBridge {
  const methods = new Map<string, PdkMethod>()
  for (const [name, method] of Object.entries(loadProtocol().pdk)) methods.set(wireName(name), method)
  return {
    async run(connection, callPdk) {
      for (;;) {
        const name = (await connection.read()).toString('latin1')
        if (name === '') return 'ended'
        const asked = await connection.read()
        const method = methods.get(name)
        if (method === undefined) throw new RpcFault(`method "${name}" not found`)
        const args = unwrapped(typeNames(method).asks, method.requestDeserialize(asked) as Message)
        const value = await callPdk(name, args)
        if (name === EXIT) return 'exited'
        const reply = wrapped(typeNames(method).answers, value)
        connection.write(reply === undefined ? Buffer.alloc(0) : encoded(method, reply))
      }
    },
  }
}

type Message = Readonly<Record<string, unknown>>

function encoded(method: PdkMethod, reply: object): Uint8Array {
  try {
    return method.responseSerialize(reply)
  } catch (fault) {
    throw new PdkFault((fault as Error).message)
  }
}

/** Lua's decoder fills in what proto3 leaves out. */
const scalar = (empty: unknown) => (message: Message) => [message.v ?? empty]

const CONSUMER = { id: '', created_at: 0, username: '', custom_id: '', tags: [] }
const CREDENTIAL = { id: '', consumer_id: '' }
const filled = (defaults: object, message: unknown) =>
  message === undefined || message === null ? undefined : { ...defaults, ...message }

const UNWRAP: Readonly<Record<string, (message: Message) => unknown[]>> = {
  Empty: () => [],
  Text: scalar(''),
  Bytes: ({ v }) => [Buffer.from((v as Buffer | undefined) ?? [])],
  Flag: scalar(false),
  Integer: scalar(0),
  Real: scalar(0),
  Entry: ({ k = '', v }) => [k, fromValue(v)],
  Target: ({ host = '', port = 0 }) => [host, port],
  Exit: ({ status = 0, body, headers }) => [
    status,
    Buffer.from((body as Buffer | undefined) ?? []).toString('utf8'),
    fromStruct(headers),
  ],
  ConsumerName: ({ id = '', by_username = false }) => [id, by_username],
  Authenticated: ({ consumer, credential }) => [filled(CONSUMER, consumer), filled(CREDENTIAL, credential)],
  Struct: (message) => [fromStruct(message)],
  ListValue: (message) => fromList(message),
}

function unwrapped(type: string, message: Message): unknown[] {
  const unwrap = UNWRAP[type]
  return unwrap === undefined ? [message] : unwrap(message)
}

/** Kong takes the first kind that is truthy in Lua: false is none, so it arrives as nil, and null arrives as the name of its enum value. */
function fromValue(value: unknown): unknown {
  if (value === undefined || value === null) return undefined
  const { boolValue, stringValue, numberValue, nullValue, listValue, structValue } = value as Message
  if (listValue !== undefined) return fromList(listValue)
  if (structValue !== undefined) return fromStruct(structValue)
  if (boolValue === true) return true
  return stringValue ?? numberValue ?? (nullValue === undefined ? undefined : 'NULL_VALUE')
}

function fromList(list: unknown): unknown[] {
  return (((list as Message | undefined)?.values ?? []) as unknown[]).map(fromValue)
}

function fromStruct(struct: unknown): Record<string, unknown> | undefined {
  if (struct === undefined || struct === null) return undefined
  const fields = Object.entries(((struct as Message).fields ?? {}) as object)
  return Object.fromEntries(fields.map(([key, value]) => [key, fromValue(value)]))
}

const wrapV = (kind: string) => (value: unknown) => {
  if (value === undefined || value === null) return {}
  if (!kind.split(' ').includes(typeof value) && !Buffer.isBuffer(value)) {
    throw new PdkFault(`bad argument: ${kind} expected for field 'v', got ${typeof value}`)
  }
  return { v: value }
}

const WRAP: Readonly<Record<string, (value: unknown) => object | undefined>> = {
  Text: wrapV('string number'),
  Bytes: (value) => wrapV('string')(typeof value === 'string' ? Buffer.from(value) : value),
  Flag: (value) => (typeof value === 'boolean' ? { v: value } : {}),
  Integer: wrapV('number'),
  Real: wrapV('number'),
  Value: toValue,
  Struct: (value) => (value === undefined ? undefined : toStruct(value as object)),
  RawBody: (value) =>
    typeof value === 'string' || Buffer.isBuffer(value) ? { content: Buffer.from(value) } : (value as object),
}

function wrapped(type: string, value: unknown): object | undefined {
  if (type === 'Empty') return undefined
  const wrap = WRAP[type]
  return wrap === undefined ? ((value ?? undefined) as object | undefined) : wrap(value)
}

/** nil is sent as null with a number that the enum does not have; a table whose first place is filled is a list. */
function toValue(value: unknown): object {
  if (value === undefined || value === null) return { nullValue: 1 }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return { numberValue: value }
  if (typeof value === 'string') return { stringValue: value }
  if (Buffer.isBuffer(value)) return { stringValue: value.toString('utf8') }
  if (Array.isArray(value) && value.length > 0) return { listValue: { values: value.map(toValue) } }
  return { structValue: toStruct(value as object) }
}

function toStruct(value: object): object {
  return { fields: Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toValue(each)])) }
}
