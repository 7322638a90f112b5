/** Rollouts: whether their flags and variants are there, and what they come to as a targeting rule. */
import { TIMESTAMP } from '../../core/flags/context.ts'
import type { Rollout } from '../../core/policy.ts'
import { isRecord } from '../outside.ts'
import type { Fault } from '../problem.ts'
import { unknown } from './words.ts'

/** Weights stand for thousandths of a percent. */
const WHOLE = 100_000

/** `flags` are those of the file, and `named` says how the policy calls that file. At most `most` faults are told. */
export function checkRollouts(
  rollouts: ReadonlyMap<string, Rollout>,
  flags: Readonly<Record<string, unknown>>,
  named: string,
  most: number,
): readonly Fault[] {
  const faults: Fault[] = []
  for (const [name, { variant }] of rollouts) {
    if (faults.length >= most) break
    const fault = faultOf(name, variant, flags, named)
    if (fault) faults.push(fault)
  }
  return faults
}

function faultOf(
  name: string,
  variant: string,
  flags: Readonly<Record<string, unknown>>,
  named: string,
): Fault | undefined {
  const path = ['flags', 'rollouts', name]
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined
  if (!isRecord(flag)) return { ...unknown(path, `flag in ${named} named`, name, Object.keys(flags)), at: 'key' }
  const { defaultVariant, variants } = flag
  if (typeof defaultVariant !== 'string' || defaultVariant === '') {
    const message = `flag \`${name}\` has no default variant that its rollout could begin from`
    return { path, at: 'key', message, fix: '`defaultVariant` in the flag file' }
  }
  const names = isRecord(variants) ? Object.keys(variants) : []
  const at = [...path, 'variant']
  if (!names.includes(variant)) return unknown(at, `variant of flag \`${name}\` named`, variant, names)
  if (variant === defaultVariant) return { path: at, message: 'is what everybody gets already', fix: 'another variant' }
  return undefined
}

/**
 * Of those whom `targeting` would give the default variant, as many as the rollout says get its variant; flagd's own bucketing
 * chooses them, the new variant first, so that a step up moves nobody back.
 */
export function withRollout(targeting: unknown, defaultVariant: string, { variant, steps }: Rollout): unknown {
  const latestFirst = steps.toReversed().flatMap(({ from, percent }) => {
    return [{ '>=': [{ var: TIMESTAMP }, Math.ceil(from / 1000)] }, shareOf(percent, variant, defaultVariant)]
  })
  const share = { if: [...latestFirst, defaultVariant] }
  if (!isRecord(targeting) || Object.keys(targeting).length === 0) return share
  return { if: [{ in: [targeting, [null, ...spellingsOf(defaultVariant)]] }, share, targeting] }
}

/** All and nobody need no bucket: a request that has nothing to be bucketed by is among them. */
function shareOf(percent: number, variant: string, defaultVariant: string): unknown {
  if (percent === 100) return variant
  if (percent === 0) return defaultVariant
  const weight = Math.round(percent * 1000)
  const share = [
    [variant, weight],
    [defaultVariant, WHOLE - weight],
  ]
  return { fractional: share }
}

/** What a rule may result in that flagd reads as this variant. */
function spellingsOf(variant: string): readonly unknown[] {
  if (variant === 'true' || variant === 'false') return [variant, variant === 'true']
  return String(Number(variant)) === variant ? [variant, Number(variant)] : [variant]
}
