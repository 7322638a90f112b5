/** ShouldRateLimit with a real client: what a filter sends is read, what is counted is told, and what is broken tells nothing. */
import { createServer, type Socket } from 'node:net'
import { status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { type HitsAnswer, type HitsRequest, InvalidHits, UnavailableHits } from '../../core/descriptors/descriptor.ts'
import { createGrpcServer, type Method } from '../../ext-authz/server.ts'
import { RATE_LIMIT_SERVICE } from '../../ext-authz/service.ts'
import { createShouldRateLimit, type ShouldRateLimit } from '../../ext-authz/should-rate-limit.ts'
import { createClient, hitsOf } from './client.ts'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

const OK: HitsAnswer = { code: 'ok', statuses: [{ code: 'ok', remaining: 0 }], headers: [] }

async function start(shouldRateLimit?: ShouldRateLimit) {
  const faults: Method[] = []
  const grpc = createGrpcServer({
    check: () => ({ status: { code: 0 }, dynamicMetadata: { fields: {} } }),
    ...(shouldRateLimit && { shouldRateLimit }),
    onFault: (_, method) => faults.push(method),
    now: Date.now,
    elapsed: () => performance.now(),
  })
  const entrance = createServer((connection: Socket) => grpc.accept(connection))
  await new Promise<void>((resolve) => entrance.listen(0, '127.0.0.1', resolve))
  const client = createClient(`127.0.0.1:${(entrance.address() as { port: number }).port}`)
  ends.push(
    () => client.close(),
    () => entrance.close(),
    () => void grpc.drain(0),
  )
  return { client, faults, grpc, entrance }
}

/** What a call is read as. */
async function asRead(message: object): Promise<HitsRequest | undefined> {
  const read: HitsRequest[] = []
  const { client } = await start(
    createShouldRateLimit((request) => {
      read.push(request)
      return OK
    }),
  )
  await client.shouldRateLimit(message)
  return read[0]
}

describe('a call', () => {
  it('is read with domain, descriptors, overrides and hits', async () => {
    const entries = [
      { key: 'tenant', value: 'acme' },
      { key: 'plan', value: '' },
    ]
    const descriptors = [
      { entries, limit: { requestsPerUnit: 3, unit: 2 }, hitsAddend: { value: 7 } },
      { entries: [{ key: 'a', value: 'b' }] },
    ]
    expect(await asRead({ domain: 'edge', descriptors, hitsAddend: 5 })).toEqual({
      domain: 'edge',
      descriptors: [
        { entries, limit: { requestsPerUnit: 3, unit: 'minute' }, hits: 7 },
        { entries: [{ key: 'a', value: 'b' }] },
      ],
      hitsAddend: 5,
    })
  })

  it('that says nothing is read as nothing', async () => {
    expect(await asRead({})).toEqual({ domain: '', descriptors: [], hitsAddend: 0 })
    expect(await asRead({ descriptors: [{}] })).toMatchObject({ descriptors: [{ entries: [] }] })
  })

  it.each([
    ['0 looks', { hitsAddend: { value: 0 } }, 0],
    ['none of its own are the request’s', {}, undefined],
    ['negative ones are given back', { hitsAddend: { value: 380 }, isNegativeHits: true }, -380],
    ['negative ones of 0 look', { hitsAddend: { value: 0 }, isNegativeHits: true }, 0],
    ['negative ones without a number are the request’s', { isNegativeHits: true }, -4],
  ])('hits of a descriptor: %s', async (_, descriptor, hits) => {
    const read = await asRead({ domain: 'd', descriptors: [descriptor], hitsAddend: 4 })
    expect(read?.descriptors[0]?.hits).toBe(hits)
  })

  it.each([0, 7, 99])('with the unit %i in its limit names none', async (unit) => {
    const read = await asRead({ domain: 'd', descriptors: [{ limit: { requestsPerUnit: 1, unit } }] })
    expect(read?.descriptors[0]?.limit).toEqual({ requestsPerUnit: 1, unit: undefined })
  })

  it('is refused unread beyond 256 kB, and the server goes on', async () => {
    const { client } = await start(createShouldRateLimit(() => OK))
    const huge = hitsOf('edge', { key: 'x'.repeat(300_000) })
    expect(await client.shouldRateLimit(huge).catch((reason) => reason)).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    })
    expect(await client.shouldRateLimit(hitsOf('edge', { a: 'b' }))).toMatchObject({ overallCode: 1 })
  })
})

