/** `fractional`: who falls into which bucket, by the same arithmetic as in every other language that flagd speaks. */
import { describe, expect, it } from 'vitest'
import { flagsOf } from '../../policy/flags/flag-policy.ts'

type Context = Readonly<Record<string, unknown>>

const names = (...all: readonly string[]) => Object.fromEntries(all.map((name) => [name, name]))

function flagsWith(targeting: unknown, variants: object = names('red', 'green', 'blue', 'none')) {
  return flagsOf({
    flags: { one: { state: 'ENABLED', variants, defaultVariant: Object.keys(variants).at(-1), targeting } },
  })
}

function variantOf(targeting: unknown, context: Context): string | undefined {
  const found = flagsWith(targeting).evaluate('one', 'nothing', context as never)
  return found instanceof Promise ? 'a promise' : found.variant
}

/** MurmurHash3 x86 32 with the seed 0, over bytes (https://github.com/aappleby/smhasher/wiki/MurmurHash3). */
function murmur(bytes: Uint8Array): number {
  const scramble = (block: number) => {
    const mixed = Math.imul(block, 0xcc9e2d51)
    return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
  }
  let hash = 0
  const whole = bytes.length - (bytes.length % 4)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at < whole; at += 4) {
    hash ^= scramble(view.getUint32(at, true))
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64
  }
  let tail = 0
  for (let at = bytes.length - 1; at >= whole; at -= 1) tail = (tail << 8) | (bytes[at] ?? 0)
  hash ^= scramble(tail) ^ bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** The bucket among `weights`, as flagd's specification of `fractional` counts it. */
function bucketOf(text: string, weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const point = Number((BigInt(murmur(new TextEncoder().encode(text))) * BigInt(total)) >> 32n)
  return weights.findIndex((_, index) => weights.slice(0, index + 1).reduce((sum, weight) => sum + weight, 0) > point)
}

const COLORS = ['red', 'green', 'blue']
const WEIGHTS = [1, 19, 80]
const BUCKETS = COLORS.map((color, index) => [color, WEIGHTS[index]])

