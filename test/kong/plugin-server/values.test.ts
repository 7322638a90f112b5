/** Values go to Kong and come back as they were, as far as Lua can tell them apart. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadProtocol } from '../../../kong/plugin-server/protocol.ts'
import { fromValue, toStruct, toValue, type ValueMessage } from '../../../kong/plugin-server/values.ts'

const { Ctx_Shared_Get } = loadProtocol().pdk

/** Encoded and decoded as on the wire. */
function overTheWire(value: unknown): unknown {
  if (Ctx_Shared_Get === undefined) throw new Error('the proto has no Ctx_Shared_Get')
  return fromValue(Ctx_Shared_Get.responseDeserialize(Buffer.from(Ctx_Shared_Get.responseSerialize(toValue(value)))))
}

describe('a value', () => {
  it('of JSON is the same on the other side, null being undefined', () => {
    const json = fc.jsonValue({ maxDepth: 3 })
    const withoutNull = (value: unknown): unknown => {
      if (value === null) return undefined
      if (Array.isArray(value)) return value.map(withoutNull)
      if (typeof value !== 'object') return value
      const entries = Object.entries(value as object).map(([key, each]) => [key, withoutNull(each)])
      return Object.assign(Object.create(null), Object.fromEntries(entries.filter(([key]) => key !== '__proto__')))
    }
    fc.assert(
      fc.property(json, (value) => {
        expect(overTheWire(withoutNull(value))).toEqual(withoutNull(value))
      }),
    )
  })

  it('that Lua calls nil, sent as null with a number of its own, is undefined', () => {
    expect(fromValue({ nullValue: 1 })).toBeUndefined()
    expect(fromValue(undefined)).toBeUndefined()
  })

  it('without a form in JSON is null, and bytes are text', () => {
    expect(toValue(() => 1)).toEqual({ nullValue: 0 })
    expect(toValue(Symbol('a'))).toEqual({ nullValue: 0 })
    expect(toValue(Buffer.from('é'))).toEqual({ stringValue: 'é' })
    expect(toValue(12n)).toEqual({ numberValue: 12 })
  })
})

describe('a table', () => {
  it('leaves out what is undefined', () => {
    expect(toStruct({ a: undefined, b: '1' })).toEqual({ fields: { b: { stringValue: '1' } } })
  })

  it('keeps names such as __proto__ for what they are', () => {
    const names = ['__proto__', 'constructor']
    const fields: Record<string, ValueMessage> = Object.fromEntries(names.map((name) => [name, { stringValue: 'a' }]))
    const table = fromValue({ structValue: { fields } }) as Record<string, unknown>
    expect(Object.keys(table)).toEqual(names)
    expect(Object.getPrototypeOf(table)).toBeNull()
  })
})
