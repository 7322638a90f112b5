/** google.protobuf.Struct to plain values, as filters before ours have left them in a request's metadata, and back. */
import type { Json } from '../core/descriptors/descriptor.ts'
import type { StructMessage, ValueMessage } from './messages.ts'

/** Claims are shallow and few; what is beyond these is not read at all. */
const DEEPEST = 32
const MOST_VALUES = 4096

/** The object, without a prototype, so that no name is one of every object's. Undefined where it is too deep or too large. */
export function plainStruct(struct: StructMessage): Readonly<Record<string, unknown>> | undefined {
  const budget = { values: MOST_VALUES }
  try {
    return objectOf(struct, DEEPEST, budget)
  } catch (fault) {
    if (fault === TOO_LARGE) return undefined
    throw fault
  }
}

const TOO_LARGE = new Error('a structure that is too deep or too large')

interface Budget {
  values: number
}

function objectOf({ fields = {} }: StructMessage, depth: number, budget: Budget): Record<string, unknown> {
  const plain: Record<string, unknown> = Object.create(null)
  for (const [name, value] of Object.entries(fields)) plain[name] = plainValue(value, depth - 1, budget)
  return plain
}

/** Exactly one kind is set; one that is not known, or none, is null, as in an empty Value. */
function plainValue(value: ValueMessage, depth: number, budget: Budget): unknown {
  budget.values -= 1
  if (depth < 0 || budget.values < 0) throw TOO_LARGE
  if (value.structValue) return objectOf(value.structValue, depth, budget)
  if (value.listValue) return (value.listValue.values ?? []).map((item) => plainValue(item, depth - 1, budget))
  return value.stringValue ?? value.numberValue ?? value.boolValue ?? null
}

/** The message for plain values. */
export function structOf(plain: Readonly<Record<string, Json>>): StructMessage {
  return { fields: Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, valueMessage(value)])) }
}

function valueMessage(value: Json): ValueMessage {
  if (value === null) return { nullValue: 0 }
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'number') return { numberValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (isList(value)) return { listValue: { values: value.map(valueMessage) } }
  return { structValue: structOf(value) }
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