describe('`fractional`', () => {
  it('buckets 20,000 keys as a MurmurHash3 over UTF-8 does, by the name of the flag and the targeting key', () => {
    const flags = flagsWith({ fractional: BUCKETS })
    const wrong = Array.from({ length: 20_000 }, (_, index) => `tenant-${index * 7919}`).filter((targetingKey) => {
      const found = flags.evaluate('one', 'nothing', { targetingKey })
      return found instanceof Promise || found.variant !== COLORS[bucketOf(`one${targetingKey}`, WEIGHTS)]
    })
    expect(wrong).toEqual([])
  })

  it('buckets keys of all lengths alike, and those of users outside of ASCII in a way of its own', () => {
    const flags = flagsWith({ fractional: BUCKETS })
    const agrees = (targetingKey: string) => {
      const found = flags.evaluate('one', 'nothing', { targetingKey })
      return !(found instanceof Promise) && found.variant === COLORS[bucketOf(`one${targetingKey}`, WEIGHTS)]
    }
    const lengths = Array.from({ length: 300 }, (_, length) => 'k'.repeat(length + 1))
    expect(lengths.every(agrees)).toBe(true)
    const umlauts = Array.from({ length: 300 }, (_, index) => `jürgen-${index}`)
    // what docs/flags.md says of them: were it otherwise, that would have to go
    expect(umlauts.every(agrees)).toBe(false)
    const variants = (those: ReturnType<typeof flagsWith>) =>
      umlauts.map((targetingKey) => those.evaluate('one', 'nothing', { targetingKey }))
    // the same on every instance all the same
    expect(variants(flagsWith({ fractional: BUCKETS }))).toEqual(variants(flags))
  })

  it("puts the keys at the edges of the hash's range where every evaluator does", () => {
    const halves = { fractional: [{ var: 'targetingKey' }, ['red', 50], ['green', 50]] }
    const edges: Readonly<Record<string, string>> = {
      ejOoVL: 'red',
      'bY9fO-': 'red',
      'SI7p-': 'red',
      '6LvT0': 'green',
      ceQdGm: 'green',
    }
    for (const [targetingKey, color] of Object.entries(edges)) expect(variantOf(halves, { targetingKey })).toBe(color)
  })

  it('takes another key where the rule names one, so that flags can share their buckets', () => {
    const by = (...parts: readonly unknown[]) => ({ fractional: [{ cat: parts }, ...BUCKETS] })
    for (const user of ['ann', 'ben', 'cem', 'dan']) {
      const expected = COLORS[bucketOf(`spring${user}`, WEIGHTS)]
      expect(variantOf(by('spring', { var: 'user' }), { user })).toBe(expected)
      const own = COLORS[bucketOf(`one${user}`, WEIGHTS)]
      expect(variantOf(by({ var: '$flagd.flagKey' }, { var: 'user' }), { user })).toBe(own)
    }
  })

  it('puts a key into the same place for two flags that name the same text, whatever their variants are called', () => {
    const by = { cat: ['autumn', { var: 'user' }] }
    const shares = (...all: readonly string[]) => ({
      fractional: [by, ...all.map((name, index) => [name, WEIGHTS[index]])],
    })
    const flags = flagsOf({
      flags: {
        colors: { state: 'ENABLED', variants: names(...COLORS), targeting: shares(...COLORS) },
        sizes: { state: 'ENABLED', variants: names('s', 'm', 'l'), targeting: shares('s', 'm', 'l') },
        own: { state: 'ENABLED', variants: names(...COLORS), targeting: { fractional: BUCKETS } },
      },
    })
    const users = Array.from({ length: 300 }, (_, index) => `user-${index}`)
    const placesIn = (flag: string, all: readonly string[]) =>
      users.map((user) => {
        const found = flags.evaluate(flag, 'nothing', { user, targetingKey: user })
        return found instanceof Promise ? -1 : all.indexOf(found.variant ?? '')
      })
    expect(placesIn('sizes', ['s', 'm', 'l'])).toEqual(placesIn('colors', COLORS))
    expect(new Set(placesIn('sizes', ['s', 'm', 'l']))).toEqual(new Set([0, 1, 2]))
    expect(placesIn('own', COLORS)).not.toEqual(placesIn('colors', COLORS))
  })

  it('hashes texts alone: of what a rule names that is a number, a boolean or nothing there is no bucket', () => {
    const rule = { fractional: [{ var: 'key' }, ...BUCKETS] }
    for (const key of [7, 0, 1.5, true, false, null, undefined, {}]) {
      expect(flagsWith(rule).evaluate('one', '', { key, targetingKey: 'acme' } as never)).toMatchObject({
        variant: 'none',
        reason: 'DEFAULT',
      })
    }
    const asText = { fractional: [{ cat: [{ var: 'key' }] }, ...BUCKETS] }
    expect(variantOf(asText, { key: 7 })).toBe(COLORS[bucketOf('7', WEIGHTS)])
  })

  it('puts all who have an empty text for the key that a rule names into one bucket', () => {
    const rule = { fractional: [{ cat: ['user:', { var: 'user' }] }, ...BUCKETS] }
    const tenants = ['acme', 'globex', 'initech']
    const found = tenants.map((targetingKey) => variantOf(rule, { user: '', targetingKey }))
    expect(new Set(found)).toEqual(new Set([COLORS[bucketOf('user:', WEIGHTS)]]))
  })

  it('takes weights to be 1 where they are left out, and a single bucket for everybody', () => {
    for (const targetingKey of ['ann', 'ben', 'cem']) {
      const color = COLORS[bucketOf(`one${targetingKey}`, [1, 1])]
      expect(variantOf({ fractional: [['red'], ['green']] }, { targetingKey })).toBe(color)
      expect(variantOf({ fractional: [['red'], ['green', 1]] }, { targetingKey })).toBe(color)
      expect(variantOf({ fractional: [['blue', 1]] }, { targetingKey })).toBe('blue')
    }
  })

  it('takes rules for variants and for weights', () => {
    const paying = { '==': [{ var: 'plan' }, 'pro'] }
    const variant = {
      fractional: [
        [{ if: [paying, 'red', 'green'] }, 1],
        ['blue', 0],
      ],
    }
    expect(variantOf(variant, { targetingKey: 'acme', plan: 'pro' })).toBe('red')
    expect(variantOf(variant, { targetingKey: 'acme', plan: 'free' })).toBe('green')
    const weight = {
      fractional: [
        ['red', { if: [paying, 100, 0] }],
        ['blue', { if: [paying, 0, 1] }],
      ],
    }
    expect(variantOf(weight, { targetingKey: 'acme', plan: 'pro' })).toBe('red')
    expect(variantOf(weight, { targetingKey: 'acme', plan: 'free' })).toBe('blue')
    // a weight that comes out below zero counts as zero
    const below = {
      fractional: [
        ['red', { '-': [5, 10] }],
        ['blue', 1],
      ],
    }
    expect(variantOf(below, { targetingKey: 'acme' })).toBe('blue')
  })

  it('may be the condition of another rule', () => {
    const when = (share: number) => ({
      if: [
        {
          fractional: [
            [true, share],
            [false, 100 - share],
          ],
        },
        'red',
        'blue',
      ],
    })
    expect(variantOf(when(100), { targetingKey: 'acme' })).toBe('red')
    expect(variantOf(when(0), { targetingKey: 'acme' })).toBe('blue')
  })

  it('results in nothing without a key, or where all weights are zero: the default variant holds', () => {
    const none = { variant: 'none', reason: 'DEFAULT' }
    expect(flagsWith({ fractional: BUCKETS }).evaluate('one', '', { targetingKey: '' })).toMatchObject(none)
    expect(flagsWith({ fractional: [{ var: 'nobody' }, ...BUCKETS] }).evaluate('one', '', {})).toMatchObject(none)
    const zero = {
      fractional: [
        ['red', 0],
        ['blue', 0],
      ],
    }
    expect(flagsWith(zero).evaluate('one', '', { targetingKey: 'acme' })).toMatchObject(none)
  })
})
