/** Flags in flagd's JSON format, evaluated in process by flagd's own evaluator. */
import type { JsonValue, Logger } from '@openfeature/core'
import { FeatureFlag } from '@openfeature/flagd-core'
import type { MaybePromise } from '../maybe-promise.ts'
import type { EvaluationContext, KeyedBy } from './context.ts'
import { NOTHING_OFF, type Switches } from './switches.ts'

/** As OpenFeature's resolution details: https://openfeature.dev/specification/types#resolution-details */
export interface Evaluation {
  readonly value: JsonValue
  readonly variant?: string
  /** STATIC, DEFAULT, TARGETING_MATCH, SPLIT, DISABLED, ERROR or what a provider says. */
  readonly reason: string
  /** Why the reason is ERROR, e.g. FLAG_NOT_FOUND. */
  readonly errorCode?: string
}

/** Who has turned a flag off: an operator by its switch, or whoever wrote DISABLED into the file. */
export type OffBy = 'switch' | 'file'

export interface Flags {
  /** The flags known by name; where a provider outside evaluates them, those that the policy names: it may have more. */
  readonly names: readonly string[]
  /** Whom the flag is sticky for: what its metadata `targetingKey` says, the tenant by default. */
  keyedBy(flag: string): KeyedBy
  /** Undefined for a flag that is evaluated. One that is off answers `fallback`, and nobody may choose a variant of it. */
  offBy(flag: string): OffBy | undefined
  /** The value of a variant; undefined where the flag has none of that name, or a provider outside knows them alone. */
  valueOf(flag: string, variant: string): JsonValue | undefined
  /**
   * Never throws or rejects: a flag that is missing, disabled or broken answers `fallback`. Answers in the same tick where the
   * definition is in memory.
   */
  evaluate(flag: string, fallback: JsonValue, context: EvaluationContext): MaybePromise<Evaluation>
}

const silent: Logger = { error() {}, warn() {}, info() {}, debug() {} }

/**
 * `definition` is a text in flagd's format (https://flagd.dev/reference/flag-definitions) that the policy has checked.
 */
export function createFlags(definition: string | undefined, switches: Switches = NOTHING_OFF): Flags {
  const flagOf = flagsOf(definition)
  const offBy = (flag: string) => {
    if (switches.isOff(flag)) return 'switch'
    return flagOf(flag)?.isDisabled ? 'file' : undefined
  }
  return {
    names: flagOf.names,
    keyedBy: (flag) => flagOf(flag)?.keyedBy ?? 'tenant',
    offBy,
    valueOf: (flag, variant) => flagOf(flag)?.valueOf(variant),
    evaluate(flag, fallback, context) {
      try {
        if (offBy(flag)) return { value: fallback, reason: 'DISABLED' }
        const known = flagOf(flag)
        if (!known) return { value: fallback, reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' }
        const { value = fallback, variant, reason, errorCode } = known.rule().evaluate(context as never, silent)
        if (errorCode !== undefined) return { value, reason, errorCode }
        return variant === undefined ? { value, reason } : { value, reason, variant }
      } catch {
        return { value: fallback, reason: 'ERROR', errorCode: 'GENERAL' }
      }
    },
  }
}

interface Definition {
  readonly flags: Readonly<Record<string, FlagDefinition>>
  readonly metadata?: FlagDefinition['metadata']
}

type FlagDefinition = ConstructorParameters<typeof FeatureFlag>[1]

interface KnownFlag {
  readonly isDisabled: boolean
  readonly keyedBy: KeyedBy
  valueOf(variant: string): JsonValue | undefined
  readonly rule: () => FeatureFlag
}

/** Each flag's rule is compiled when it is evaluated first: a thousand of them at once would hold up whoever waits. */
function flagsOf(definition: string | undefined) {
  const { flags, metadata }: Definition = definition === undefined ? { flags: {} } : JSON.parse(definition)
  const known = new Map<string, KnownFlag>()
  for (const [name, written] of Object.entries(flags)) {
    // https://flagd.dev/reference/flag-definitions/#metadata: a flag's own stands before the set's
    const { targetingKey = metadata?.targetingKey } = written.metadata ?? {}
    const { variants = {} } = written
    let compiled: FeatureFlag | undefined
    known.set(name, {
      isDisabled: written.state === 'DISABLED',
      keyedBy: targetingKey === 'user' ? 'user' : 'tenant',
      valueOf: (variant) => (Object.hasOwn(variants, variant) ? variants[variant] : undefined),
      rule() {
        compiled ??= new FeatureFlag(name, unhashed(written), silent)
        return compiled
      },
    })
  }
  return Object.assign((name: string) => known.get(name), { names: [...known.keys()] })
}

/**
 * The same, with nothing to enumerate. FeatureFlag takes a hash of all that it can enumerate, which costs four times as much as all else
 * that it does, and which nobody reads.
 */
function unhashed(written: FlagDefinition): FlagDefinition {
  const hidden = { ...written }
  for (const name of Object.keys(hidden)) Object.defineProperty(hidden, name, { enumerable: false })
  return hidden
}
