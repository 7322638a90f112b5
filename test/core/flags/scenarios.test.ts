/**
 * What flagd's public evaluation scenarios ask of every evaluator, in flags of our own: static values, zero values, targeting,
 * fractions, versions, texts, shared rules, defaults, states, metadata and errors.
 */
import { describe, expect, it } from 'vitest'
import { createFlags, type Evaluation } from '../../../core/flags/evaluate.ts'
import { flagsOf } from '../../policy/flags/flag-policy.ts'

type Context = Readonly<Record<string, unknown>>
type Json = Parameters<ReturnType<typeof createFlags>['evaluate']>[1]

const NOBODY = 'the fallback'

function flag(variants: object, defaultVariant?: string | null, targeting?: unknown, more: object = {}) {
  return {
    state: 'ENABLED',
    variants,
    ...(defaultVariant !== undefined && { defaultVariant }),
    ...(targeting !== undefined && { targeting }),
    ...more,
  }
}

/** Through the checks of a policy. */
function evaluate(one: object, context: Context = {}, evaluators: object = {}, fallback: Json = NOBODY): Evaluation {
  const found = flagsOf({ $evaluators: evaluators, flags: { one } }).evaluate('one', fallback, context as never)
  if (found instanceof Promise) throw new Error('flags of a file answer at once')
  return found
}

/** As the library takes it, also what the policy would refuse. */
function evaluateUnchecked(one: object, context: Context = {}): Evaluation {
  const found = createFlags(JSON.stringify({ flags: { one } })).evaluate('one', NOBODY, context as never)
  if (found instanceof Promise) throw new Error('flags of a file answer at once')
  return found
}

const names = (...all: readonly string[]) => Object.fromEntries(all.map((name) => [name, name]))
const STAFF = { '==': [{ var: 'email' }, 'ada@initech.example'] }

describe('a flag without targeting', () => {
  it.each([
    ['a boolean', { yes: true, no: false }, 'yes', true],
    ['a text', { long: 'good morning', short: 'hi' }, 'short', 'hi'],
    ['a whole number', { few: 3, many: 300 }, 'many', 300],
    ['the largest number of 32 bits, to the last place', { most: 2147483647 }, 'most', 2147483647],
    ['the largest exact whole number, to the last place', { most: 9007199254740991 }, 'most', 9007199254740991],
    ['a fraction', { third: 0.33, most: 0.9 }, 'third', 0.33],
    [
      'a map',
      { none: {}, full: { rows: 20, title: 'Orders', open: true } },
      'full',
      { rows: 20, title: 'Orders', open: true },
    ],
    ['false', { yes: true, no: false }, 'no', false],
    ['the empty text', { some: 'x', none: '' }, 'none', ''],
    ['zero', { some: 1, none: 0 }, 'none', 0],
    ['a fraction of zero', { some: 1.5, none: 0.0 }, 'none', 0],
    ['the empty map', { some: { a: 1 }, none: {} }, 'none', {}],
  ])('has %s as its value', (_, variants, defaultVariant, value) => {
    expect(evaluate(flag(variants, defaultVariant))).toEqual({ value, variant: defaultVariant, reason: 'STATIC' })
  })
})

describe('a zero value', () => {
  it.each([
    ['false', { some: true, none: false }, false],
    ['the empty text', { some: 'x', none: '' }, ''],
    ['zero', { some: 7, none: 0 }, 0],
    ['the empty map', { some: { a: 1 }, none: {} }, {}],
  ])('%s is a value like others where targeting or the default names it', (_, variants, value) => {
    const one = flag(variants, 'none', { if: [{ $ref: 'staff' }, 'none'] })
    expect(evaluate(one, { email: 'ada@initech.example' }, { staff: STAFF })).toMatchObject({
      value,
      reason: 'TARGETING_MATCH',
    })
    expect(evaluate(one, { email: 'bob@globex.example' }, { staff: STAFF })).toMatchObject({ value, reason: 'DEFAULT' })
  })
})

