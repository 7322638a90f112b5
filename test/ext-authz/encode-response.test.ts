/** Our encoder and the library agree on every answer. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeResponse } from '../../ext-authz/encode-response.ts'
import type { CheckResponse, HeaderValueOption, StructValue } from '../../ext-authz/messages.ts'
import { loadAuthorization } from '../../ext-authz/service.ts'

const { responseSerialize, responseDeserialize } = loadAuthorization().Check

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 20 }), fc.constant(''))
const option: fc.Arbitrary<HeaderValueOption> = fc.record({
  header: fc.record({ key: text, value: text }),
  appendAction: fc.integer({ min: 0, max: 3 }),
})
const options = fc.array(option, { maxLength: 8 })
const code = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const value: fc.Arbitrary<StructValue> = fc.oneof(
  fc.record({ stringValue: text }),
  fc.record({ numberValue: fc.double({ noNaN: true }) }),
)
const metadata = fc.record({
  fields: fc.dictionary(fc.string({ maxLength: 10 }), value, { maxKeys: 8, noNullPrototype: true }),
})
const allowed = fc.record({
  status: fc.record({ code }),
  okResponse: fc.record({ headers: options, headersToRemove: fc.array(text), responseHeadersToAdd: options }),
  dynamicMetadata: metadata,
})
const denied = fc.record({
  status: fc.record({ code }),
  deniedResponse: fc.record({ status: fc.record({ code }), headers: options, body: text }),
  dynamicMetadata: metadata,
})

function agree(response: CheckResponse): void {
  expect(responseDeserialize(encodeResponse(response))).toEqual(responseDeserialize(responseSerialize(response)))
}

describe('an encoded response', () => {
  it('decodes to what the library’s own encoding decodes to', () => {
    fc.assert(fc.property(fc.oneof(allowed, denied), agree))
  })

  it.each([0, 127, 128, 16_383, 16_384, 70_000, 300_000])('holds a body of %i characters', (length) => {
    for (const character of ['x', 'é', '日', '😀']) {
      const deniedResponse = { status: { code: 403 }, headers: [], body: character.repeat(length) }
      agree({ status: { code: 7 }, deniedResponse, dynamicMetadata: { fields: {} } })
    }
  })

  it('has nothing of one that could not be encoded', () => {
    const deniedResponse = { status: { code: 403 }, headers: [], body: 'secret' }
    const broken = { status: undefined, deniedResponse, dynamicMetadata: { fields: {} } } as unknown as CheckResponse
    expect(() => encodeResponse(broken)).toThrow(TypeError)
    agree({ status: { code: 0 }, dynamicMetadata: { fields: {} } })
  })

  it('is a buffer of its own: the next one does not change it', () => {
    const of = (body: string): CheckResponse => ({
      status: { code: 7 },
      deniedResponse: { status: { code: 403 }, headers: [], body },
      dynamicMetadata: { fields: {} },
    })
    const first = encodeResponse(of('aaaa'))
    encodeResponse(of('bbbb'))
    expect(responseDeserialize(first)).toEqual(responseDeserialize(responseSerialize(of('aaaa'))))
  })
})
