/** Rollouts: who gets the new variant at which time, and that nobody ever goes back. */
import { describe, expect, it } from 'vitest'
import { type EvaluationContext, TIMESTAMP } from '../../../core/flags/context.ts'
import type { Flags } from '../../../core/flags/evaluate.ts'
import { flagsOf, problemsWith } from './flag-policy.ts'

const KEYS = Array.from({ length: 100_000 }, (_, index) => `tenant-${index}`)

const variants = { stable: 'orders-stable', beta: 'orders-beta', canary: 'orders-canary' }
const BETA = { '==': [{ var: 'beta' }, true] }

function fileWith(targeting?: unknown, more: object = {}) {
  return { flags: { backend: { state: 'ENABLED', variants, defaultVariant: 'stable', targeting, ...more } } }
}

/** Steps on consecutive days from 1 December. */
function rollout(...percents: readonly number[]) {
  const steps = percents.map((percent, index) => ({ from: `2026-12-0${index + 1}T09:00:00Z`, percent }))
  return { rollouts: { backend: { variant: 'canary', steps } } }
}

const at = (text: string) => Date.parse(text) / 1000
/** An hour after the step of that number has come; 0 is before the first. */
const hourAfter = (step: number) => at('2026-11-30T10:00:00Z') + step * 86_400

function contextOf(targetingKey: string, seconds: number, more: EvaluationContext = {}): EvaluationContext {
  return { targetingKey, tenant: targetingKey, [TIMESTAMP]: seconds, ...more }
}

function variantOf(flags: Flags, context: EvaluationContext): string | undefined {
  const found = flags.evaluate('backend', 'none', context)
  return found instanceof Promise ? 'a promise' : found.variant
}

function canaries(flags: Flags, seconds: number): ReadonlySet<string> {
  return new Set(KEYS.filter((key) => variantOf(flags, contextOf(key, seconds)) === 'canary'))
}