describe('targeting', () => {
  it('by the targeting key finds the one that is meant, and says whether it did', () => {
    const one = flag(names('found', 'other'), 'other', {
      if: [{ '==': [{ var: 'targetingKey' }, 'acme'] }, 'found', null],
    })
    expect(evaluate(one, { targetingKey: 'acme' })).toEqual({
      value: 'found',
      variant: 'found',
      reason: 'TARGETING_MATCH',
    })
    expect(evaluate(one, { targetingKey: 'globex' })).toEqual({ value: 'other', variant: 'other', reason: 'DEFAULT' })
  })

  it('reads what stands in a map by dots, and takes a default for what is missing', () => {
    const one = flag(names('eu', 'us'), 'us', { var: ['place.region', 'eu'] })
    expect(evaluate(one, { place: { region: 'us' } })).toMatchObject({ variant: 'us', reason: 'TARGETING_MATCH' })
    expect(evaluate(one)).toMatchObject({ variant: 'eu' })
  })

  it('that results in no variant of the flag is an error, and the fallback is the value', () => {
    const one = flag(names('red', 'blue'), 'blue', { var: 'color' })
    expect(evaluate(one, { color: 'yellow' })).toEqual({ value: NOBODY, reason: 'ERROR', errorCode: 'GENERAL' })
  })

  it('that results in true or false names the variant that is called so', () => {
    const variants = { true: 'with it', false: 'without' }
    const pro = { '==': [{ var: 'plan' }, 'pro'] }
    for (const rule of [pro, { if: [pro, true, false] }]) {
      const one = flag(variants, 'false', rule)
      expect(evaluate(one, { plan: 'pro' })).toMatchObject({ value: 'with it', reason: 'TARGETING_MATCH' })
      expect(evaluate(one, { plan: 'free' })).toMatchObject({ value: 'without', reason: 'TARGETING_MATCH' })
    }
  })

  it('that results in null is as none for this caller: the default variant holds, and the reason says so', () => {
    const one = flag(names('first', 'second'), 'second', { if: [true, null, 'first'] })
    expect(evaluate(one)).toEqual({ value: 'second', variant: 'second', reason: 'DEFAULT' })
  })

  it('may be empty, which is as if there were none', () => {
    expect(evaluate(flag(names('on'), 'on', {}))).toMatchObject({ variant: 'on', reason: 'STATIC' })
  })
})

describe('a shared rule', () => {
  const staff = { staff: STAFF }
  it.each(['{"$ref":"staff"}', '{ "$ref": "staff" }', '{ "$ref" :\n "staff" }'])(
    'is found however %s is spaced',
    (reference) => {
      const rule = `{ "state": "ENABLED", "variants": { "in": "a", "out": "b" }, "targeting": { "if": [${reference}, "in", "out"] } }`
      const flags = flagsOf(`{ "$evaluators": ${JSON.stringify(staff)}, "flags": { "one": ${rule}, "two": ${rule} } }`)
      for (const name of ['one', 'two']) {
        expect(flags.evaluate(name, '', { email: 'ada@initech.example' })).toMatchObject({
          variant: 'in',
          reason: 'TARGETING_MATCH',
        })
        expect(flags.evaluate(name, '', { email: 'eve@globex.example' })).toMatchObject({
          variant: 'out',
          reason: 'TARGETING_MATCH',
        })
      }
    },
  )

  it('that does not exist makes its flag an error, where a file with that were taken', () => {
    const one = flag(names('in', 'out'), 'out', { if: [{ $ref: 'nobody' }, 'in', 'out'] })
    expect(evaluateUnchecked(one)).toEqual({ value: NOBODY, reason: 'ERROR', errorCode: 'PARSE_ERROR' })
  })
})

describe('`sem_ver`', () => {
  const compared = (...rule: readonly unknown[]) =>
    flag(names('yes', 'no'), 'no', { if: [{ sem_ver: rule }, 'yes', 'no'] })
  const version = { var: 'version' }
  it.each([
    ['3.4.0', '=', '3.4.0', 'yes'],
    ['3.4.1', '=', '3.4.0', 'no'],
    ['3.4.1', '!=', '3.4.0', 'yes'],
    ['3.10.0', '>', '3.9.0', 'yes'],
    ['3.4.0-rc.1', '<', '3.4.0', 'yes'],
    ['3.4.0', '<=', '3.4.0', 'yes'],
    ['3.4.0', '>=', '3.4.1', 'no'],
    ['3.4.9', '~', '3.4.0', 'yes'],
    ['3.5.0', '~', '3.4.0', 'no'],
    ['3.9.9', '^', '3.4.0', 'yes'],
    ['4.0.0', '^', '3.4.0', 'no'],
    ['v3.4.0', '=', '3.4.0', 'yes'],
    ['V3.4.0', '=', '3.4.0', 'yes'],
    ['3', '=', '3.0.0', 'yes'],
    ['3.4', '=', '3.4.0', 'yes'],
    [3, '=', '3.0.0', 'yes'],
    [3.4, '=', '3.4.0', 'yes'],
    ['3.4.0+build.7', '=', '3.4.0', 'yes'],
    ['3.4.0.0', '=', '3.4.0', 'no'],
  ])('says that %s %s %s: %s', (left, comparison, right, variant) => {
    expect(evaluate(compared(version, comparison, right), { version: left })).toMatchObject({ variant })
  })

  it.each(['3.4', '3', 'v3.4.0'])('has to write out in a rule what callers may shorten: %s', (short) => {
    const one = compared(version, '^', short)
    expect(evaluateUnchecked(one, { version: '3.4.1' })).toMatchObject({ variant: 'yes' })
    expect(() => evaluate(one, { version: '3.4.1' })).toThrow('is neither a version nor a variable')
  })

  it('reads the build of a version in a rule as nothing, too', () => {
    expect(evaluate(compared(version, '=', '3.4.0+7'), { version: '3.4.0+8' })).toMatchObject({ variant: 'yes' })
  })

  it('of what is no version results in nothing, and the default variant holds', () => {
    const one = flag(names('true', 'false', 'neither'), 'neither', { sem_ver: [version, '=', '1.0.0'] })
    expect(evaluate(one, { version: 'latest' })).toEqual({ value: 'neither', variant: 'neither', reason: 'DEFAULT' })
    expect(evaluate(one, { version: '1.0.0' })).toMatchObject({ variant: 'true', reason: 'TARGETING_MATCH' })
    for (const bad of [
      [version, '===', '1.0.0'],
      [version, '='],
    ]) {
      const broken = flag(names('true', 'false', 'neither'), 'neither', { sem_ver: bad })
      expect(evaluateUnchecked(broken, { version: '1.0.0' })).toMatchObject({ variant: 'neither', reason: 'DEFAULT' })
    }
  })
})

