/** What evaluations by a provider guarantee, whatever it does: with a client of the SDK that the test plays. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FlagClient } from '../../../cli/service/ask-provider.ts'
import { createProviderFlags, flagsOf } from '../../../cli/service/provider-flags.ts'
import { NOTHING_OFF } from '../../../core/flags/switches.ts'
import { NOON, newKey, policyOf } from '../../support/gate.ts'

const CONTEXT = { tenant: 'acme', targetingKey: 'acme' }
const never = new Promise<never>(() => {})

/** A client of which every method answers so. */
function flagsBy(answer: (method: string, fallback: unknown) => unknown) {
  const method = (name: string) => async (_: string, fallback: unknown) => answer(name, fallback)
  const client = {
    getStringDetails: method('string'),
    getNumberDetails: method('number'),
    getBooleanDetails: method('boolean'),
    getObjectDetails: method('object'),
  }
  return createProviderFlags(client as unknown as FlagClient)(NOTHING_OFF)
}

function holdingItself(): unknown {
  const list: unknown[] = []
  list.push(list)
  return list
}

describe('an evaluation by a provider', () => {
  it.each([
    ['string', 'a'],
    ['number', 1],
    ['boolean', false],
    ['object', { a: 1 }],
  ])('asks for a %s where the fallback is one', async (method, fallback) => {
    const asked: string[] = []
    const flags = flagsBy((name, value) => {
      asked.push(name)
      return { value, reason: 'STATIC' }
    })
    expect(await flags.evaluate('f', fallback, CONTEXT)).toEqual({ value: fallback, reason: 'STATIC' })
    expect(asked).toEqual([method])
  })

  it('tells value, variant and reason of the provider', async () => {
    const flags = flagsBy(() => ({ value: 'canary', variant: 'v2', reason: 'SPLIT' }))
    expect(await flags.evaluate('f', 'stable', CONTEXT)).toEqual({ value: 'canary', variant: 'v2', reason: 'SPLIT' })
  })

  it.each([
    ['an error of the specification', { value: 'x', reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' }, 'FLAG_NOT_FOUND'],
    ['an error code beside another reason', { value: 'x', reason: 'STATIC', errorCode: 'PARSE_ERROR' }, 'PARSE_ERROR'],
    ['an error without a code', { value: 'x', reason: 'ERROR' }, 'GENERAL'],
    ['a code that is none', { value: 'x', reason: 'ERROR', errorCode: 'tg_secret' }, 'GENERAL'],
    ['a value of another type', { value: 3, reason: 'STATIC' }, 'TYPE_MISMATCH'],
    ['no value', { reason: 'STATIC' }, 'TYPE_MISMATCH'],
    ['nothing', undefined, 'GENERAL'],
  ])('answers the fallback for %s', async (_, details, errorCode) => {
    const flags = flagsBy(() => details)
    expect(await flags.evaluate('f', 'stable', CONTEXT)).toEqual({ value: 'stable', reason: 'ERROR', errorCode })
  })

  it('answers the fallback where the client throws or rejects', async () => {
    const throwing = createProviderFlags({} as FlagClient)(NOTHING_OFF)
    const rejecting = flagsBy(() => Promise.reject(new Error('no')))
    for (const flags of [throwing, rejecting]) {
      expect(await flags.evaluate('f', 'stable', CONTEXT)).toMatchObject({ value: 'stable', reason: 'ERROR' })
    }
  })

  it.each(['a\r\nx-tenant-id: globex', 'ü', '', 'a,b', 'v'.repeat(129), 7])(
    'leaves out the variant %j, which no header could tell',
    async (variant) => {
      const flags = flagsBy(() => ({ value: 'canary', variant, reason: 'STATIC' }))
      expect(await flags.evaluate('f', 'stable', CONTEXT)).toEqual({ value: 'canary', reason: 'STATIC' })
    },
  )

  it.each(['BECAUSE', undefined, 'static'])(
    'tells the reason %s as UNKNOWN: labels of metrics stay few',
    async (reason) => {
      const flags = flagsBy(() => ({ value: 'canary', reason }))
      expect(await flags.evaluate('f', 'stable', CONTEXT)).toEqual({ value: 'canary', reason: 'UNKNOWN' })
    },
  )

  it.each([
    ['holds itself', holdingItself],
    ['holds what JSON cannot', () => ({ a: 1n })],
    ['becomes nothing', () => ({ toJSON: () => undefined })],
  ])('answers the fallback for an object that %s: it could be told to nobody', async (_, make) => {
    const flags = flagsBy(() => ({ value: make(), reason: 'STATIC' }))
    expect(await flags.evaluate('f', {}, CONTEXT)).toEqual({ value: {}, reason: 'ERROR', errorCode: 'GENERAL' })
  })

  it('is not made for a flag that is switched off', async () => {
    const ask = vi.fn()
    const client = { getStringDetails: ask } as unknown as FlagClient
    const flags = createProviderFlags(client)({ isOff: (flag) => flag === 'f' })
    expect(flags.evaluate('f', 'stable', CONTEXT)).toEqual({ value: 'stable', reason: 'DISABLED' })
    expect([flags.offBy('f'), flags.offBy('g')]).toEqual(['switch', undefined])
    expect(ask).not.toHaveBeenCalled()
  })
})

describe('an evaluation of a flag whose type is not known', () => {
  /** A provider that has this one flag, of this value. */
  function having(value: unknown, reason = 'STATIC') {
    const asked: string[] = []
    const flags = flagsBy((method, fallback) => {
      asked.push(method)
      if (reason === 'DISABLED') return { value: fallback, reason }
      const isIt = typeof value === typeof fallback
      return isIt ? { value, reason } : { value: fallback, reason: 'ERROR', errorCode: 'TYPE_MISMATCH' }
    })
    return { asked, evaluate: () => flags.evaluate('f', null, CONTEXT) }
  }

  it.each([['dark'], [true], [3], [{ a: [1] }]])('finds %j, and asks once the next time', async (value) => {
    const { asked, evaluate } = having(value)
    expect(await evaluate()).toEqual({ value, reason: 'STATIC' })
    const first = asked.length
    expect(await evaluate()).toEqual({ value, reason: 'STATIC' })
    expect(asked).toHaveLength(first + 1)
  })

  it('finds nothing where the provider has disabled it', async () => {
    expect(await having(true, 'DISABLED').evaluate()).toEqual({ value: null, reason: 'DISABLED' })
  })

  it('finds nothing where the provider has only the fallback', async () => {
    const flags = flagsBy((_, value) => ({ value, reason: 'DEFAULT' }))
    expect(await flags.evaluate('f', null, CONTEXT)).toEqual({ value: null, reason: 'DEFAULT' })
  })

  it('says what is wrong where it is of no type at all, or not there', async () => {
    const none = { value: null, reason: 'ERROR' }
    expect(await having(undefined).evaluate()).toEqual({ ...none, errorCode: 'TYPE_MISMATCH' })
    const flags = flagsBy((_, value) => ({ value, reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' }))
    expect(await flags.evaluate('f', null, CONTEXT)).toEqual({ ...none, errorCode: 'FLAG_NOT_FOUND' })
  })
})

describe('a provider that does not answer', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('holds a request up for 50 ms and no longer', async () => {
    let evaluation: unknown
    Promise.resolve(flagsBy(() => never).evaluate('f', 'stable', CONTEXT)).then((it) => {
      evaluation = it
    })
    await vi.advanceTimersByTimeAsync(49)
    expect(evaluation).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    expect(evaluation).toEqual({ value: 'stable', reason: 'ERROR', errorCode: 'GENERAL' })
  })

  it('has at most 1,000 evaluations under way: those beyond get the default at once, until it is given up on them', async () => {
    let answer: () => unknown = () => never
    const flags = flagsBy(() => answer())
    const ask = () => flags.evaluate('f', 'stable', CONTEXT)
    const waiting = Array.from({ length: 1000 }, ask)
    expect(waiting.every((one) => one instanceof Promise)).toBe(true)
    expect(ask()).toEqual({ value: 'stable', reason: 'ERROR', errorCode: 'GENERAL' })
    await vi.advanceTimersByTimeAsync(50)
    expect(await Promise.all(waiting)).toHaveLength(1000)
    expect(ask()).not.toBeInstanceOf(Promise)
    await vi.advanceTimersByTimeAsync(10_000)
    answer = () => ({ value: 'canary', reason: 'STATIC' })
    expect(await ask()).toEqual({ value: 'canary', reason: 'STATIC' })
  })

  it('gives its place back to the next one where it answers in time, and once', async () => {
    const flags = flagsBy((_, value) => ({ value, reason: 'STATIC' }))
    for (let round = 0; round < 3; round++) {
      const all = Array.from({ length: 1000 }, () => flags.evaluate('f', 'stable', CONTEXT))
      expect(all.every((one) => one instanceof Promise)).toBe(true)
      await Promise.all(all)
    }
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the flags of a policy', () => {
  const policy = (flags: string, files = {}) =>
    policyOf(
      `version: 1
identity: { sources: [apiKey] }
plans: { pro: { limits: [] } }
tenants: { acme: { plan: pro, apiKeys: [{ id: ci, hash: "${newKey().hash}" }] } }
upstreams: [stable, canary]
routes: [{ name: r, match: { path: / }, upstream: { default: stable, flag: f } }]
${flags}
`,
      files,
    )
  const definition = JSON.stringify({
    flags: { f: { state: 'ENABLED', variants: { stable: 'stable', canary: 'canary' }, defaultVariant: 'canary' } },
  })

  it('are those of its file, and answer in the same tick, whether or not a provider is loaded', () => {
    const ask = vi.fn()
    const flags = flagsOf(
      policy('flags: flags.json', { 'flags.json': definition }),
      createProviderFlags({ getStringDetails: ask } as unknown as FlagClient),
    )
    expect(flags.evaluate('f', 'stable', { ...CONTEXT, 'tenantgate:timestamp': NOON / 1000 })).toMatchObject({
      value: 'canary',
    })
    expect(ask).not.toHaveBeenCalled()
  })

  it("are the provider's where it says so, and defaults where none is loaded", async () => {
    const asked = policy('flags: { provider: true }')
    const provider = () => flagsBy(() => ({ value: 'canary', reason: 'STATIC' }))
    expect(await flagsOf(asked, provider).evaluate('f', 'stable', CONTEXT)).toMatchObject({ value: 'canary' })
    expect(flagsOf(asked).evaluate('f', 'stable', CONTEXT)).toEqual({
      value: 'stable',
      reason: 'ERROR',
      errorCode: 'PROVIDER_NOT_READY',
    })
  })
})
