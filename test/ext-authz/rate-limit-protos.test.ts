/** Our own-worded protos of the rate limit service say on the wire what Envoy's say. */
import { describe, expect, it } from 'vitest'
import { compareShapes, messageOf, ourProtos, PROTO_FILES, shapesOf, theirProtos } from './protos.ts'

const ours = ourProtos(PROTO_FILES.rateLimit)
const theirs = theirProtos(PROTO_FILES.rateLimit)

const REQUEST = 'envoy.service.ratelimit.v3.RateLimitRequest'
const RESPONSE = 'envoy.service.ratelimit.v3.RateLimitResponse'
const DESCRIPTOR = 'envoy.extensions.common.ratelimit.v3.RateLimitDescriptor'

const request = {
  domain: 'edge',
  descriptors: [
    {
      entries: [{ key: 'tenant', value: 'acme' }, { key: 'plan' }],
      limit: { requests_per_unit: 4_294_967_295, unit: 6 },
    },
    { entries: [{ key: 'ip', value: '192.0.2.7' }] },
  ],
  hits_addend: 3,
}
const response = {
  overall_code: 2,
  statuses: [
    {
      code: 2,
      current_limit: { requests_per_unit: 5, unit: 2, name: 'burst' },
      limit_remaining: 4,
      duration_until_reset: { seconds: 17, nanos: 5 },
    },
  ],
  response_headers_to_add: [{ key: 'ratelimit-limit', value: '5' }],
  dynamic_metadata: { fields: { domain: { stringValue: 'edge' } } },
}

describe('the protos of the rate limit service', () => {
  it('have for each field the name, the number, the kind and the repetition of Envoy’s', () => {
    const { compared, differences, newer } = compareShapes(shapesOf(ours), shapesOf(theirs))
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(20)
    // these are as the descriptors say that Envoy 1.40 carries
    expect(newer).toEqual([
      `${DESCRIPTOR}.hits_addend = 3 LABEL_OPTIONAL TYPE_MESSAGE UInt64Value`,
      `${DESCRIPTOR}.is_negative_hits = 4 LABEL_OPTIONAL TYPE_BOOL `,
    ])
  })

  it.each([`${RESPONSE}.Code`, `${RESPONSE}.RateLimit.Unit`, 'envoy.type.v3.RateLimitUnit'])(
    'have the numbers of %s',
    (name) => {
      const known = new Map(valuesOf(theirs, name))
      const added = valuesOf(ours, name).filter(([word, number]) => known.get(word) !== number)
      expect(added).toEqual(name.endsWith('RateLimit.Unit') ? [['WEEK', 7]] : [])
      expect(valuesOf(ours, name).length).toBeGreaterThan(2)
    },
  )

  it.each([
    { title: 'bytes of theirs decode with ours', from: theirs, to: ours },
    { title: 'bytes of ours decode with theirs', from: ours, to: theirs },
  ])('$title', ({ from, to }) => {
    for (const [name, message] of [
      [REQUEST, request],
      [RESPONSE, response],
    ] as const) {
      const bytes = messageOf(from, name).serialize(message)
      expect(messageOf(to, name).deserialize(bytes)).toEqual(message)
    }
  })
})

interface EnumDescriptor {
  readonly name: string
  readonly value: readonly { readonly name: string; readonly number: number }[]
}

interface HolderDescriptor {
  readonly nestedType: readonly (HolderDescriptor & { readonly name: string })[]
  readonly enumType: readonly EnumDescriptor[]
}

/** The words of an enum with their numbers; one that stands within a message is found through it. */
function valuesOf(protos: typeof ours, name: string): readonly (readonly [word: string, number: number])[] {
  const own = protos[name]?.type as EnumDescriptor | undefined
  if (own) return pairs(own)
  const [message = '', ...path] = [RESPONSE, ...name.slice(RESPONSE.length + 1).split('.')]
  const last = path.pop()
  let holder = protos[message]?.type as HolderDescriptor | undefined
  for (const step of path) holder = holder?.nestedType.find((nested) => nested.name === step)
  const found = holder?.enumType.find((each) => each.name === last)
  return found ? pairs(found) : []
}

function pairs({ value }: EnumDescriptor): readonly (readonly [string, number])[] {
  return value.map(({ name, number }) => [name, number])
}
