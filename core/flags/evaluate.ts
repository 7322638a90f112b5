/** Flags in flagd's JSON format, evaluated in process by flagd's own evaluator. */
import type { Logger } from '@openfeature/core'
import { FlagdCore } from '@openfeature/flagd-core'

/** Flat, as OpenFeature's evaluation context: https://openfeature.dev/specification/sections/evaluation-context */
export type EvaluationContext = Readonly<Record<string, string | number | boolean | string[]>>

export interface Evaluation {
  readonly variant: string | undefined
  readonly value: string
  /** OpenFeature's resolution reason, e.g. STATIC, TARGETING_MATCH, SPLIT, ERROR. */
  readonly reason: string
}

export interface Flags {
  /** Never throws: a flag that is missing, disabled or broken answers `fallback`. */
  evaluate(flag: string, fallback: string, context: EvaluationContext): Evaluation
}

const silent: Logger = { error() {}, warn() {}, info() {}, debug() {} }

/**
 * `definition` is a text in flagd's format (https://flagd.dev/reference/flag-definitions) that the policy has checked.
 */
export function createFlags(definition: string | undefined): Flags {
  const flagd = new FlagdCore(undefined, silent)
  if (definition !== undefined) flagd.setConfigurations(definition)
  return {
    evaluate(flag, fallback, context) {
      try {
        const { variant, value, reason } = flagd.resolveStringEvaluation(flag, fallback, { ...context }, silent)
        return { variant, value, reason: reason ?? 'UNKNOWN' }
      } catch {
        return { variant: undefined, value: fallback, reason: 'ERROR' }
      }
    },
  }
}