describe('`starts_with` and `ends_with`', () => {
  const one = flag(names('front', 'back', 'none'), 'none', {
    if: [
      { starts_with: [{ var: 'user' }, 'qa-'] },
      'front',
      { ends_with: [{ var: 'user' }, '@acme.example'] },
      'back',
      'none',
    ],
  })
  it.each([
    ['qa-7', 'front'],
    ['eve@acme.example', 'back'],
    ['qa-7@acme.example', 'front'],
    ['QA-7', 'none'],
    ['', 'none'],
  ])('find %j at the %s', (user, variant) => {
    expect(evaluate(one, { user })).toMatchObject({ variant, reason: 'TARGETING_MATCH' })
  })

  it.each(['starts_with', 'ends_with'])(
    '%s of what is no text results in nothing, and the default variant holds',
    (operator) => {
      const odd = (...operands: readonly unknown[]) =>
        flag(names('true', 'false', 'neither'), 'neither', { [operator]: operands })
      const neither = { variant: 'neither', reason: 'DEFAULT' }
      expect(evaluate(odd({ var: 'count' }, '1'), { count: 12 })).toMatchObject(neither)
      expect(evaluateUnchecked(odd('qa-'))).toMatchObject(neither)
    },
  )
})

describe('a flag without a default variant', () => {
  const one = (defaultVariant: null | undefined, targeting?: unknown) =>
    flag({ few: 5, many: 50 }, defaultVariant, targeting)
  it('leaves the value to whoever asks, where no rule says another', () => {
    for (const none of [null, undefined]) {
      expect(evaluate(one(none))).toEqual({ value: NOBODY, reason: 'DEFAULT' })
      for (const rule of [{ if: [STAFF, 'many', null] }, { if: [STAFF, 'many'] }]) {
        expect(evaluate(one(none, rule), { email: 'eve@globex.example' })).toEqual({ value: NOBODY, reason: 'DEFAULT' })
        const match = { value: 50, variant: 'many', reason: 'TARGETING_MATCH' }
        expect(evaluate(one(none, rule), { email: 'ada@initech.example' })).toEqual(match)
      }
    }
  })
})

describe('a disabled flag', () => {
  it.each([true, 'text', 3, 0.5, { a: 1 }])('leaves %j to whoever asks for that, and names no variant', (fallback) => {
    const one = flag(names('on', 'off'), 'on', { if: [true, 'on'] }, { state: 'DISABLED' })
    expect(evaluate(one, {}, {}, fallback)).toEqual({ value: fallback, reason: 'DISABLED' })
  })
})

describe('metadata', () => {
  it('of a flag go before those of the set, for whom the flag is sticky too', () => {
    const one = flag(names('on'), 'on')
    const keyedBy = (ofSet: object, ofFlag: object) =>
      flagsOf({ metadata: ofSet, flags: { one: { ...one, metadata: ofFlag } } }).keyedBy('one')
    expect(keyedBy({}, {})).toBe('tenant')
    expect(keyedBy({ targetingKey: 'user' }, {})).toBe('user')
    expect(keyedBy({ targetingKey: 'user' }, { targetingKey: 'tenant' })).toBe('tenant')
    expect(keyedBy({ version: '7' }, { targetingKey: 'user', owner: 'billing', level: 2, open: true })).toBe('user')
  })
})

describe('what cannot be evaluated', () => {
  it('is told by its code, and the fallback is the value', () => {
    const found = flagsOf({ flags: {} }).evaluate('nobody', 5, {})
    expect(found).toEqual({ value: 5, reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' })
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(flagsOf({ flags: {} }).evaluate(name, 5, {})).toMatchObject({ errorCode: 'FLAG_NOT_FOUND' })
    }
  })

  it('is refused by the policy before: what flagd cannot compile, and its own operators for each item of a list', () => {
    const odd = flag(names('on', 'off'), 'off', { nobody: [] })
    expect(evaluateUnchecked(odd)).toEqual({ value: NOBODY, reason: 'ERROR', errorCode: 'PARSE_ERROR' })
    const each = flag(names('on', 'off'), 'off', {
      if: [{ some: [{ var: 'roles' }, { starts_with: [{ var: '' }, 'qa'] }] }, 'on'],
    })
    expect(evaluateUnchecked(each, { roles: ['qa'] })).toEqual({ value: NOBODY, reason: 'ERROR', errorCode: 'GENERAL' })
    for (const one of [odd, each]) expect(() => evaluate(one)).toThrow('targeting')
  })
})