describe('a rollout', () => {
  it.each([[0], [1]])('with something else for a time in step %i is told that alone', (wrong) => {
    const steps = ['2026-12-01T09:00:00Z', '2026-12-02T09:00:00Z'].map((from) => ({ from, percent: 5 }))
    const more = {
      rollouts: { backend: { variant: 'canary', steps: steps.with(wrong, { from: 'tomorrow', percent: 5 }) } },
    }
    const told = problemsWith('/flags.json', fileWith(), more)
    expect(told).toEqual([expect.objectContaining({ path: `flags.rollouts.backend.steps[${wrong}].from` })])
    expect(told[0]?.message).toContain('is not a date-time')
  })

  it('gives 0, 5, 10 and 100 % their share of 100,000 tenants, and moves nobody back at any step up', () => {
    const flags = flagsOf(fileWith(), rollout(0, 5, 10, 100))
    const shares = [0, 1, 2, 3, 4].map((step) => canaries(flags, hourAfter(step)))
    const sizes = shares.map(({ size }) => size)
    expect(sizes.slice(0, 2)).toEqual([0, 0])
    // three standard deviations of a binomial of that share
    expect(Math.abs((sizes[2] ?? 0) - 5_000)).toBeLessThan(3 * Math.sqrt(KEYS.length * 0.05 * 0.95))
    expect(Math.abs((sizes[3] ?? 0) - 10_000)).toBeLessThan(3 * Math.sqrt(KEYS.length * 0.1 * 0.9))
    expect(sizes[4]).toBe(KEYS.length)
    for (const [index, share] of shares.entries()) {
      expect([...(shares[index - 1] ?? [])].every((key) => share.has(key))).toBe(true)
    }
  }, 120_000)

  it('comes at the second of its date, and stays at the last step', () => {
    const flags = flagsOf(fileWith(), rollout(0, 100))
    const second = at('2026-12-02T09:00:00Z')
    expect(variantOf(flags, contextOf('acme', second - 1))).toBe('stable')
    expect(variantOf(flags, contextOf('acme', second))).toBe('canary')
    expect(variantOf(flags, contextOf('acme', second + 10 * 365 * 86_400))).toBe('canary')
  })

  it('of 100 % is for everybody, also for a request by which nobody can be told from another', () => {
    const flags = flagsOf(fileWith(), rollout(50, 100))
    expect(variantOf(flags, contextOf('', hourAfter(1)))).toBe('stable')
    expect(variantOf(flags, contextOf('', hourAfter(2)))).toBe('canary')
  })

  it('gives back those who came last where its percentage goes down', () => {
    const flags = flagsOf(fileWith(), rollout(10, 5))
    const [most, fewer] = [canaries(flags, hourAfter(1)), canaries(flags, hourAfter(2))]
    expect(fewer).toEqual(canaries(flagsOf(fileWith(), rollout(5)), hourAfter(1)))
    expect([...fewer].every((key) => most.has(key))).toBe(true)
    expect(most.size).toBeGreaterThan(fewer.size)
  }, 120_000)

  it('moves nobody where it takes the place of a `fractional` of the same share with the canary first', () => {
    const fractional = {
      fractional: [
        ['canary', 5],
        ['stable', 95],
      ],
    }
    const byHand = canaries(flagsOf(fileWith(fractional)), hourAfter(1))
    expect(byHand.size).toBeGreaterThan(4_000)
    expect(canaries(flagsOf(fileWith(), rollout(5)), hourAfter(1))).toEqual(byHand)
    // nor where both stand there: those whom the rule gives the default are those whom the rollout leaves it
    expect(canaries(flagsOf(fileWith(fractional), rollout(5)), hourAfter(1))).toEqual(byHand)
  }, 120_000)

  it('tells thousandths of a percent apart', () => {
    const share = (percent: number) => canaries(flagsOf(fileWith(), rollout(percent)), hourAfter(1)).size
    const sizes = [0, 0.001, 0.5, 0.501, 99.999, 100].map(share)
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b))
    expect(sizes[0]).toBe(0)
    expect(sizes[1]).toBeLessThan(10)
    expect((sizes[3] ?? 0) - (sizes[2] ?? 0)).toBeLessThan(10)
    expect(sizes[4]).toBeGreaterThan(KEYS.length - 10)
    expect(sizes[5]).toBe(KEYS.length)
  }, 120_000)

  it('leaves those alone whom targeting gives something else than the default', () => {
    const flags = flagsOf(fileWith({ if: [BETA, 'beta', 'stable'] }), rollout(100))
    expect(variantOf(flags, contextOf('acme', hourAfter(1), { beta: true }))).toBe('beta')
    expect(variantOf(flags, contextOf('acme', hourAfter(1), { beta: false }))).toBe('canary')
    expect(variantOf(flags, contextOf('acme', hourAfter(0), { beta: false }))).toBe('stable')
    const silent = flagsOf(fileWith({ if: [BETA, 'beta', null] }), rollout(100))
    expect(variantOf(silent, contextOf('acme', hourAfter(1)))).toBe('canary')
  })

  it('leaves a disabled flag disabled', () => {
    const flags = flagsOf(fileWith(undefined, { state: 'DISABLED' }), rollout(100))
    expect(flags.evaluate('backend', 'none', contextOf('acme', hourAfter(1)))).toMatchObject({
      value: 'none',
      reason: 'DISABLED',
    })
  })

  it('gives the default to a request that names nobody', () => {
    const flags = flagsOf(fileWith(), rollout(50))
    expect(variantOf(flags, contextOf('', hourAfter(1)))).toBe('stable')
  })

  it('begins from a default variant of whatever type its name may be taken for', () => {
    for (const [name, result] of [
      ['true', { '!': [false] }],
      ['false', { '!': [true] }],
      ['7', { '+': [3, 4] }],
    ] as const) {
      const variants = { [name]: 'orders-stable', canary: 'orders-canary' }
      const flags = flagsOf(fileWith(result, { variants, defaultVariant: name }), rollout(100))
      expect(variantOf(flags, contextOf('acme', hourAfter(0)))).toBe(name)
      expect(variantOf(flags, contextOf('acme', hourAfter(1)))).toBe('canary')
    }
  })

  it('leaves other flags of the file as they are', () => {
    const other = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' }
    const flags = flagsOf({ flags: { ...fileWith().flags, other } }, rollout(100))
    expect(flags.evaluate('other', true, contextOf('acme', hourAfter(1)))).toMatchObject({
      value: false,
      reason: 'STATIC',
    })
  })
})
