/** What one flag comes to for one request: off, chosen by the caller, or evaluated, in this order. */
import type { JsonValue } from '@openfeature/core'
import { after, type MaybePromise } from '../maybe-promise.ts'
import type { Policy } from '../policy.ts'
import { contextOf, type EvaluationContext, type KeyedBy, type Subject } from './context.ts'
import type { Evaluation, Flags, OffBy } from './evaluate.ts'
import { type Ignored, type Override, overrideOf } from './override.ts'

/** The reason of a variant that the caller has chosen: a text of ours, beside OpenFeature's. */
export const OVERRIDE = 'OVERRIDE'

/** An evaluation, of this flag. */
export interface Resolved extends Evaluation {
  readonly flag: string
  /** Why it was not evaluated. */
  readonly off?: OffBy
  /** By what right the caller has chosen. */
  readonly by?: string
}

/** The flags of one request: what is needed for more than one of them is made once. */
export interface Asked {
  /** `fallback` is the value of a flag that is off, or that comes to none. */
  resolve(flag: string, fallback: JsonValue): MaybePromise<Resolved>
  /** What has become of the header by which callers choose; undefined where none was sent, or the policy has none. */
  readonly override: Override | Ignored | undefined
}

/** `now` is in ms since the epoch. */
export function askedBy(subject: Subject, policy: Policy, flags: Flags, now: number): Asked {
  const rules = policy.flags?.override
  const override = rules && overrideOf(subject, rules)
  let context: EvaluationContext | undefined
  let contextIs: KeyedBy | undefined
  return {
    override,
    resolve(flag, fallback) {
      const off = flags.offBy(flag)
      if (off) return { flag, value: fallback, reason: 'DISABLED', off }
      const chosen = override && chosenOf(flag, override, flags)
      if (chosen) return chosen
      const keyedBy = flags.keyedBy(flag)
      if (context === undefined || contextIs !== keyedBy) {
        context = contextOf(subject, policy, keyedBy, now)
        contextIs = keyedBy
      }
      return after(flags.evaluate(flag, fallback, context), (found) => resolvedOf(flag, found))
    },
  }
}

/** Field by field: a spread costs more than all the rest. */
function resolvedOf(flag: string, { value, variant, reason, errorCode }: Evaluation): Resolved {
  if (errorCode !== undefined) return { flag, value, reason, errorCode }
  return variant === undefined ? { flag, value, reason } : { flag, value, reason, variant }
}

function chosenOf(flag: string, override: Override | Ignored, flags: Flags): Resolved | undefined {
  if ('ignored' in override) return undefined
  const variant = override.variants.get(flag)
  const value = variant === undefined ? undefined : flags.valueOf(flag, variant)
  if (variant === undefined || value === undefined) return undefined
  return { flag, value, variant, reason: OVERRIDE, by: override.by }
}
