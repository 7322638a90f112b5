/** Our protos and the ones that npm carries, described in one shape, so that they can be compared. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { loadSync, type MessageTypeDefinition, type PackageDefinition } from '@grpc/proto-loader'
import { protoFolder } from '../../ext-authz/service.ts'

/** The file of each service. */
export const PROTO_FILES = {
  authorization: 'envoy/service/auth/v3/external_auth.proto',
  rateLimit: 'envoy/service/ratelimit/v3/rls.proto',
} as const

type ProtoFile = (typeof PROTO_FILES)[keyof typeof PROTO_FILES]

const OPTIONS = { longs: Number, keepCase: true } as const

/** A message as it is on the wire: names of the fields to number, kind and repetition. */
export type Shape = ReadonlyMap<string, string>

interface FieldDescriptor {
  readonly name: string
  readonly number: number
  readonly label: string
  readonly type: string
  readonly typeName: string
}

export function ourProtos(file: ProtoFile = PROTO_FILES.authorization): PackageDefinition {
  return loadSync(file, { ...OPTIONS, includeDirs: [protoFolder] })
}

export function theirProtos(file: ProtoFile = PROTO_FILES.authorization): PackageDefinition {
  const resolve = createRequire(import.meta.url).resolve
  const deps = join(dirname(resolve('@grpc/grpc-js-xds/package.json')), 'deps')
  const folders = ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate']
  return loadSync(file, { ...OPTIONS, includeDirs: folders.map((folder) => join(deps, folder)) })
}

/** A message with its encoder and decoder. */
export function messageOf(protos: PackageDefinition, name: string): MessageTypeDefinition<object, object> {
  const found = protos[name]
  if (found === undefined || !('serialize' in found)) throw new Error(`${name} is not a message`)
  return found as MessageTypeDefinition<object, object>
}

interface MessageDescriptor {
  readonly name: string
  readonly field: readonly FieldDescriptor[]
  readonly nestedType: readonly MessageDescriptor[]
}

/** Every message by name, those within others too; those of google.protobuf come with the library on both sides. */
export function shapesOf(protos: PackageDefinition): ReadonlyMap<string, Shape> {
  const shapes = new Map<string, Shape>()
  const add = (name: string, { field, nestedType }: MessageDescriptor) => {
    shapes.set(name, new Map(field.map((entry) => [entry.name, shapeOf(entry)])))
    for (const nested of nestedType) add(`${name}.${nested.name}`, nested)
  }
  for (const [name, definition] of Object.entries(protos)) {
    if (!name.startsWith('google.protobuf.') && 'serialize' in definition)
      add(name, definition.type as MessageDescriptor)
  }
  return shapes
}

/** The type's own name is enough: how much of its package stands before it differs with the file that was read. */
function shapeOf({ number, label, type, typeName }: FieldDescriptor): string {
  return `${number} ${label} ${type} ${typeName.split('.').pop()}`
}

/** Where `ours` differs from `theirs`, as `message.field: ours, theirs`; `newer` has what only we know. */
export function compareShapes(ours: ReadonlyMap<string, Shape>, theirs: ReadonlyMap<string, Shape>) {
  const differences: string[] = []
  const newer: string[] = []
  let compared = 0
  for (const [message, fields] of ours) {
    for (const [field, shape] of fields) {
      const other = theirs.get(message)?.get(field)
      if (other === undefined) newer.push(`${message}.${field} = ${shape}`)
      else compared += 1
      if (other !== undefined && other !== shape) differences.push(`${message}.${field}: ${shape}, theirs ${other}`)
    }
  }
  return { compared, differences, newer }
}
