/** Flags in flagd's JSON format, evaluated in process by flagd's own evaluator. */

/** Flat, as OpenFeature's evaluation context: https://openfeature.dev/specification/sections/evaluation-context */
export type EvaluationContext = Readonly<Record<string, string | number | boolean | string[]>>

export interface Evaluation {
  readonly variant: string | undefined
  readonly value: unknown
  /** OpenFeature's resolution reason, e.g. STATIC, TARGETING_MATCH, SPLIT, ERROR. */
  readonly reason: string
}

export interface Flags {
  evaluate(flag: string, context: EvaluationContext): Evaluation
}