describe('an answer', () => {
  const told = async (answer: HitsAnswer) => {
    const { client } = await start(createShouldRateLimit(() => answer))
    return client.shouldRateLimit(hitsOf('edge', { a: 'b' }))
  }

  it('tells statuses, headers and metadata', async () => {
    const limit = { name: 'burst', requestsPerUnit: 5, unit: 'week' } as const
    const answer: HitsAnswer = {
      code: 'over_limit',
      statuses: [
        { code: 'over_limit', limit, remaining: 0, resetMs: 2001 },
        { code: 'ok', remaining: 4_294_967_295 },
        { code: 'ok', limit: { ...limit, unit: undefined }, remaining: 2, resetMs: 0 },
      ],
      headers: [['RateLimit-Limit', '5']],
      metadata: { domain: 'edge', list: ['a', 1, true, null, { deep: {} }] },
    }
    expect(await told(answer)).toEqual({
      overallCode: 2,
      statuses: [
        {
          code: 2,
          currentLimit: { name: 'burst', requestsPerUnit: 5, unit: 7 },
          limitRemaining: 0,
          // whole seconds, up: Envoy makes Retry-After of it, and rounds down
          durationUntilReset: { seconds: 3 },
        },
        { code: 1, limitRemaining: 4_294_967_295 },
        {
          code: 1,
          currentLimit: { name: 'burst', requestsPerUnit: 5, unit: 0 },
          limitRemaining: 2,
          durationUntilReset: { seconds: 0 },
        },
      ],
      responseHeadersToAdd: [{ key: 'RateLimit-Limit', value: '5' }],
      dynamicMetadata: {
        fields: {
          domain: { stringValue: 'edge' },
          list: {
            listValue: {
              values: [
                { stringValue: 'a' },
                { numberValue: 1 },
                { boolValue: true },
                { nullValue: 0 },
                { structValue: { fields: { deep: { structValue: {} } } } },
              ],
            },
          },
        },
      },
    })
  })

  it('never has a number that the protocol cannot carry', async () => {
    const limit = { name: 'huge', requestsPerUnit: 1e15, unit: undefined }
    expect(await told({ ...OK, statuses: [{ code: 'ok', limit, remaining: 1e15, resetMs: 3.7e17 }] })).toMatchObject({
      statuses: [
        {
          currentLimit: { requestsPerUnit: 4_294_967_295 },
          limitRemaining: 4_294_967_295,
          durationUntilReset: { seconds: 315_576_000_000 },
        },
      ],
    })
  })
})

describe('what cannot be answered', () => {
  it.each([
    ['rejected', () => Promise.reject(new InvalidHits('the domain is empty'))],
    [
      'thrown',
      () => {
        throw new InvalidHits('the domain is empty')
      },
    ],
  ])('is told in words, as UNKNOWN, and is no fault of ours: %s', async (_, count) => {
    const { client, faults } = await start(createShouldRateLimit(count))
    const error = await client.shouldRateLimit({}).catch((reason) => reason)
    expect(error).toMatchObject({ code: status.UNKNOWN, details: 'the domain is empty' })
    expect(faults).toEqual([])
  })

  it('just now is told as UNAVAILABLE, and is no fault of ours', async () => {
    const away = () => Promise.reject(new UnavailableHits('the store of tenants does not answer'))
    const { client, faults } = await start(createShouldRateLimit(away))
    const error = await client.shouldRateLimit(hitsOf('tenantgate', { tenant: 'acme' })).catch((reason) => reason)
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: 'the store of tenants does not answer' })
    expect(faults).toEqual([])
  })

  it('because we are broken is INTERNAL without a word of the inside, and is reported', async () => {
    const { client, faults } = await start(
      createShouldRateLimit(() => {
        throw new Error('key tg_live_secret')
      }),
    )
    const error = await client.shouldRateLimit(hitsOf('edge', { a: 'b' })).catch((reason) => reason)
    expect(error).toMatchObject({ code: status.INTERNAL, details: 'internal error' })
    expect(faults).toEqual(['ShouldRateLimit'])
  })

  it('because nobody waits any more is not counted', () => {
    let counted = 0
    const handle = createShouldRateLimit(() => {
      counted += 1
      return OK
    })
    expect(() => handle({ domain: 'edge' }, () => true)).toThrow(InvalidHits)
    expect(counted).toBe(0)
    handle({ domain: 'edge' }, () => false)
    expect(counted).toBe(1)
  })
})

describe('the service', () => {
  it('has a health of its own, and is not there where it is not given', async () => {
    const { client } = await start(createShouldRateLimit(() => OK))
    expect(await client.health(RATE_LIMIT_SERVICE)).toBe('SERVING')
    // whoever asked after envoyproxy/ratelimit goes on asking by its name
    expect(await client.health('ratelimit')).toBe('SERVING')
    const without = await start()
    expect(await without.client.shouldRateLimit({}).catch((reason) => reason)).toMatchObject({
      code: status.UNIMPLEMENTED,
    })
    for (const name of [RATE_LIMIT_SERVICE, 'ratelimit'])
      await expect(without.client.health(name)).rejects.toMatchObject({ code: status.NOT_FOUND })
  })

  it('answers what is under way before a drain ends', async () => {
    let goOn = () => {}
    const begun = new Promise<void>((begin) => {
      goOn = begin
    })
    let isAsked = () => {}
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve
    })
    const { client, grpc, entrance } = await start(
      createShouldRateLimit(async () => {
        isAsked()
        await begun
        return OK
      }),
    )
    const answer = client.shouldRateLimit(hitsOf('edge', { a: 'b' }))
    await asked
    expect(grpc.underWay).toBe(1)
    entrance.close()
    const drained = grpc.drain(10_000)
    goOn()
    expect(await answer).toMatchObject({ overallCode: 1 })
    expect(await drained).toBe(true)
  })
})
