/** Kong's PDK as a table: each function with its name on the wire, its arguments as bytes, and its answer from bytes. */
import { type PdkMethod, type Protocol, typeNames, wireName } from './protocol.ts'
import { fromStruct, fromValue, type StructMessage, toList, toStruct, toValue, type ValueMessage } from './values.ts'

export interface Method {
  /** As Kong calls it, such as `kong.service.request.set_headers`. */
  readonly name: string
  readonly nameBytes: Uint8Array
  /** Where a plugin finds it below `kong`, such as `['service', 'request', 'setHeaders']`. */
  readonly path: readonly string[]
  /** Whether Kong neither answers it nor reads on: the request ends with it. */
  readonly ends: boolean
  /** Whether its answer says anything. Where not, Kong replies with an empty frame when it is done. */
  readonly answers: boolean
  /** Throws for arguments that have no form on the wire. */
  encode(args: readonly unknown[]): Uint8Array
  /** An empty reply stands for nil as well as for an empty text, zero and false: it is undefined. */
  decode(reply: Buffer): unknown
}

/** Kong hands out this many headers or arguments unless told otherwise, and refuses to be asked for none. */
const DEFAULT_MAX = 100

const EXIT = 'Response_Exit'

/** Every method by its name in our proto. */
export function createMethods({ pdk }: Protocol): ReadonlyMap<string, Method> {
  return new Map(Object.entries(pdk).map(([name, definition]) => [name, methodOf(name, definition)]))
}

/** The method that ends a request. */
export function exitOf(methods: ReadonlyMap<string, Method>): Method {
  const exit = methods.get(EXIT)
  if (exit === undefined) throw new Error('the proto has no function that ends a request')
  return exit
}

function methodOf(name: string, definition: PdkMethod): Method {
  const { asks, answers } = typeNames(definition)
  const toMessage = ARGUMENTS[asks] ?? ((args: readonly unknown[]) => (args[0] ?? {}) as object)
  const fromMessage = ANSWERS[answers] ?? ((message: object) => message)
  const words = name.split('_')
  const last = words.length - 1
  const wire = wireName(name)
  const asksForMany = asks === 'Integer' && words[last]?.startsWith('Get') === true
  return {
    name: wire,
    nameBytes: Buffer.from(wire),
    path: words.map((word) => word.slice(0, 1).toLowerCase() + word.slice(1)),
    ends: name === EXIT,
    answers: answers !== 'Empty',
    encode(args) {
      return definition.requestSerialize(toMessage(asksForMany && args[0] === undefined ? [DEFAULT_MAX] : args))
    },
    decode(reply) {
      return reply.length === 0 ? undefined : fromMessage(definition.responseDeserialize(reply))
    },
  }
}

type Arguments = (args: readonly unknown[]) => object

const first: Arguments = ([v]) => ({ v })

const ARGUMENTS: Readonly<Record<string, Arguments>> = {
  Empty: () => ({}),
  Text: first,
  Flag: first,
  Integer: first,
  Real: first,
  Bytes: ([v]) => ({ v: bytesOf(v) }),
  Entry: ([k, v]) => ({ k, v: toValue(v) }),
  Target: ([host, port]) => ({ host, port }),
  ConsumerName: ([id, by_username]) => ({ id, by_username }),
  Authenticated: ([consumer, credential]) => ({
    ...(consumer ? { consumer } : {}),
    ...(credential ? { credential } : {}),
  }),
  Struct: ([value]) => toStruct(value),
  ListValue: (args) => toList(args),
  Exit: exitArguments,
}

type Exit = { status: unknown; body: Uint8Array; headers: StructMessage }

/** As kong-pdk: an object for a body is sent as JSON. */
function exitArguments([status, body, headers]: readonly unknown[]): Exit {
  if (typeof body !== 'object' || body === null || body instanceof Uint8Array) {
    return { status, body: bytesOf(body), headers: toStruct(headers) }
  }
  const json = { 'content-type': 'application/json', ...(headers as object | undefined) }
  return { status, body: Buffer.from(JSON.stringify(body)), headers: toStruct(json) }
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  return Buffer.from(value === undefined || value === null ? '' : String(value))
}

interface Captures {
  readonly unnamed?: readonly Buffer[]
  readonly named?: Readonly<Record<string, Buffer>>
}

interface Body {
  readonly content?: Buffer
  readonly body_filepath?: string
  readonly error?: string
}

const v = (message: object) => (message as { readonly v?: unknown }).v

const ANSWERS: Readonly<Record<string, (message: object) => unknown>> = {
  Empty: () => undefined,
  Text: v,
  Flag: v,
  Integer: v,
  Real: v,
  Bytes: v,
  Value: (message) => fromValue(message as ValueMessage),
  Struct: (message) => fromStruct(message as StructMessage),
  RawBody: (message) => bodyOf(message as Body),
  UriCaptures: (message) => capturesOf(message as Captures),
}

function bodyOf({ content, body_filepath, error }: Body): Buffer | undefined {
  if (body_filepath !== undefined) {
    throw new Error('the body is longer than nginx_http_client_body_buffer_size and stands in a file of Kong’s')
  }
  if (error !== undefined) throw new Error('Kong cannot read the body')
  return content
}

/** Kong-pdk's shape: by place, beginning with 0, and by name. */
function capturesOf({ unnamed = [], named = {} }: Captures): Record<string, string> {
  const captures: Record<string, string> = Object.create(null)
  for (const [place, bytes] of unnamed.entries()) captures[String(place)] = bytes.toString('utf8')
  for (const [name, bytes] of Object.entries(named)) captures[name] = bytes.toString('utf8')
  return captures
}
