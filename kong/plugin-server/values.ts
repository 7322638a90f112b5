/** Between plain values and google.protobuf's Value, Struct and ListValue, as `@grpc/proto-loader` reads and writes them. */

export interface ValueMessage {
  readonly nullValue?: number
  readonly boolValue?: boolean
  readonly numberValue?: number
  readonly stringValue?: string
  readonly listValue?: ListMessage
  readonly structValue?: StructMessage
}

export interface ListMessage {
  readonly values?: readonly ValueMessage[]
}

export interface StructMessage {
  readonly fields?: Readonly<Record<string, ValueMessage>>
}

/** What has no form in JSON (a function, a symbol) is null. Bytes are read as UTF-8. */
export function toValue(value: unknown): ValueMessage {
  switch (typeof value) {
    case 'string':
      return { stringValue: value }
    case 'number':
      return { numberValue: value }
    case 'boolean':
      return { boolValue: value }
    case 'bigint':
      return { numberValue: Number(value) }
    case 'object':
      if (value === null) break
      if (Array.isArray(value)) return { listValue: toList(value) }
      if (value instanceof Uint8Array) return { stringValue: Buffer.from(value).toString('utf8') }
      return { structValue: toStruct(value) }
  }
  return { nullValue: 0 }
}

/** A list of plain values as protobuf's `ListValue`; what has no counterpart there becomes null, so that no place is lost. */
export function toList(values: readonly unknown[]): ListMessage {
  return { values: values.map(toValue) }
}

/** A key whose value is undefined is left out, as JSON does. */
export function toStruct(value: unknown): StructMessage {
  const fields: Record<string, ValueMessage> = Object.create(null)
  if (typeof value !== 'object' || value === null) return { fields }
  for (const [key, each] of Object.entries(value)) if (each !== undefined) fields[key] = toValue(each)
  return { fields }
}

/** Null is undefined: Lua has no other nothing, and Kong writes it with a number that is not even null's. */
export function fromValue(value: ValueMessage | undefined): unknown {
  if (value === undefined) return undefined
  if (value.stringValue !== undefined) return value.stringValue
  if (value.numberValue !== undefined) return value.numberValue
  if (value.boolValue !== undefined) return value.boolValue
  if (value.listValue !== undefined) return (value.listValue.values ?? []).map(fromValue)
  if (value.structValue !== undefined) return fromStruct(value.structValue)
  return undefined
}

/** Without a prototype: a client's header may be named `__proto__` or `constructor`. */
export function fromStruct(struct: StructMessage): Record<string, unknown> {
  const plain: Record<string, unknown> = Object.create(null)
  for (const [key, value] of Object.entries(struct.fields ?? {})) plain[key] = fromValue(value)
  return plain
}
